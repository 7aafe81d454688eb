#include "dispatch/tenants.hpp"

#include <array>

#include "base/check.hpp"
#include "store/queue_record.hpp"

namespace limpet::dispatch {

Tenants::Tenants(uint16_t queue) : queue_(queue) {
  all_.emplace_back();
  numbers_.emplace("", uint16_t{0});
}

Result<void> Tenants::load(const store::Reader::Snapshot& snapshot,
                           const store::QueueCount& queue) {
  Tenant unnamed{"", queue.tasks, queue.bytes};
  const store::Key prefix = store::tenant_name_prefix(queue_);
  LIMPET_CHECK(snapshot.scan(prefix, prefix, [&](ByteSpan key, ByteSpan value) {
    const std::optional<store::TenantRecord> row = store::parse_tenant_record(value);
    if (!row || row->number == 0) return true;
    if (row->number >= all_.size()) all_.resize(size_t{row->number} + 1);
    const std::string name(store::name_in(key, prefix));
    all_[row->number] = {name, row->tasks, row->bytes};
    numbers_.insert_or_assign(name, row->number);
    unnamed.tasks -= std::min(unnamed.tasks, row->tasks);
    unnamed.bytes -= std::min(unnamed.bytes, row->bytes);
    return true;
  }));
  all_.front() = unnamed;
  return {};
}

std::optional<uint16_t> Tenants::find(std::string_view name) const {
  if (name.empty()) return uint16_t{0};
  const auto found = numbers_.find(std::string(name));
  if (found == numbers_.end()) return std::nullopt;
  return found->second;
}

uint16_t Tenants::add(std::string_view name) {
  LIMPET_ASSERT(!full());
  const auto number = static_cast<uint16_t>(all_.size());
  all_.push_back({std::string(name)});
  numbers_.emplace(name, number);
  ++open_added_;
  return number;
}

uint64_t Tenants::tasks_of(uint16_t number) const {
  return number < all_.size() ? all_[number].tasks : 0;
}

void Tenants::count(const Adjusted& adjusted, int64_t sign) {
  Tenant& tenant = all_[adjusted.number];
  tenant.tasks = static_cast<uint64_t>(static_cast<int64_t>(tenant.tasks) + sign * adjusted.tasks);
  tenant.bytes = static_cast<uint64_t>(static_cast<int64_t>(tenant.bytes) + sign * adjusted.bytes);
}

void Tenants::adjust(store::Change& change, uint16_t number, int64_t tasks, int64_t bytes) {
  // A number without a row is of a damaged store: its tasks can still be worked off.
  if (number >= all_.size()) return;
  open_.push_back({number, tasks, bytes});
  count(open_.back(), 1);
  if (number == 0) return;
  const Tenant& tenant = all_[number];
  std::array<uint8_t, store::tenant_record_bytes> buffer;
  change.put(store::tenant_name_key(queue_, tenant.name),
             store::encode_tenant_record({number, tenant.tasks, tenant.bytes}, buffer));
}

void Tenants::submitted() {
  open_.clear();
  open_added_ = 0;
}

void Tenants::dropped() {
  for (const Adjusted& adjusted : open_) count(adjusted, -1);
  open_.clear();
  for (; open_added_ > 0; --open_added_) {
    numbers_.erase(all_.back().name);
    all_.pop_back();
  }
}

}  // namespace limpet::dispatch
