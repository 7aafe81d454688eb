#pragma once

// A directory of the test's own, in memory where the machine has such a place: for tests to which
// the disk is a model, or does not matter. Gone with the object. Owner: the test.

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace limpet::testing {

class FastDirectory {
 public:
  FastDirectory() {
    const std::string memory = "/dev/shm";
    std::string pattern =
        (access(memory.c_str(), W_OK) == 0 ? memory
                                           : std::filesystem::temp_directory_path().string()) +
        "/limpet-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) abort();
    path_ = pattern;
  }
  ~FastDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  FastDirectory(const FastDirectory&) = delete;
  FastDirectory& operator=(const FastDirectory&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace limpet::testing
