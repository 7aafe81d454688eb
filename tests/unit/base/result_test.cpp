#include "base/result.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

using namespace limpet;

namespace {

Result<int> half(int value) {
  if (value % 2 != 0) return Error{ErrorCode::invalid, "odd"};
  return value / 2;
}

Result<void> must_be_small(int value) {
  if (value > 10) return Error{ErrorCode::too_large, "big"};
  return {};
}

Result<std::string> quarter_text(int value) {
  LIMPET_TRY(const int first, half(value));
  LIMPET_TRY(const int second, half(first));
  LIMPET_CHECK(must_be_small(second));
  return std::to_string(second);
}

}  // namespace

TEST_CASE("result: it is a value or an error, never both") {
  const Result<int> good = half(8);
  CHECK(good.ok());
  CHECK(*good == 4);
  const Result<int> bad = half(7);
  CHECK_FALSE(bad.ok());
  CHECK(bad.error().code == ErrorCode::invalid);
  CHECK(bad.error().where == std::string("odd"));
}

TEST_CASE("result: LIMPET_TRY and LIMPET_CHECK pass the first error on") {
  CHECK(quarter_text(12).value() == "3");
  CHECK(quarter_text(7).error().code == ErrorCode::invalid);
  CHECK(quarter_text(14).error().code == ErrorCode::invalid);
  CHECK(quarter_text(80).error().code == ErrorCode::too_large);
}

TEST_CASE("result: a value that can only be moved comes out by moving") {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(5);
  REQUIRE(result.ok());
  const std::unique_ptr<int> value = std::move(result).value();
  CHECK(*value == 5);
}

TEST_CASE("result: void is success unless there is an error") {
  CHECK(Result<void>().ok());
  const Result<void> failed = Error{ErrorCode::io, "disk", 5};
  CHECK_FALSE(failed.ok());
  CHECK(failed.error().system_error == 5);
}
