#include "base/strong_id.hpp"

#include <doctest/doctest.h>

#include <type_traits>
#include <unordered_set>

#include "base/bytes.hpp"
#include "base/time.hpp"

using namespace limpet;

namespace {

using Apple = StrongId<struct AppleTag, uint32_t>;
using Pear = StrongId<struct PearTag, uint32_t>;

}  // namespace

TEST_CASE("strong_id: ids of two kinds do not mix, nor with integers") {
  CHECK_FALSE(std::is_convertible_v<Apple, Pear>);
  CHECK_FALSE(std::is_convertible_v<uint32_t, Apple>);
  CHECK_FALSE(std::is_convertible_v<Apple, uint32_t>);
}

TEST_CASE("strong_id: zero is none, and the next is one more") {
  CHECK(Apple().none());
  CHECK(Apple().next() == Apple(1));
  CHECK(Apple(5).plus(3) == Apple(8));
  CHECK(Apple(1) < Apple(2));
  CHECK(Apple(2) != Apple(1));
}

TEST_CASE("strong_id: ids are keys of hash tables") {
  const std::unordered_set<Apple> set = {Apple(1), Apple(2), Apple(1)};
  CHECK(set.size() == 2);
}

TEST_CASE("time: times take durations, and their difference is one") {
  const WallTime time{1000};
  CHECK((time + nanoseconds(5)).ns == 1005);
  CHECK((time + nanoseconds(-5)).ns == 995);
  CHECK((time - WallTime{3000}).ns == -2000);
  CHECK(to_ms(seconds(2)) == 2000);
  CHECK(milliseconds(3) == microseconds(3000));
  CHECK_FALSE(std::is_convertible_v<WallTime, BootTime>);
}

TEST_CASE("bytes: text and bytes are views of the same memory") {
  const std::string_view text = "abc";
  CHECK(as_text(as_bytes(text)).data() == text.data());
  CHECK(as_text(as_bytes(text)) == "abc");
  CHECK(as_bytes("").empty());
}
