#include "store/writer.hpp"

#include <lmdb.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <iterator>

#include "base/check.hpp"
#include "base/limits.hpp"
#include "store/environment.hpp"

namespace limpet::store {

namespace {

// A slow card's commit takes 20 ms: nobody waits long for company that does not come.
constexpr std::chrono::milliseconds company_wait_max{2};

// LMDB writes every page that it touches anew, and what a commit frees can be used from the next
// but one on. So a commit may take a third of the room that is left; a row takes two pages at
// worst: its own, and what that is split into or joined with.
constexpr uint64_t room_shares = 6;

// Erasing needs room as well. So the last of it is for erasing alone, and as much before it for
// small changes that erase and add (a task done, the next of its group ready). Whatever else adds
// has to wait until something was erased.
constexpr uint64_t erasing_room_bytes = uint64_t{512} << 10;

uint64_t map_bytes_of(MDB_env* environment) {
  MDB_envinfo info{};
  mdb_env_info(environment, &info);
  return info.me_mapsize;
}

uint64_t page_bytes_of(MDB_env* environment) {
  MDB_stat stat{};
  mdb_env_stat(environment, &stat);
  return stat.ms_psize;
}

MDB_val to_value(ByteSpan bytes) { return {bytes.size(), const_cast<uint8_t*>(bytes.data())}; }

int apply(MDB_txn* transaction, MDB_dbi tree, const Operation& operation) {
  MDB_val key = to_value(operation.key);
  MDB_val value = to_value(operation.value);
  switch (operation.kind) {
    case OperationKind::put: return mdb_put(transaction, tree, &key, &value, 0);
    case OperationKind::append:
      // The log is the tree's right edge: no search, and pages fill to the brim.
      return mdb_put(transaction, tree, &key, &value, MDB_APPEND);
    case OperationKind::trim:
    case OperationKind::erase: {
      const int code = mdb_del(transaction, tree, &key, nullptr);
      return code == MDB_NOTFOUND ? 0 : code;
    }
  }
  return EINVAL;
}

}  // namespace

Writer::Writer(MDB_env* environment, unsigned tree, Options options)
    : environment_(environment),
      tree_(tree),
      options_(std::move(options)),
      map_bytes_(map_bytes_of(environment)),
      page_bytes_(page_bytes_of(environment)) {
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "limpet-store");
}

Writer::~Writer() { LIMPET_ASSERT(!thread_.joinable()); }

Result<void> Writer::give(Change& change) {
  const std::lock_guard lock(mutex_);
  if (failure_) return Error{ErrorCode::closed, "store: closed after a failed commit"};
  if (stopping_) return Error{ErrorCode::closed, "store: closing"};
  if (stats_.pending_changes >= limits::store_pending_changes_max ||
      stats_.pending_bytes + change.bytes() > limits::store_pending_bytes_max) {
    ++stats_.busy;
    return Error{ErrorCode::busy, "store: too much waits for the disk"};
  }
  const uint64_t growth = 2 * (stats_.pending_bytes + change.bytes()) + 2 * page_bytes_;
  const bool is_small = change.rows() * room_shares * page_bytes_ <= erasing_room_bytes;
  const uint64_t kept = (change.erases() && is_small ? 1 : 2) * erasing_room_bytes;
  if (change.adds() && stats_.used_bytes + growth + kept > map_bytes_) {
    ++stats_.busy;
    return Error{ErrorCode::busy, "store: the reserve is used up; nothing is added until it frees"};
  }
  if (stats_.pending_changes == 0) progress_at_ = std::chrono::steady_clock::now();
  stats_.pending_bytes += change.bytes();
  ++stats_.pending_changes;
  const bool relaxed = change.relaxed();
  if (relaxed) {
    // The first begins the linger.
    if (relaxed_waiting_++ == 0) relaxed_since_ = std::chrono::steady_clock::now();
    relaxed_bytes_ += change.bytes();
  }
  waiting_.push_back(std::move(change));
  const bool wakes = relaxed ? relaxed_waiting_ == 1 || work_due() : durable_waiting() >= enough_;
  if (wakes) wanted_.notify_one();
  return {};
}

void Writer::hasten() {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) return;
  hasten_ = true;
  wanted_.notify_one();
}

void Writer::take_done(std::vector<Finished>& finished_out) {
  LIMPET_ASSERT(finished_out.empty());
  const std::lock_guard lock(mutex_);
  finished_.swap(finished_out);
}

void Writer::wait_done() {
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return !finished_.empty() || stats_.pending_changes == 0; });
}

void Writer::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wanted_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

WriterStats Writer::stats() const {
  const std::lock_guard lock(mutex_);
  WriterStats stats = stats_;
  if (stats.pending_changes > 0) {
    stats.pending_for = nanoseconds((std::chrono::steady_clock::now() - progress_at_) /
                                    std::chrono::nanoseconds(1));
  }
  return stats;
}

std::optional<Error> Writer::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void Writer::run() {
  std::vector<Change> batch;  // its memory is used again and again
  while (true) {
    gather(batch);
    if (batch.empty()) return;
    std::optional<Error> failed = failure();
    Result<void> result;
    if (failed) {
      result = Error{ErrorCode::closed, "store: closed after a failed commit"};
    } else {
      result = commit(batch);
    }
    answer(batch, result);
  }
}

