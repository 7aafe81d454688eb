#pragma once

// The name that was probably meant. Private to this folder. [any]

#include <string_view>
#include <vector>

namespace limpet::config {

// The candidate with the smallest edit distance to `name` (insert, delete, replace, swap of
// neighbours); the first of equals. REQUIRES: candidates are not empty.
[[nodiscard]] std::string_view nearest(std::string_view name,
                                       const std::vector<std::string_view>& candidates);

}  // namespace limpet::config
