#pragma once

// The rules that all rows of the house must keep together whenever nothing is on its way: counters
// equal what they count, and every row belongs to something that names it.

#include <string>

#include "store/store.hpp"

namespace limpet::testing {

// Reads everything. The rules that are broken, a line each; empty: none.
// REQUIRES: nothing outstanding.
[[nodiscard]] std::string check_rows(store::Store& store);

}  // namespace limpet::testing
