#include "tests/model/row_audit.hpp"

#include <array>
#include <optional>

#include "store/queue_record.hpp"

namespace limpet::testing {

namespace {

using Snapshot = store::Reader::Snapshot;

std::string text(uint64_t number) { return std::to_string(number); }

class Auditor {
 public:
  explicit Auditor(store::Store& store) : store_(store) {}

  RowAudit run() {
    const auto snapshot = store_.reader().snapshot();
    if (!snapshot.ok()) {
      fail("no snapshot");
      return std::move(audit_);
    }
    read_rows(*snapshot);
    read_events(*snapshot);
    check_groups();
    check_dead();
    check_timers();
    check_counts();
    return std::move(audit_);
  }

 private:
  struct GroupRow {
    store::GroupPlace place;
    store::ReadyPlace ready;
    store::TaskState state;
  };

  void fail(const std::string& what) {
    if (audit_.fault.empty()) audit_.fault = "rows: " + what;
  }
  void fail(const std::string& what, uint64_t task) { fail(what + ", task " + text(task)); }

  template <class Visit>
  void scan(const Snapshot& snapshot, const store::Key& prefix, Visit visit) {
    const Result<void> read = snapshot.scan(prefix, prefix, [&](ByteSpan key, ByteSpan value) {
      visit(key, value);
      return true;
    });
    if (!read.ok()) fail("a region cannot be read");
  }

  void read_rows(const Snapshot& snapshot) {
    scan(snapshot, store::Key('r'), [this](ByteSpan key, ByteSpan value) { ready(key, value); });
    scan(snapshot, store::Key('g'), [this](ByteSpan key, ByteSpan value) { group(key, value); });
    scan(snapshot, store::Key('x'), [this](ByteSpan key, ByteSpan value) { dead(key, value); });
    scan(snapshot, store::Key('w'), [this](ByteSpan key, ByteSpan value) { timer(key, value); });
    for (uint16_t index = 0; index < store::queues_max; ++index) {
      const auto number = static_cast<uint16_t>(store::first_user_queue + index);
      const store::Key prefix = store::tenant_name_prefix(number);
      scan(snapshot, prefix, [&](ByteSpan key, ByteSpan value) {
        const auto record = store::parse_tenant_record(value);
        if (!record) return fail("a damaged tenant");
        named_tenants_[{number, record->number}] = {std::string(store::name_in(key, prefix)),
                                                    *record};
      });
    }
  }

  void ready(ByteSpan key, ByteSpan value) {
    const auto place = store::parse_ready_key(key);
    if (!place) return fail("a damaged ready key");
    if (place->lane.queue < store::first_user_queue) return;
    const auto state = store::parse_task_state(value);
    if (!state) return fail("a damaged state", place->ticket);
    if (!value.empty() && *state == store::TaskState()) {
      fail("a state without news is stored", place->ticket);
    }
    if (!ready_.emplace(place->ticket, *place).second) fail("two ready rows", place->ticket);
    states_[place->ticket] = *state;
  }

  void group(ByteSpan key, ByteSpan value) {
    const auto place = store::parse_group_key(key);
    if (!place) return fail("a damaged group key");
    if (place->queue < store::first_user_queue) return;
    const auto ready = store::parse_group_row(*place, value);
    if (!ready) return fail("a damaged group row", place->task.value());
    const auto state = store::parse_group_state(value);
    if (!state) return fail("a damaged state in a group row", place->task.value());
    const GroupRow row{*place, *ready, *state};
    if (!groups_.emplace(place->task.value(), row).second) {
      fail("two group rows", place->task.value());
    }
  }

  void dead(ByteSpan key, ByteSpan value) {
    const auto task = store::parse_dead_key(key);
    if (!task) return fail("a damaged dead key");
    const auto letter = store::parse_dead_letter(value);
    if (!letter) return fail("a damaged dead letter", task->value());
    dead_queues_[task->value()] = static_cast<uint16_t>(key[1] << 8 | key[2]);
    if (!audit_.letters.emplace(task->value(), *letter).second) {
      fail("two dead letters", task->value());
    }
  }

