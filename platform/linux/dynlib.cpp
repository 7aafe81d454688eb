#include "platform/dynlib.hpp"

#include <dlfcn.h>

namespace limpet::platform {

const void* DynamicLibrary::symbol(const char* name) const { return dlsym(handle_, name); }

std::optional<DynamicLibrary> open_library(const std::string& path, std::string& problem_out) {
  if (path.find('/') == std::string::npos) {
    problem_out = path + ": not a path";
    return std::nullopt;
  }
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* text = dlerror();
    problem_out = text != nullptr ? text : path + ": cannot be loaded";
    return std::nullopt;
  }
  return DynamicLibrary(handle);
}

}  // namespace limpet::platform
