#include "platform/memory.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <vector>

using namespace limpet;
using namespace limpet::platform;

namespace {

constexpr std::string_view rollup =
    "5581c6000000-7ffd4a9fe000 ---p 00000000 00:00 0                          [rollup]\n"
    "Rss:                1892 kB\n"
    "Pss:                 184 kB\n"
    "Pss_Dirty:           100 kB\n"
    "Anonymous:            96 kB\n"
    "SwapPss:               4 kB\n"
    "Locked:                0 kB\n";

}  // namespace

TEST_CASE("memory: the kernel's page reads as bytes") {
  const Result<MemoryUse> use = parse_memory_use(rollup);
  REQUIRE(use.ok());
  CHECK(use->pss_bytes == 184 * 1024);
  CHECK(use->anonymous_bytes == 96 * 1024);
  CHECK(use->resident_bytes == 1892 * 1024);
  CHECK(use->swapped_bytes == 4 * 1024);
}

TEST_CASE("memory: a page without its lines, or with odd ones, is corrupt") {
  for (const std::string_view text :
       {"", "Pss: 1 kB\n", "Rss: 1 kB\nPss: x kB\nAnonymous: 1 kB\n",
        "Rss: 1 kB\nPss: 1 MB\nAnonymous: 1 kB\n", "Rss: 1 kB\nPss: -1 kB\nAnonymous: 1 kB\n",
        "Rss: 1 kB\nPss: 18446744073709551615 kB\nAnonymous: 1 kB\n", "Rss:", "Pss:\nRss:\n"}) {
    CAPTURE(text);
    CHECK(parse_memory_use(text).error().code == ErrorCode::corrupt);
  }
}

TEST_CASE("memory: pages that this process touches show in its anonymous bytes") {
  const Result<MemoryUse> before = memory_use();
  REQUIRE(before.ok());
  constexpr size_t size = 16 * 1024 * 1024;
  std::vector<char> block(size);
  std::memset(block.data(), 1, size);
  const Result<MemoryUse> after = memory_use();
  REQUIRE(after.ok());
  CHECK(after->anonymous_bytes >= before->anonymous_bytes + size * 3 / 4);
  CHECK(block[size / 2] == 1);
}
