#include "host/call_table.hpp"

#include <utility>

#include "base/check.hpp"
#include "base/limits.hpp"

namespace limpet::host {

namespace {

ToolResult unknown_because(const char* sentence) {
  ToolResult result;
  result.outcome = Outcome::unknown;
  result.error = sentence;
  return result;
}

ToolResult retry_because(const char* sentence) {
  ToolResult result;
  result.outcome = Outcome::retry;
  result.error = sentence;
  return result;
}

Completion completion_of(CallKind kind, Returned& returned, LiveCounters& counters) {
  Completion completion;
  if (returned.threw) {
    completion.answered = false;
    completion.result = unknown_because("an exception left the plugin's function");
  } else if (returned.status != LIMPET_OK) {
    completion.answered = false;
    completion.result = result_of_status(returned.status, returned.text);
  } else if (kind == CallKind::lookup) {
    TakenResult taken = take_result(returned.result);
    if (taken.garbage) counters.garbage.add();
    completion.answered = !taken.garbage;
    completion.result = std::move(taken.result);
  }
  return completion;
}

}  // namespace

void CallTable::open(uint64_t id, CallKind kind) {
  const std::lock_guard lock(mutex_);
  const auto [entry, inserted] = entries_.try_emplace(id);
  LIMPET_ASSERT(inserted);
  entry->second.kind = kind;
}

void CallTable::forget(uint64_t id) {
  const std::lock_guard lock(mutex_);
  entries_.erase(id);
}

bool CallTable::begin(uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(id);
  LIMPET_ASSERT(entry != entries_.end());
  entry->second.begun = true;
  if (!entry->second.cancelled && !entry->second.given_up) return true;
  Completion completion;
  completion.answered = false;
  completion.result = retry_because("it was cancelled before it began");
  settle(entry->second, std::move(completion));
  entry->second.returned = true;
  complete_if_done(entry);
  return false;
}

bool CallTable::returned(uint64_t id, Returned returned) {
  // Outside the lock: it copies, and releases by the plugin's function.
  CallKind kind = CallKind::call;
  {
    const std::lock_guard lock(mutex_);
    kind = entries_.at(id).kind;
  }
  Completion completion = completion_of(kind, returned, counters_);
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(id);
  entry->second.returned = true;
  const bool expects_finish =
      kind == CallKind::call && returned.status == LIMPET_OK && !returned.threw;
  if (!expects_finish) {
    // "Not OK" says nothing happened; a finish() before it says otherwise and is believed.
    if (entry->second.finished) {
      counters_.violations.add();
    } else {
      settle(entry->second, std::move(completion));
    }
  }
  return complete_if_done(entry);
}

void CallTable::finish(uint64_t id, limpet_result* result) {
  // The value is taken in every case, as the ABI promises.
  TakenResult taken = take_result(result);
  if (taken.garbage) counters_.garbage.add();
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(id);
  if (entry == entries_.end() || entry->second.finished || !entry->second.begun ||
      entry->second.kind == CallKind::lookup) {
    counters_.double_finishes.add();
    return;
  }
  if (entry->second.given_up) counters_.late_finishes.add();
  Completion completion;
  completion.result = std::move(taken.result);
  settle(entry->second, std::move(completion));
  if (complete_if_done(entry)) mailbox_.ring();
}

void CallTable::settle(Entry& entry, Completion completion) {
  entry.finished = true;
  entry.completion.answered = completion.answered;
  entry.completion.result = std::move(completion.result);
}

bool CallTable::complete_if_done(Entries::iterator entry) {
  if (!entry->second.returned || !entry->second.finished) return false;
  Completion completion = std::move(entry->second.completion);
  completion.id = entry->first;
  completion.result.id = entry->first;
  completion.late = entry->second.given_up;
  completed_.push_back(std::move(completion));
  entries_.erase(entry);
  return true;
}

limpet_status CallTable::progress(uint64_t id, uint32_t permille, const char* text) {
  std::string copy = take_text(text, limits::tool_error_bytes_max);
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(id);
  if (entry == entries_.end() || entry->second.finished || entry->second.given_up) {
    return LIMPET_NOT_FOUND;
  }
  const bool first = !std::exchange(entry->second.progressed, true);
  entry->second.progress = {id, permille > 1000 ? 1000 : permille, std::move(copy)};
  if (first) mailbox_.ring();
  return entry->second.cancelled ? LIMPET_CANCELLED : LIMPET_OK;
}

bool CallTable::cancel(uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(id);
  if (entry == entries_.end() || entry->second.finished) return false;
  entry->second.cancelled = true;
  return entry->second.begun && entry->second.kind == CallKind::call;
}

GaveUp CallTable::give_up(uint64_t id, ToolResult& result_out) {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(id);
  // Complete and not yet taken: as good as finished, and take() will call it late.
  if (entry == entries_.end()) {
    for (Completion& completion : completed_) {
      if (completion.id != id) continue;
      result_out = std::move(completion.result);
      completion.late = true;
    }
    return GaveUp::finished;
  }
  entry->second.given_up = true;
  if (entry->second.finished) {
    result_out = std::move(entry->second.completion.result);
    result_out.id = id;
    return GaveUp::finished;
  }
  return entry->second.begun ? GaveUp::begun : GaveUp::not_begun;
}

std::vector<Completion> CallTable::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(completed_, {});
}

std::vector<Progress> CallTable::take_progress() {
  std::vector<Progress> progress;
  const std::lock_guard lock(mutex_);
  for (auto& [id, entry] : entries_) {
    if (!std::exchange(entry.progressed, false)) continue;
    progress.push_back(std::move(entry.progress));
  }
  return progress;
}

size_t CallTable::open_count() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace limpet::host
