#include "base/error.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <set>
#include <string>

using namespace limpet;

TEST_CASE("error: every code has a name of its own and an advice") {
  std::set<std::string_view> names;
  size_t count = 0;
#define LIMPET_X(name, text, advice)                       \
  CHECK(names.insert(error_name(ErrorCode::name)).second); \
  CHECK_FALSE(error_advice(ErrorCode::name).empty());      \
  ++count;
  LIMPET_ERROR_CODES(LIMPET_X)
#undef LIMPET_X
  CHECK(names.size() == count);
  CHECK(error_name(ErrorCode::too_large) == "too-large");
}

TEST_CASE("error: its text says what, where and what the system said") {
  CHECK(to_string(Error{ErrorCode::invalid, "event: `type` is missing"}) ==
        "invalid: event: `type` is missing");
  CHECK(to_string(Error{ErrorCode::io, "store: open marker file", EACCES}) ==
        "io: store: open marker file: Permission denied");
  CHECK(to_string(Error{ErrorCode::closed, nullptr}) == "closed");
}
