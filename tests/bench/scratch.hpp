#pragma once

// A folder on the disk that is measured, gone with its owner. tests/support has one for tests, in
// the place for temporary files, which is often memory and no disk at all.

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "tests/bench/measure.hpp"

namespace limpet::bench {

class Scratch {
 public:
  explicit Scratch(const std::string& directory) : path_(directory + "/limpet-bench-XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) fail("cannot make a folder in " + directory);
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace limpet::bench
