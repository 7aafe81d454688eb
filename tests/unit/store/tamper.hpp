#pragma once

// Hands that reach into a stopped store's file: what flash, a fault of ours or a bad cable may do.

#include <doctest/doctest.h>
#include <fcntl.h>
#include <lmdb.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <string>

#include "base/bytes.hpp"
#include "platform/files.hpp"
#include "store/keys.hpp"
#include "store/lmdb_layout.hpp"

namespace limpet::testing {

inline ByteVector read_bytes(const std::string& file, uint64_t offset, size_t count) {
  const platform::OwnedDescriptor descriptor(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  ByteVector bytes(count);
  REQUIRE(pread(descriptor.get(), bytes.data(), count, static_cast<off_t>(offset)) ==
          static_cast<ssize_t>(count));
  return bytes;
}

inline void write_bytes(const std::string& file, uint64_t offset, ByteSpan bytes) {
  const platform::OwnedDescriptor descriptor(open(file.c_str(), O_WRONLY | O_CLOEXEC));
  REQUIRE(pwrite(descriptor.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)) ==
          static_cast<ssize_t>(bytes.size()));
}

// One transaction on the unnamed tree, past everything that Limpet checks.
inline void change_rows(const std::string& file,
                        const std::function<void(MDB_txn* transaction, MDB_dbi tree)>& change) {
  MDB_env* environment = nullptr;
  REQUIRE(mdb_env_create(&environment) == 0);
  REQUIRE(mdb_env_set_mapsize(environment, 64 << 20) == 0);
  REQUIRE(mdb_env_open(environment, file.c_str(), MDB_NOSUBDIR, 0600) == 0);
  MDB_txn* transaction = nullptr;
  MDB_dbi tree = 0;
  REQUIRE(mdb_txn_begin(environment, nullptr, 0, &transaction) == 0);
  REQUIRE(mdb_dbi_open(transaction, nullptr, 0, &tree) == 0);
  change(transaction, tree);
  REQUIRE(mdb_txn_commit(transaction) == 0);
  mdb_env_close(environment);
}

inline ByteVector get_row(MDB_txn* transaction, MDB_dbi tree, const store::Key& key) {
  MDB_val lookup{key.bytes().size(), const_cast<uint8_t*>(key.bytes().data())};
  MDB_val value{};
  REQUIRE(mdb_get(transaction, tree, &lookup, &value) == 0);
  const auto* const bytes = static_cast<const uint8_t*>(value.mv_data);
  return {bytes, bytes + value.mv_size};
}

inline void put_row(MDB_txn* transaction, MDB_dbi tree, const store::Key& key, ByteSpan value) {
  MDB_val at{key.bytes().size(), const_cast<uint8_t*>(key.bytes().data())};
  MDB_val bytes{value.size(), const_cast<uint8_t*>(value.data())};
  REQUIRE(mdb_put(transaction, tree, &at, &bytes, 0) == 0);
}

inline void erase_row(MDB_txn* transaction, MDB_dbi tree, const store::Key& key) {
  MDB_val at{key.bytes().size(), const_cast<uint8_t*>(key.bytes().data())};
  REQUIRE(mdb_del(transaction, tree, &at, nullptr) == 0);
}

// The meta page that LMDB would take, and the page at the root of the tree it leads to.
inline store::layout::MetaPage newest_meta(const std::string& file) {
  store::layout::MetaPage newest{};
  for (size_t page = 0; page < 2; ++page) {
    const ByteVector bytes = read_bytes(file, page * store::store_page_bytes, sizeof newest);
    store::layout::MetaPage one{};
    std::memcpy(&one, bytes.data(), sizeof one);
    if (page == 0 || one.meta.transaction > newest.meta.transaction) newest = one;
  }
  return newest;
}
inline uint64_t root_offset(const std::string& file) {
  return uint64_t{newest_meta(file).meta.trees[1].root} * store::store_page_bytes;
}

}  // namespace limpet::testing
