#pragma once

// Groups: who is in a group, as it is after all changes, also those that are not yet on disk: what
// the rows say, corrected by what the changes on their way have done.
// Owner: Queues. Thread: [main]. Fails with: io.
// Limits: one entry for each grouped task that a change on its way touches; the store bounds those.
//
// Each task of a group has a group row; one of them, the head, is among the ready ones too. A dead
// head that keeps its row parks its group (GroupOnDead::park).

#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "store/reader.hpp"
#include "store/task_record.hpp"

namespace limpet::dispatch {

struct GroupMember {
  uint16_t queue = 0;
  uint64_t group = 0;
  Sequence task;
  friend auto operator<=>(const GroupMember&, const GroupMember&) = default;
};

class Groups {
 public:
  struct Waiting {
    store::ReadyPlace place;
    store::TaskState state;
  };

  // In the change that is being built: the task's group row is there, or no more.
  void joined(const GroupMember& member, const Waiting& waiting, bool is_head);
  void left(const GroupMember& member);

  // The first of the member's group except itself; nullopt: there is none.
  [[nodiscard]] Result<std::optional<Waiting>> first_other(const store::Reader::Snapshot& snapshot,
                                                           const GroupMember& member) const;
  // Has it a group row?
  [[nodiscard]] Result<bool> contains(const store::Reader::Snapshot& snapshot,
                                      const GroupMember& member) const;
  // Is it among the ready ones? REQUIRES: it has a group row and is not in flight.
  [[nodiscard]] Result<bool> is_head(const store::Reader::Snapshot& snapshot,
                                     const GroupMember& member,
                                     const store::ReadyPlace& place) const;

  // The change that was built: became number `change`, or has never been.
  void submitted(uint64_t change);
  void dropped();
  // All up to this change are on disk.
  void durable(uint64_t change);

  [[nodiscard]] size_t count() const { return news_.size(); }

 private:
  struct News {
    bool present = false;
    bool head = false;
    Waiting waiting;
    uint64_t change = UINT64_MAX;  // the last one that touched it; none yet: being built
  };
  struct Touched {
    GroupMember member;
    std::optional<News> before;
  };
  struct OnItsWay {
    uint64_t change = 0;
    GroupMember member;
  };
  void set(const GroupMember& member, const News& news);

  std::map<GroupMember, News> news_;
  std::vector<Touched> open_;  // by the change that is being built, in order
  std::deque<OnItsWay> on_its_way_;
  uint64_t durable_ = 0;
};

}  // namespace limpet::dispatch
