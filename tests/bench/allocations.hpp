#pragma once

// How often this program asked for memory: its operator new counts. The cost of an allocation on a
// small board is less its time than the fragments it leaves after months. [any]

#include <cstdint>

namespace limpet::bench {

[[nodiscard]] uint64_t allocation_count();

}  // namespace limpet::bench
