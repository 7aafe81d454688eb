#include "dispatch/turns.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace limpet::dispatch {

namespace {

int64_t rank_of(const LaneRow& row, uint8_t priority, Duration ageing) {
  return static_cast<int64_t>(row.spot.ready_at) - priority * to_ms(ageing);
}

}  // namespace

void Turns::configure(const Settings& settings) {
  settings_ = settings;
  for (auto& [number, tenant] : tenants_) tenant->bucket.change(settings.tenant_rate);
}

Turns::Tenant& Turns::tenant(uint16_t number) {
  std::unique_ptr<Tenant>& tenant = tenants_[number];
  if (tenant == nullptr) {
    tenant = std::make_unique<Tenant>();
    tenant->number = number;
    tenant->bucket = TokenBucket(settings_.tenant_rate);
  }
  return *tenant;
}

Lane& Turns::lane(const store::Lane& name, store::StoreMs due) {
  LIMPET_ASSERT(name.priority < priorities);
  Seat& seat = tenant(name.tenant).seats[name.priority];
  if (seat.lane == nullptr) {
    seat.lane = std::make_unique<Lane>(name, due);
    ++lane_count_;
  }
  return *seat.lane;
}

Lane* Turns::find(const store::Lane& name) {
  const auto found = tenants_.find(name.tenant);
  return found == tenants_.end() ? nullptr : found->second->seats[name.priority].lane.get();
}

void Turns::changed(const Lane& lane, store::StoreMs horizon) {
  place(tenant(lane.name().tenant), lane.name().priority, horizon);
}

void Turns::place(Tenant& tenant, uint8_t priority, store::StoreMs horizon) {
  Seat& seat = tenant.seats[priority];
  const store::StoreMs due = seat.lane->due();
  seat.active = due <= horizon;
  const store::StoreMs asleep_until = seat.active || due == Lane::never ? 0 : due;
  if (seat.asleep_until != asleep_until) {
    if (seat.asleep_until != 0) asleep_.erase({seat.asleep_until, tenant.number, priority});
    if (asleep_until != 0) asleep_.insert({asleep_until, tenant.number, priority});
    seat.asleep_until = asleep_until;
  }
  if (!seat.active || tenant.in_turn) return;
  tenant.in_turn = true;
  in_turn_.push_back(&tenant);
}

bool Turns::wake(store::StoreMs horizon) {
  while (!asleep_.empty() && asleep_.begin()->until <= horizon) {
    const Asleep first = *asleep_.begin();
    place(tenant(first.tenant), first.priority, horizon);
  }
  return !in_turn_.empty();
}

// The tenant's lane with the best head; none: it has nothing ready.
Result<Turns::Choice> Turns::best_of(Tenant& tenant, const LaneView& view) {
  Choice best;
  int64_t best_rank = 0;
  for (int index = priorities - 1; index >= 0; --index) {
    const auto priority = static_cast<uint8_t>(index);
    Seat& seat = tenant.seats[priority];
    if (!seat.active) continue;
    LIMPET_TRY(const LaneRow* const head, seat.lane->head(view));
    if (head == nullptr) {
      place(tenant, priority, view.horizon);
      continue;
    }
    const int64_t rank = rank_of(*head, priority, settings_.ageing);
    if (best.lane != nullptr && rank >= best_rank) continue;
    best = {seat.lane.get(), *head};
    best_rank = rank;
    if (settings_.ageing.ns == 0) break;
  }
  return best;
}

void Turns::leave_turn(size_t index) {
  Tenant& tenant = *in_turn_[index];
  tenant.in_turn = false;
  tenant.deficit_bytes = std::min<int64_t>(tenant.deficit_bytes, 0);
  in_turn_.erase(in_turn_.begin() + static_cast<std::ptrdiff_t>(index));
  if (turn_ > index) --turn_;
}

Result<Turns::Chosen> Turns::choose(const LaneView& view, BootTime now) {
  wake(view.horizon);
  size_t limited_in_row = 0;
  while (!in_turn_.empty()) {
    if (turn_ >= in_turn_.size()) turn_ = 0;
    Tenant& tenant = *in_turn_[turn_];
    LIMPET_TRY(const Choice best, best_of(tenant, view));
    if (best.lane == nullptr) {
      leave_turn(turn_);
      continue;
    }
    if (tenant.bucket.wait(now).ns > 0) {
      if (++limited_in_row >= in_turn_.size()) return Chosen{Outcome::limited, {}};
      ++turn_;
      continue;
    }
    limited_in_row = 0;
    if (in_turn_.size() > 1 && tenant.deficit_bytes <= 0) {
      tenant.deficit_bytes += turn_quantum_bytes;
      ++turn_;
      continue;
    }
    return Chosen{Outcome::chosen, best};
  }
  return Chosen{};
}

void Turns::given(const Choice& choice, uint64_t bytes, BootTime now) {
  Tenant& of = tenant(choice.lane->name().tenant);
  choice.lane->take_head();
  of.bucket.take(now);
  // Who is alone owes nobody.
  if (in_turn_.size() <= 1) return;
  of.deficit_bytes -= static_cast<int64_t>(std::max(bytes, task_cost_bytes_min));
}

Result<std::optional<Turns::Choice>> Turns::oldest(const LaneView& view) {
  std::optional<Choice> oldest;
  for (auto& [number, tenant] : tenants_) {
    for (Seat& seat : tenant->seats) {
      if (seat.lane == nullptr) continue;
      LIMPET_TRY(const std::optional<LaneRow> first, seat.lane->oldest(view));
      if (!first || (oldest && oldest->row.spot <= first->spot)) continue;
      oldest = Choice{seat.lane.get(), *first};
    }
  }
  return oldest;
}

std::optional<store::StoreMs> Turns::next_due() const {
  if (asleep_.empty()) return std::nullopt;
  return asleep_.begin()->until;
}

Duration Turns::rate_wait(BootTime now) const {
  std::optional<Duration> first;
  for (const Tenant* const tenant : in_turn_) {
    const Duration wait = tenant->bucket.wait(now);
    first = first ? std::min(*first, wait) : wait;
  }
  return first.value_or(Duration{});
}

void Turns::each(const std::function<void(const Lane&)>& visit) const {
  for (const auto& [number, tenant] : tenants_) {
    for (const Seat& seat : tenant->seats) {
      if (seat.lane != nullptr) visit(*seat.lane);
    }
  }
}

Result<void> Turns::sweep(const store::Reader::Snapshot& snapshot) {
  for (auto entry = tenants_.begin(); entry != tenants_.end();) {
    Tenant& tenant = *entry->second;
    bool empty = true;
    for (Seat& seat : tenant.seats) {
      if (seat.lane == nullptr) continue;
      bool used = seat.lane->due() != Lane::never;
      const store::Key prefix = store::lane_key(seat.lane->name());
      if (!used) {
        LIMPET_CHECK(snapshot.scan(prefix, prefix, [&used](ByteSpan, ByteSpan) {
          used = true;
          return false;
        }));
      }
      empty = empty && !used;
      if (used) continue;
      seat = Seat{};
      --lane_count_;
    }
    const auto turn = std::ranges::find(in_turn_, &tenant);
    if (empty && turn != in_turn_.end()) {
      leave_turn(static_cast<size_t>(turn - in_turn_.begin()));
    }
    entry = empty ? tenants_.erase(entry) : std::next(entry);
  }
  return {};
}

}  // namespace limpet::dispatch
