#include "store/store.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "store/lmdb_layout.hpp"
#include "store/marker.hpp"

namespace limpet::store {

namespace {

// What a change of that many bytes may add to the tree: a leaf page is at least half full, and each
// row touched can split a page.
uint64_t estimate_growth(uint64_t bytes) { return 2 * bytes + 2 * uint64_t{store_page_bytes}; }

}  // namespace

Store::Store(Environment environment, const OpenOptions& options, Wiring wiring)
    : environment_(std::move(environment)),
      directory_(options.directory),
      machine_id_(options.machine_id),
      max_bytes_(options.max_bytes),
      clock_(wiring.clock),
      hot_(environment_.hot),
      anchor_ms_(hot_.store_ms),
      anchor_boot_(clock_.boot()),
      durable_end_(hot_.next_sequence),
      reader_(std::make_unique<Reader>(environment_.handle.get(), environment_.tree)),
      writer_(std::make_unique<Writer>(environment_.handle.get(), environment_.tree,
                                       Writer::Options{wiring.linger, std::move(wiring.wake)})) {}

Store::~Store() {
  writer_->stop();
  const std::optional<Error> failed = failure();
  if (!failed) environment_.starts.closed();
  if (failed && failed->code == ErrorCode::corrupt) environment_.starts.corrupt();
}

Result<std::unique_ptr<Store>> Store::open(const OpenOptions& options, Wiring wiring) {
  const WallTime wall = wiring.clock.wall();
  const bool clock_set = wall >= platform::plausible_wall_time;
  const OpenMoment moment{wiring.clock.boot().ns / 1000000, clock_set ? wall.ns / 1000000 : 0};
  LIMPET_TRY(Environment environment, open_environment(options, moment, wiring.logger));
  std::unique_ptr<Store> store(new Store(std::move(environment), options, std::move(wiring)));
  LIMPET_CHECK(store->begin_incarnation(options));
  return store;
}

// The first commit of this opening: it proves that the disk takes writes before anyone relies on
// it.
Result<void> Store::begin_incarnation(const OpenOptions& options) {
  Change change = begin();
  change.hot().incarnation = hot_.incarnation.next();
  Result<void> committed;
  change.on_done([&committed](const Result<void>& result) { committed = result; });
  LIMPET_CHECK(submit(std::move(change)));
  drain();
  LIMPET_CHECK(committed);
  if (environment_.marker_due) {
    LIMPET_CHECK(write_marker(options.directory, {options.machine_id}));
  }
  environment_.starts.opened(hot_.store_ms);
  unclean_starts_ = environment_.starts.unclean_recent(hot_.store_ms);
  return {};
}

StoreMs Store::now_ms() {
  const BootTime boot = clock_.boot();
  const uint64_t wall_ms = clock_.wall().ns / 1000000;
  const uint64_t paced_ms = anchor_ms_ + static_cast<uint64_t>(to_ms(boot - anchor_boot_));
  if (wall_ms > paced_ms) {
    anchor_ms_ = wall_ms;
    anchor_boot_ = boot;
  }
  hot_.store_ms = std::max({hot_.store_ms, wall_ms, paced_ms});
  return hot_.store_ms;
}

Result<void> Store::admit(size_t bytes, Urgency urgency) {
  if (writer_->failure()) return Error{ErrorCode::closed, "store: closed after a failed commit"};
  if (urgency == Urgency::finish) return {};
  const WriterStats stats = writer_->stats();
  const size_t pending = stats.pending_bytes;
  // Half of the queue is kept for what must finish.
  if (pending + bytes > limits::store_pending_bytes_max / 2 ||
      stats.pending_changes >= limits::store_pending_changes_max / 2) {
    return Error{ErrorCode::busy, "store: too much waits for the disk"};
  }
  if (stats.used_bytes + estimate_growth(pending + bytes) > max_bytes_) {
    ++refused_full_;
    return Error{ErrorCode::full, "store: max_bytes is reached"};
  }
  return {};
}

Change Store::begin() {
  static_cast<void>(now_ms());
  ByteVector buffer;
  if (!spare_buffers_.empty()) {
    buffer = std::move(spare_buffers_.back());
    spare_buffers_.pop_back();
  }
  return Change(hot_, generation_, std::move(buffer));
}

Result<void> Store::submit(Change change) {
  // Built on the newest state: otherwise two changes were open at once and share sequences.
  LIMPET_ASSERT(change.generation() == generation_);
  HotRecord after = change.hot();
  LIMPET_CHECK(writer_->give(change));
  after.store_ms = std::max(after.store_ms, hot_.store_ms);
  hot_ = after;
  ++generation_;
  return {};
}

Result<void> Store::submit_relaxed(Change change) {
  change.relax();
  LIMPET_CHECK(submit(std::move(change)));
  relaxed_at_.push_back(clock_.boot());
  return {};
}

Duration Store::unsynced_age() const {
  return relaxed_at_.empty() ? Duration() : clock_.boot() - relaxed_at_.front();
}

void Store::note_released(const Change& change) {
  if (change.released().empty()) return;
  const ClassCount* const last = std::ranges::max_element(hot_.classes, {}, &ClassCount::first);
  const Sequence unnoted = change.released_unnoted();
  if (!unnoted.none() && unnoted < last->first) released_.missed = true;
  for (const Sequence event : change.released()) {
    if (event >= last->first) continue;  // no class was trimmed past it
    if (released_.events.size() == released_max) {
      released_.missed = true;
      return;
    }
    released_.events.push_back(event);
  }
}

size_t Store::deliver() {
  // Not a member while it is used: an answer may deliver again.
  std::vector<Finished> finished = std::exchange(finished_, {});
  writer_->take_done(finished);
  for (Finished& one : finished) {
    ++delivered_;
    if (one.change.relaxed()) relaxed_at_.pop_front();
    if (one.result.ok()) {
      note_released(one.change);
      durable_end_ = one.change.hot().next_sequence;
      durable_ms_ = one.change.hot().store_ms;
    }
    one.change.finish(one.result);
    keep_buffer(one.change.take_buffer());
  }
  const size_t count = finished.size();
  finished.clear();
  finished_ = std::move(finished);
  return count;
}

void Store::keep_buffer(ByteVector buffer) {
  if (buffer.capacity() > limits::store_spare_buffer_bytes_max ||
      spare_buffers_.size() == limits::store_spare_buffers_max) {
    return;
  }
  spare_buffers_.push_back(std::move(buffer));
}

void Store::drain() {
  do {
    writer_->hasten();
    writer_->wait_done();
  } while (deliver() > 0);
}

// Relaxed changes make nothing ready: who asks this need not wait for them.
StoreMs Store::durable_ms() {
  return delivered_ + relaxed_at_.size() == generation_ ? now_ms() : durable_ms_;
}

std::unique_ptr<Reader> Store::new_reader() {
  return std::make_unique<Reader>(environment_.handle.get(), environment_.tree);
}

Result<CopyReport> Store::backup(const std::string& directory) const {
  return store::backup({environment_.handle.get(), directory_, machine_id_}, directory);
}

StoreInfo Store::info() const {
  StoreInfo info;
  info.writer = writer_->stats();
  info.used_bytes = info.writer.used_bytes;
  info.max_bytes = max_bytes_;
  info.next_sequence = hot_.next_sequence;
  info.durable_end = durable_end_;
  info.refused_full = refused_full_;
  return info;
}

}  // namespace limpet::store
