#include "tests/bench/group_commit.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace limpet::bench {

namespace {

constexpr std::chrono::milliseconds company_wait_max{2};  // as the store's writer
constexpr size_t head_bytes = 5;                          // kind, key size u16, value size u16

size_t read_u16(const uint8_t* bytes) {
  return static_cast<size_t>(bytes[0]) | static_cast<size_t>(bytes[1]) << 8;
}

}  // namespace

GroupCommit::GroupCommit(RowStore& rows, ByteSpan hot_key, ByteSpan hot_value)
    : rows_(rows),
      hot_key_(hot_key.begin(), hot_key.end()),
      hot_value_(hot_value.begin(), hot_value.end()) {
  thread_ = std::thread([this] { run(); });
}

GroupCommit::~GroupCommit() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wanted_.notify_one();
  }
  thread_.join();
}

void GroupCommit::add(char kind, ByteSpan key, ByteSpan value) {
  const std::array<uint8_t, head_bytes> head{
      static_cast<uint8_t>(kind), static_cast<uint8_t>(key.size()),
      static_cast<uint8_t>(key.size() >> 8), static_cast<uint8_t>(value.size()),
      static_cast<uint8_t>(value.size() >> 8)};
  change_.insert(change_.end(), head.begin(), head.end());
  change_.insert(change_.end(), key.begin(), key.end());
  change_.insert(change_.end(), value.begin(), value.end());
}

void GroupCommit::submit() {
  {
    const std::lock_guard lock(mutex_);
    waiting_.insert(waiting_.end(), change_.begin(), change_.end());
    ++waiting_changes_;
    if (waiting_changes_ >= enough_) wanted_.notify_one();
  }
  change_.clear();
}

uint64_t GroupCommit::wait_answers() {
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (committed_ > answered_) return committed_ - std::exchange(answered_, committed_);
    }
    answers_.wait();
  }
}

void GroupCommit::run() {
  ByteVector batch;
  while (const uint64_t changes = gather(batch)) {
    const auto start = std::chrono::steady_clock::now();
    write(batch);
    commit_last_ = std::chrono::steady_clock::now() - start;
    ++commits_;
    {
      const std::lock_guard lock(mutex_);
      committed_ += changes;
    }
    answers_.raise();
  }
}

// Blocks until there is work; 0: there will be none.
uint64_t GroupCommit::gather(ByteVector& batch_out) {
  batch_out.clear();
  std::unique_lock lock(mutex_);
  enough_ = 1;
  wanted_.wait(lock, [this] { return stopping_ || waiting_changes_ > 0; });
  enough_ = batch_last_;
  const auto patience = std::min<std::chrono::nanoseconds>(commit_last_ / 2, company_wait_max);
  if (waiting_changes_ < enough_) {
    wanted_.wait_for(lock, patience, [this] { return stopping_ || waiting_changes_ >= enough_; });
  }
  batch_out.swap(waiting_);
  batch_last_ = std::max<uint64_t>(waiting_changes_, 1);
  return std::exchange(waiting_changes_, 0);
}

void GroupCommit::write(ByteSpan batch) {
  rows_.begin();
  while (!batch.empty()) {
    const auto kind = static_cast<char>(batch[0]);
    const ByteSpan key = batch.subspan(head_bytes, read_u16(&batch[1]));
    const ByteSpan value = batch.subspan(head_bytes + key.size(), read_u16(&batch[3]));
    batch = batch.subspan(head_bytes + key.size() + value.size());
    if (kind == 'a') rows_.append(key, value);
    if (kind == 'p') rows_.put(key, value);
    if (kind == 'e') rows_.erase(key);
  }
  if (!hot_key_.empty()) rows_.put(hot_key_, hot_value_);
  rows_.commit();
}

}  // namespace limpet::bench
