#include "store/seed_file.hpp"

#include <doctest/doctest.h>
#include <lmdb.h>
#include <unistd.h>

#include <cstring>

#include "platform/files.hpp"
#include "store/lmdb_layout.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace limpet;
using namespace limpet::store;

namespace {

MDB_env* open_plain(const std::string& file) {
  MDB_env* environment = nullptr;
  REQUIRE(mdb_env_create(&environment) == 0);
  REQUIRE(mdb_env_open(environment, file.c_str(), MDB_NOSUBDIR, 0600) == 0);
  return environment;
}

}  // namespace

TEST_CASE("seed file: is what LMDB itself makes on a kernel with 4 KiB pages") {
  if (sysconf(_SC_PAGESIZE) != store_page_bytes) {
    MESSAGE("skipped: this kernel has other pages, so LMDB makes another file");
    return;
  }
  const testing::TemporaryDirectory directory;
  MDB_env* environment = open_plain(directory.file("own.mdb"));
  mdb_env_close(environment);
  const Result<std::string> made = platform::read_file(directory.file("own.mdb"), 1 << 20);
  REQUIRE(made.ok());
  ByteVector seed = make_seed_file();
  REQUIRE(made->size() == seed.size());
  ByteVector own(made->begin(), made->end());
  // The map size is the one thing that a caller chooses; it follows magic, version and address.
  const size_t map_size_offset = 8 + sizeof(size_t) + 8 + sizeof(void*);
  for (const size_t page : {size_t{0}, size_t{store_page_bytes}}) {
    std::memset(own.data() + page + map_size_offset, 0, sizeof(size_t));
    std::memset(seed.data() + page + map_size_offset, 0, sizeof(size_t));
  }
  CHECK(own == seed);
}

TEST_CASE("seed file: LMDB opens it with 4 KiB pages") {
  const testing::TemporaryDirectory directory;
  REQUIRE(platform::replace_file(directory.file("seed.mdb"), make_seed_file()).ok());
  MDB_env* environment = open_plain(directory.file("seed.mdb"));
  MDB_stat statistics{};
  CHECK(mdb_env_stat(environment, &statistics) == 0);
  CHECK(statistics.ms_psize == store_page_bytes);
  CHECK(statistics.ms_entries == 0);
  mdb_env_close(environment);
}
