#pragma once

// Names for threads, as `ps -T`, `top -H` and a core dump show them.

#include <pthread.h>

#include <string>

namespace limpet::loop {

// Names the calling thread; the kernel keeps 15 characters, so more is cut. [any]
inline void set_thread_name(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

}  // namespace limpet::loop
