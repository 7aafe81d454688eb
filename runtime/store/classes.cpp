#include "store/classes.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "model/pattern.hpp"

namespace limpet::store {

namespace {

// The number that is given to a new name; nullopt: there is none left.
std::optional<uint8_t> free_number(const std::array<Classes::Class, classes_max>& classes) {
  const auto* const found = std::ranges::find(classes, std::string(), &Classes::Class::name);
  if (found == classes.end()) return std::nullopt;
  return static_cast<uint8_t>(found - classes.begin());
}

}  // namespace

Classes::Classes() {
  classes_[work_class].name = work_class_name;
  classes_[work_class].settings.name = work_class_name;
  classes_[work_class].configured = true;
}

Result<Classes> Classes::load(Store& store, std::vector<ClassSettings> settings) {
  Classes classes;
  LIMPET_CHECK(classes.read_names(store));
  LIMPET_CHECK(classes.assign(store, std::move(settings)));
  return classes;
}

Result<void> Classes::read_names(Store& store) {
  LIMPET_TRY(const Reader::Snapshot snapshot, store.reader().snapshot());
  const Key prefix = class_name_prefix();
  bool damaged = false;
  LIMPET_CHECK(snapshot.scan(prefix, prefix, [&](ByteSpan key, ByteSpan value) {
    if (value.size() == 1 && value[0] < classes_max) {
      classes_[value[0]].name = name_in(key, prefix);
    } else {
      damaged = true;
    }
    return true;
  }));
  if (damaged) return Error{ErrorCode::corrupt, "store: the number of a class"};
  return {};
}

Result<void> Classes::assign(Store& store, std::vector<ClassSettings> settings) {
  Change change = store.begin();
  for (ClassSettings& one : settings) {
    if (!std::ranges::all_of(one.types, pattern_valid)) {
      return Error{ErrorCode::invalid, "store: a pattern of a class"};
    }
    auto* found = std::ranges::find(classes_, one.name, &Class::name);
    if (found == classes_.end()) {
      const std::optional<uint8_t> number = free_number(classes_);
      if (!number) return Error{ErrorCode::full, "store: more names of classes than it can keep"};
      const uint8_t value = *number;
      change.put(class_name_key(one.name), ByteSpan(&value, 1));
      found = classes_.begin() + value;
      found->name = one.name;
    }
    found->configured = true;
    found->settings = std::move(one);
    order_.push_back(static_cast<uint8_t>(found - classes_.begin()));
  }
  for (Class& one : classes_) {
    if (!one.configured) one.settings = classes_[work_class].settings;
  }
  if (change.empty()) return {};
  Result<void> committed;
  change.on_done([&committed](const Result<void>& result) { committed = result; });
  LIMPET_CHECK(store.submit(std::move(change)));
  store.drain();
  return committed;
}

uint8_t Classes::class_of(std::string_view type) const {
  for (const uint8_t number : order_) {
    const std::vector<std::string>& types = classes_[number].settings.types;
    if (std::ranges::any_of(
            types, [type](const std::string& pattern) { return pattern_matches(pattern, type); })) {
      return number;
    }
  }
  return work_class;
}

}  // namespace limpet::store