  void timer(ByteSpan key, ByteSpan value) {
    const auto timer = store::parse_task_timer_key(key);
    if (!timer) return fail("a damaged task timer");
    if (!value.empty()) fail("a task timer with a value", timer->task.value());
    auto& timers = timer->kind == store::TaskTimerKind::wake ? audit_.wakes : audit_.expiries;
    if (!timers.emplace(timer->task.value(), timer->at).second) {
      fail("two timers of one kind", timer->task.value());
    }
  }

  // The tasks that rows speak of, as their events tell of them.
  void read_events(const Snapshot& snapshot) {
    for (const auto& [task, place] : ready_) {
      if (auto known = read_event(snapshot, task)) {
        known->ready_row = true;
        known->state = states_[task];
        check_place(*known, task, place);
        audit_.live[task] = *known;
      }
    }
    for (const auto& [task, row] : groups_) {
      auto known = read_event(snapshot, task);
      if (!known) continue;
      check_place(*known, task, row.ready);
      if (known->group.empty() || store::group_hash(known->group) != row.place.group) {
        fail("a group row of another group than its event's", task);
      }
      // A dead one that keeps its row parks its group.
      if (audit_.letters.contains(task)) continue;
      known->state = row.state;
      audit_.live.emplace(task, *known);
    }
    for (const auto& [task, letter] : audit_.letters) {
      auto known = read_event(snapshot, task);
      if (!known) continue;
      if (known->number != dead_queues_[task]) fail("a dead letter in another queue", task);
      audit_.dead[task] = *known;
    }
  }

  std::optional<AuditedTask> read_event(const Snapshot& snapshot, uint64_t task) {
    std::optional<AuditedTask> known;
    const auto read = snapshot.events(Sequence(task), 1, [&](const EventView& event) {
      const auto facts = store::parse_task_facts(event.extensions);
      if (event.sequence != Sequence(task) || event.type != event_type::task_queued || !facts) {
        return false;
      }
      AuditedTask one;
      one.queue = event.subject;
      one.number = facts->lane.queue;
      tenants_[task] = facts->lane.tenant;
      one.tenant = event.tenant;
      one.group = facts->group_name;
      one.priority = facts->lane.priority;
      one.ready_at = facts->ready_at;
      one.expires_at = facts->expires_at;
      one.payload_bytes = event.data.size();
      known = one;
      return false;
    });
    if (!read.ok() || !known) {
      fail("a row without its event", task);
      return known;
    }
    check_names(*known, task);
    return known;
  }

  // Names and numbers stand for each other.
  void check_names(const AuditedTask& known, uint64_t task) {
    if (names_.emplace(known.number, known.queue).first->second != known.queue) {
      fail("one number for two queues", task);
    }
    if (numbers_.emplace(known.queue, known.number).first->second != known.number) {
      fail("two numbers for one queue", task);
    }
    if (tenants_[task] == 0) {
      if (!known.tenant.empty()) fail("a tenant without a number", task);
      return;
    }
    const auto tenant = named_tenants_.find({known.number, tenants_[task]});
    if (tenant == named_tenants_.end() || tenant->second.name != known.tenant) {
      fail("a number of another tenant", task);
    }
  }

  void check_place(const AuditedTask& known, uint64_t task, const store::ReadyPlace& place) {
    const store::Lane lane{known.number, tenants_[task], known.priority};
    if (place.lane != lane || place.ready_at != known.ready_at || place.ticket != task) {
      fail("a row stands where its event does not say", task);
    }
  }

  // Of each group one has a row among the ready ones, and it is the oldest but for those that were
  // redriven; or there is a dead one that parks it.
  void check_groups() {
    std::map<std::pair<uint16_t, uint64_t>, std::vector<uint64_t>> members;
    for (const auto& [task, row] : groups_) {
      members[{row.place.queue, row.place.group}].push_back(task);
    }
    for (const auto& [group, tasks] : members) {
      uint64_t turns = 0;
      for (const uint64_t task : tasks) {
        const bool ready = ready_.contains(task);
        const bool parks = audit_.letters.contains(task);
        if (ready && parks) fail("a dead task is ready", task);
        const bool redriven = groups_.at(task).state.deaths > 0;
        if (turns == 0 && !ready && !parks && !redriven && tasks.front() == task) {
          fail("a group whose oldest is not its next", task);
        }
        turns += ready || parks ? 1 : 0;
      }
      if (turns != 1) fail("a group with " + text(turns) + " that are next", tasks.front());
    }
    for (const auto& [task, place] : ready_) {
      if (audit_.live.contains(task) && !audit_.live[task].group.empty() &&
          !groups_.contains(task)) {
        fail("a grouped task without its group row", task);
      }
    }
  }

