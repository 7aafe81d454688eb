#include "platform/random.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace limpet::platform;

TEST_CASE("random: every byte is filled and no two fills are alike") {
  SystemRandom random;
  std::vector<uint8_t> first(1024, 0);
  std::vector<uint8_t> second(1024, 0);
  random.fill(first);
  random.fill(second);
  CHECK(first != second);
  // 64 zero bytes in a row come by chance once in 2^512 fills.
  CHECK(std::search_n(first.begin(), first.end(), 64, uint8_t{0}) == first.end());
  random.fill({});
}

TEST_CASE("random: a number is eight bytes of the source, whichever it is") {
  class Counting final : public Random {
   public:
    void fill(std::span<uint8_t> out) override {
      for (uint8_t& byte : out) byte = next++;
    }
    uint8_t next = 1;
  };
  Counting source;
  const uint64_t first = source.number();
  CHECK(source.next == 9);
  CHECK(first != source.number());
}
