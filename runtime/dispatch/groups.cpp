#include "dispatch/groups.hpp"

namespace limpet::dispatch {

namespace {

store::GroupPlace place_of(const GroupMember& member) {
  return {member.queue, member.group, member.task};
}

}  // namespace

void Groups::set(const GroupMember& member, const News& news) {
  const auto [entry, added] = news_.try_emplace(member, news);
  open_.push_back({member, added ? std::nullopt : std::optional<News>(entry->second)});
  entry->second = news;
}

void Groups::joined(const GroupMember& member, const Waiting& waiting, bool is_head) {
  set(member, {true, is_head, waiting});
}

void Groups::left(const GroupMember& member) { set(member, {}); }

Result<std::optional<Groups::Waiting>> Groups::first_other(const store::Reader::Snapshot& snapshot,
                                                           const GroupMember& member) const {
  // The first that is only in memory.
  std::optional<Waiting> first;
  const GroupMember begin{member.queue, member.group, Sequence()};
  for (auto entry = news_.lower_bound(begin); entry != news_.end(); ++entry) {
    const GroupMember& other = entry->first;
    if (other.queue != member.queue || other.group != member.group) break;
    if (other.task == member.task || !entry->second.present) continue;
    first = entry->second.waiting;
    break;
  }
  const store::Key prefix = store::group_prefix(member.queue, member.group);
  LIMPET_CHECK(snapshot.scan(prefix, prefix, [&](ByteSpan key, ByteSpan value) {
    const std::optional<store::GroupPlace> row = store::parse_group_key(key);
    if (!row || row->task == member.task) return true;
    if (first && first->place.ticket <= row->task.value()) return false;
    const auto news = news_.find({row->queue, row->group, row->task});
    if (news != news_.end()) return true;  // memory knows better, and has been asked
    const std::optional<store::ReadyPlace> place = store::parse_group_row(*row, value);
    if (!place) return true;
    first = Waiting{*place, store::parse_group_state(value).value_or(store::TaskState())};
    return false;
  }));
  return first;
}

Result<bool> Groups::contains(const store::Reader::Snapshot& snapshot,
                              const GroupMember& member) const {
  const auto news = news_.find(member);
  if (news != news_.end()) return news->second.present;
  LIMPET_TRY(const std::optional<ByteSpan> row, snapshot.get(store::group_key(place_of(member))));
  return row.has_value();
}

Result<bool> Groups::is_head(const store::Reader::Snapshot& snapshot, const GroupMember& member,
                             const store::ReadyPlace& place) const {
  const auto news = news_.find(member);
  if (news != news_.end()) return news->second.present && news->second.head;
  LIMPET_TRY(const std::optional<ByteSpan> row, snapshot.get(store::ready_key(place)));
  return row.has_value();
}

void Groups::submitted(uint64_t change) {
  for (const Touched& touched : open_) {
    news_.find(touched.member)->second.change = change;
    on_its_way_.push_back({change, touched.member});
  }
  open_.clear();
}

void Groups::dropped() {
  for (auto touched = open_.rbegin(); touched != open_.rend(); ++touched) {
    // What was true before may have reached the disk meanwhile.
    if (touched->before && touched->before->change > durable_) {
      news_.find(touched->member)->second = *touched->before;
    } else {
      news_.erase(touched->member);
    }
  }
  open_.clear();
}

void Groups::durable(uint64_t change) {
  durable_ = change;
  while (!on_its_way_.empty() && on_its_way_.front().change <= change) {
    const auto entry = news_.find(on_its_way_.front().member);
    // A later change may have touched it again; it will be forgotten with that one.
    if (entry != news_.end() && entry->second.change <= change) news_.erase(entry);
    on_its_way_.pop_front();
  }
}

}  // namespace limpet::dispatch
