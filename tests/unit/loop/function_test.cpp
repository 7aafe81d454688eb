#include "loop/function.hpp"

#include <doctest/doctest.h>

#include <array>
#include <memory>

using limpet::loop::UniqueFunction;

TEST_CASE("function: owns what it captures, small or large, and destroys it once") {
  const auto count = std::make_shared<int>(0);
  std::array<char, 200> large = {};
  large[199] = 7;
  {
    UniqueFunction<int(int)> small = [count](int add) { return *count += add; };
    UniqueFunction<int(int)> big = [count, large](int add) { return large[199] + add; };
    CHECK(count.use_count() == 3);
    CHECK(small(2) == 2);
    CHECK(big(1) == 8);
    UniqueFunction<int(int)> moved = std::move(small);
    CHECK_FALSE(small);
    CHECK(moved(3) == 5);
    moved = std::move(big);
    CHECK(count.use_count() == 2);
    CHECK(moved(1) == 8);
    moved = nullptr;
    CHECK_FALSE(moved);
  }
  CHECK(count.use_count() == 1);
}

TEST_CASE("function: may own what cannot be copied, and takes arguments that cannot either") {
  auto owned = std::make_unique<int>(5);
  UniqueFunction<int(std::unique_ptr<int>)> add =
      [mine = std::move(owned)](std::unique_ptr<int> other) { return *mine + *other; };
  CHECK(add(std::make_unique<int>(6)) == 11);
}