// Blocks until there is work.
void Writer::gather(std::vector<Change>& batch_out) {
  std::unique_lock lock(mutex_);
  enough_ = 1;
  wait_for_work(lock);
  if (durable_waiting() > 0) wait_for_company(lock);
  const size_t rows_max = batch_rows_max();
  size_t count = 0;
  size_t bytes = 0;
  size_t rows = 0;
  while (count < waiting_.size() && count < limits::store_batch_changes_max &&
         (count == 0 || (bytes + waiting_[count].bytes() <= limits::batch_bytes_max &&
                         rows + waiting_[count].rows() <= rows_max))) {
    bytes += waiting_[count].bytes();
    rows += waiting_[count++].rows();
  }
  hasten_ = hasten_ && count < waiting_.size();
  batch_last_ = durable_waiting();
  if (count == waiting_.size()) {
    waiting_.swap(batch_out);
    return count_relaxed();
  }
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
  batch_out.assign(std::move_iterator(waiting_.begin()), std::move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  count_relaxed();
  batch_last_ -= durable_waiting();
}

void Writer::count_relaxed() {
  relaxed_waiting_ = 0;
  relaxed_bytes_ = 0;
  for (const Change& change : waiting_) {
    if (!change.relaxed()) continue;
    ++relaxed_waiting_;
    relaxed_bytes_ += change.bytes();
  }
}

bool Writer::work_due() const {
  return stopping_ || hasten_ || durable_waiting() > 0 || relaxed_bytes_ >= relaxed_bytes_max ||
         relaxed_waiting_ >= relaxed_changes_max;
}

void Writer::wait_for_work(std::unique_lock<std::mutex>& lock) {
  const auto linger = std::chrono::nanoseconds(relaxed_linger.ns);
  while (!work_due()) {
    if (relaxed_waiting_ == 0) {
      wanted_.wait(lock);
    } else if (wanted_.wait_until(lock, relaxed_since_ + linger) == std::cv_status::timeout) {
      return;
    }
  }
}

size_t Writer::batch_rows_max() const {
  const uint64_t room = map_bytes_ - std::min(map_bytes_, stats_.used_bytes);
  return static_cast<size_t>(room / page_bytes_ / room_shares);
}

void Writer::wait_for_company(std::unique_lock<std::mutex>& lock) {
  if (stopping_) return;
  if (options_.linger.ns > 0) {
    enough_ = SIZE_MAX;
    wanted_.wait_for(lock, std::chrono::nanoseconds(options_.linger.ns),
                     [this] { return stopping_; });
    return;
  }
  enough_ = std::min(batch_last_, limits::store_batch_changes_max);
  if (durable_waiting() >= enough_) return;
  const auto patience = std::chrono::nanoseconds(stats_.commit_ns_last / 2);
  wanted_.wait_for(lock, std::min<std::chrono::nanoseconds>(patience, company_wait_max),
                   [this] { return stopping_ || durable_waiting() >= enough_; });
}

Result<void> Writer::commit(const std::vector<Change>& batch) {
  const auto start = std::chrono::steady_clock::now();
  MDB_txn* transaction = nullptr;
  if (const int code = mdb_txn_begin(environment_, nullptr, 0, &transaction)) {
    return lmdb_error(code, "store: begin writing");
  }
  const Result<void> written = write(transaction, batch);
  MDB_stat tree{};
  mdb_stat(transaction, tree_, &tree);
  if (!written.ok()) {
    mdb_txn_abort(transaction);
    return written;
  }
  LIMPET_CRASH_POINT("store.before_commit");
  if (const int code = mdb_txn_commit(transaction)) return lmdb_error(code, "store: commit");
  LIMPET_CRASH_POINT("store.after_commit");

  const auto took = static_cast<uint64_t>((std::chrono::steady_clock::now() - start).count());
  const std::lock_guard lock(mutex_);
  ++stats_.commits;
  stats_.changes += batch.size();
  stats_.used_bytes =
      (tree.ms_branch_pages + tree.ms_leaf_pages + tree.ms_overflow_pages + 2) * tree.ms_psize;
  stats_.commit_ns_last = took;
  stats_.commit_ns_max = std::max(stats_.commit_ns_max, took);
  return {};
}

Result<void> Writer::write(MDB_txn* transaction, const std::vector<Change>& batch) {
  for (const Change& change : batch) {
    LIMPET_CHECK(change.for_each([&](const Operation& operation) -> Result<void> {
      const int code = apply(transaction, tree_, operation);
      if (code != 0) return lmdb_error(code, "store: write row");
      return {};
    }));
    LIMPET_CRASH_POINT("store.between_changes");
  }
  uint8_t buffer[hot_record_bytes_max];
  LIMPET_TRY(ByteSpan hot, encode_hot(batch.back().hot(), buffer));
  const Key key = hot_key();
  const int code = apply(transaction, tree_, {OperationKind::put, key.bytes(), hot});
  if (code != 0) return lmdb_error(code, "store: write hot record");
  return {};
}

void Writer::answer(std::vector<Change>& batch, const Result<void>& result) {
  LIMPET_CRASH_POINT("store.before_answer");
  {
    const std::lock_guard lock(mutex_);
    if (!result.ok() && !failure_) failure_ = result.error();
    for (Change& change : batch) {
      stats_.pending_bytes -= change.bytes();
      --stats_.pending_changes;
      finished_.push_back({std::move(change), result});
    }
    progress_at_ = std::chrono::steady_clock::now();
    done_.notify_all();
  }
  batch.clear();
  if (options_.wake) options_.wake();
}

}  // namespace limpet::store
