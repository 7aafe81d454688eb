#pragma once

// Shared objects loaded at run time. Thread: [main, blocking]: the loader runs the object's
// constructors. A loaded object is never closed: its threads, thread-local destructors and exit
// handlers would run into unmapped code. Loaded with RTLD_NOW, so that a missing symbol shows now
// and not in the field, and RTLD_LOCAL, so that two plugins cannot meet by a symbol's name.

#include <optional>
#include <string>

namespace limpet::platform {

class DynamicLibrary {
 public:
  // The address of `name`, or null. Valid for ever. [any]
  [[nodiscard]] const void* symbol(const char* name) const;

 private:
  friend std::optional<DynamicLibrary> open_library(const std::string& path,
                                                    std::string& problem_out);
  explicit DynamicLibrary(void* handle) : handle_(handle) {}

  void* handle_;
};

// Loads the object at `path`, which must contain a slash (no search path is asked). nullopt: the
// loader's sentence is in `problem_out`.
[[nodiscard]] std::optional<DynamicLibrary> open_library(const std::string& path,
                                                         std::string& problem_out);

}  // namespace limpet::platform