  void check_dead() {
    for (const auto& [task, letter] : audit_.letters) {
      if (audit_.live.contains(task)) fail("a task is dead and alive", task);
      if (letter.deaths == 0) fail("a dead letter that never died", task);
      if (letter.first_death == 0 || letter.first_death > letter.last_death) {
        fail("a dead letter died first after it died last", task);
      }
    }
  }

  void check_timers() {
    for (const auto& [task, at] : audit_.wakes) {
      const auto live = audit_.live.find(task);
      if (live == audit_.live.end()) {
        fail("a wake-up of nobody", task);
      } else if (live->second.state.not_before != at) {
        fail("a wake-up at another time than its task's", task);
      }
    }
    for (const auto& [task, at] : audit_.expiries) {
      const auto live = audit_.live.find(task);
      if (live == audit_.live.end()) {
        fail("an expiry of nobody", task);
      } else if (live->second.expires_at != at) {
        fail("an expiry at another time than its task's", task);
      }
    }
    for (const auto& [task, known] : audit_.live) {
      if (known.expires_at != 0 && known.state.deaths == 0 && !audit_.expiries.contains(task)) {
        fail("a task that never expires", task);
      }
    }
  }

  void check_counts() {
    std::array<store::QueueCount, store::queues_max> counts{};
    const auto count_of = [&](const AuditedTask& known) -> store::QueueCount* {
      const size_t index = static_cast<size_t>(known.number) - store::first_user_queue;
      return index < counts.size() ? &counts[index] : nullptr;
    };
    for (const auto& [task, known] : audit_.live) {
      store::QueueCount* const count = count_of(known);
      if (count == nullptr) return fail("a queue's number is too large", task);
      ++count->tasks;
      count->bytes += known.payload_bytes;
    }
    for (const auto& [task, known] : audit_.dead) {
      store::QueueCount* const count = count_of(known);
      if (count == nullptr) return fail("a queue's number is too large", task);
      ++count->dead;
    }
    check_tenants();
    const store::HotRecord& hot = store_.newest();
    for (size_t index = 0; index < counts.size(); ++index) {
      compare(hot.queues[index], counts[index], index);
    }
  }

  void check_tenants() {
    for (const auto& [number, tenant] : named_tenants_) {
      uint64_t tasks = 0;
      uint64_t bytes = 0;
      for (const auto& [task, known] : audit_.live) {
        if (known.number != number.first || tenants_[task] != number.second) continue;
        ++tasks;
        bytes += known.payload_bytes;
      }
      if (tasks == tenant.record.tasks && bytes == tenant.record.bytes) continue;
      fail("tenant " + tenant.name + " of queue " + text(number.first) + " counts " +
           text(tenant.record.tasks) + " tasks " + text(tenant.record.bytes) + " bytes, has " +
           text(tasks) + " and " + text(bytes));
    }
  }

  void compare(const store::QueueCount& hot, const store::QueueCount& found, size_t index) {
    if (hot == found) return;
    const auto show = [](const store::QueueCount& count) {
      return text(count.tasks) + " tasks " + text(count.bytes) + " bytes " + text(count.dead) +
             " dead";
    };
    fail("queue " + text(index + store::first_user_queue) + " counts " + show(hot) + ", has " +
         show(found));
  }

  store::Store& store_;
  RowAudit audit_;
  std::map<uint64_t, store::ReadyPlace> ready_;
  std::map<uint64_t, store::TaskState> states_;
  std::map<uint64_t, GroupRow> groups_;
  std::map<uint64_t, uint16_t> dead_queues_;
  std::map<uint64_t, uint16_t> tenants_;  // of tasks
  std::map<uint16_t, std::string> names_;
  std::map<std::string, uint16_t> numbers_;
  struct NamedTenant {
    std::string name;
    store::TenantRecord record;
  };
  std::map<std::pair<uint16_t, uint16_t>, NamedTenant> named_tenants_;
};

}  // namespace

RowAudit check_rows(store::Store& store) { return Auditor(store).run(); }

}  // namespace limpet::testing
