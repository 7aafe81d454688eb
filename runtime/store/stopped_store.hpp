#pragma once

// StoppedStore: a store that no daemon serves, to look at. It is opened read-only, without LMDB's
// lock file, so that it works on a read-only disk too; nothing in the directory is changed.
// Owner: a verb, or the walk. Thread: one. Fails with: busy (a daemon holds the directory),
// not_found (no store there), corrupt, unsupported, io.
// Limits: maps the whole file, which on 32-bit machines must fit the address space.

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "platform/files.hpp"
#include "store/environment.hpp"
#include "store/marker.hpp"
#include "store/reader.hpp"

namespace limpet::store {

class StoppedStore {
 public:
  enum class Lock : uint8_t {
    take,  // keeps a daemon from starting meanwhile
    held,  // by the caller, or by its parent
  };
  [[nodiscard]] static Result<StoppedStore> open(const std::string& directory, Lock lock);

  [[nodiscard]] const std::string& directory() const { return directory_; }
  [[nodiscard]] std::string file() const;
  [[nodiscard]] const HotRecord& hot() const { return content_.hot; }
  // False: no daemon has come as far as its first commit; there are no rows.
  [[nodiscard]] bool has_content() const { return content_.found; }
  [[nodiscard]] const Marker& marker() const { return marker_; }
  [[nodiscard]] Reader& reader() { return *reader_; }
  [[nodiscard]] MDB_env* environment() const { return handle_.get(); }
  [[nodiscard]] unsigned tree() const { return content_.tree; }

 private:
  StoppedStore() = default;

  std::string directory_;
  platform::OwnedDescriptor lock_;  // declared before the handle: let go last
  EnvironmentHandle handle_;
  Content content_;
  Marker marker_;
  std::unique_ptr<Reader> reader_;
};

}  // namespace limpet::store
