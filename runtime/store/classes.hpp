#pragma once

// Classes: how long events stay. Every event is of one class, by its type; a class has a limit of
// bytes, of age, and a policy for when it is full. The record of an event carries the class's
// number, and the hot record what the log holds of each.
// Owner: the daemon. Thread: [main]. Fails with: full (classes_max names were ever given), invalid
// (a pattern), io, corrupt.
// Limits: classes_max names in the life of a store: a number means one name for ever, and 0 is
// `work`. A class that the config no longer names keeps its events; the limits of `work` hold for
// it.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "store/store.hpp"

namespace limpet::store {

// When a class has reached its limit of bytes and nothing of it may go.
enum class OnFull : uint8_t {
  reject,       // nothing leaves that a consumer has not read; new events are refused
  drop_oldest,  // the oldest leave, read or not, and it is counted and told
};

enum class Durability : uint8_t {
  durable,  // acknowledged when it is on disk
  relaxed,  // acknowledged at admission: a power cut takes up to relaxed_window of it
};

struct ClassSettings {
  std::string name;
  std::vector<std::string> types;  // patterns
  uint64_t max_bytes = 0;          // of its records; 0: only the store's limit
  Duration max_age;                // zero: none
  OnFull on_full = OnFull::reject;
  Durability durability = Durability::durable;
};

inline constexpr std::string_view work_class_name = "work";
inline constexpr uint8_t work_class = 0;

class Classes {
 public:
  // All is `work`, without limits.
  Classes();
  // Reads the names that the store knows and gives numbers to new ones, in one commit. [blocking]
  [[nodiscard]] static Result<Classes> load(Store& store, std::vector<ClassSettings> settings);

  // The first class, in the order of the config, one of whose patterns matches. [no-alloc]
  [[nodiscard]] uint8_t class_of(std::string_view type) const;

  // Patterns of all types that it may hold; empty: any. That is so of `work`, which has what no
  // other class has, and of a class whose patterns nobody knows any more.
  [[nodiscard]] std::span<const std::string> types_of(uint8_t number) const LIMPET_LIFETIMEBOUND {
    const Class& one = classes_[number];
    if (number == work_class || !one.configured) return {};
    return one.settings.types;
  }

  struct Class {
    std::string name;         // empty: the number was never given
    bool configured = false;  // false: an earlier config named it, and `settings` are those of work
    ClassSettings settings;
  };
  // REQUIRES: number < classes_max.
  [[nodiscard]] const Class& at(uint8_t number) const LIMPET_LIFETIMEBOUND {
    return classes_[number];
  }

 private:
  [[nodiscard]] Result<void> read_names(Store& store);
  [[nodiscard]] Result<void> assign(Store& store, std::vector<ClassSettings> settings);

  std::array<Class, classes_max> classes_;
  std::vector<uint8_t> order_;  // the numbers, as the config lists them
};

}  // namespace limpet::store
