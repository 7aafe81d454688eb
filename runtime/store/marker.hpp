#pragma once

// The marker file beside the store: "here a store belongs, made on that machine". It tells a fresh
// directory from a disk that is not mounted, and a moved or cloned card from the original. [any]

#include <optional>
#include <string>

#include "base/result.hpp"

namespace limpet::store {

struct Marker {
  std::string machine_id;  // empty: unknown when it was written
  // The next opening begins a new epoch: the store beside it is a copy, or was repaired from an
  // older state. Written before that store is, so that no crash between the two forgets it.
  bool epoch_due = false;
};

// nullopt: there is none. Errors: io; corrupt (not a marker file).
[[nodiscard]] Result<std::optional<Marker>> read_marker(const std::string& directory);
[[nodiscard]] Result<void> write_marker(const std::string& directory, const Marker& marker);

struct MarkerFacts {
  bool marker_exists;
  bool file_exists;
  bool create_allowed;
};
// May a store be opened, or made, here? Errors say what to look at. [any, no-alloc]
[[nodiscard]] Result<void> check_marker(const MarkerFacts& facts);

}  // namespace limpet::store
