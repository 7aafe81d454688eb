#include "platform/process.hpp"

#include <pthread.h>

namespace limpet::platform {

namespace {

constexpr size_t thread_name_bytes_max = 15;

}  // namespace

void name_this_thread(const char* name) {
  const std::string cut = std::string(name).substr(0, thread_name_bytes_max);
  pthread_setname_np(pthread_self(), cut.c_str());
}

std::string this_thread_name() {
  char name[thread_name_bytes_max + 1] = {};
  pthread_getname_np(pthread_self(), name, sizeof name);
  return name;
}

}  // namespace limpet::platform
