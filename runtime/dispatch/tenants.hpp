#pragma once

// Tenants: the tenants of a queue: their numbers, which are given once, and what each of them has
// in it.
// Owner: a Queue. Thread: [main]. Fails with: io (when they are loaded), full (tenants_max).
// Limits: tenants_max names in the life of a queue, because places in the log carry the numbers.
// Tenant "" is number 0; it has no row and holds what the others do not.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "store/store.hpp"

namespace limpet::dispatch {

inline constexpr size_t tenants_max = 1024;  // of one queue

class Tenants {
 public:
  explicit Tenants(uint16_t queue);

  // Reads the rows; `queue` is what all of them have together.
  [[nodiscard]] Result<void> load(const store::Reader::Snapshot& snapshot,
                                  const store::QueueCount& queue);

  // nullopt: not known yet.
  [[nodiscard]] std::optional<uint16_t> find(std::string_view name) const;
  [[nodiscard]] bool full() const { return all_.size() >= tenants_max; }
  // In the change that is being built: a number for a new name. REQUIRES: !full().
  uint16_t add(std::string_view name);
  [[nodiscard]] uint64_t tasks_of(uint16_t number) const;

  // In the change that is being built.
  void adjust(store::Change& change, uint16_t number, int64_t tasks, int64_t bytes);
  void submitted();
  void dropped();

 private:
  struct Tenant {
    std::string name;
    uint64_t tasks = 0;
    uint64_t bytes = 0;
  };
  struct Adjusted {
    uint16_t number = 0;
    int64_t tasks = 0;
    int64_t bytes = 0;
  };
  void count(const Adjusted& adjusted, int64_t sign);

  const uint16_t queue_;
  std::vector<Tenant> all_;  // by number
  std::unordered_map<std::string, uint16_t> numbers_;
  // By the change that is being built.
  std::vector<Adjusted> open_;
  size_t open_added_ = 0;
};

}  // namespace limpet::dispatch
