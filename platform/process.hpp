#pragma once

// This process's threads, as far as the house names them. Never fails.

#include <string>

namespace limpet::platform {

// What `top -H` shows: at most 15 bytes, the rest is cut. [any]
void name_this_thread(const char* name);
[[nodiscard]] std::string this_thread_name();

}  // namespace limpet::platform
