#pragma once

// Store: the one place where Limpet keeps anything: event log, work, runs, their counters, in one
// LMDB environment. What was reported done survives kill -9 and power cuts.
// Owner: Daemon. Thread: [main] for everything here; `limpet-store` inside.
// Fails with: full (retry after something was trimmed), busy (retry soon), closed (a commit failed:
// nothing outstanding was acknowledged; restart), io, corrupt.
// Limits: OpenOptions::max_bytes for what comes from outside, plus a reserve for what must finish.
//
//   Change change = store.begin();
//   LIMPET_TRY(Sequence sequence, change.append(event));
//   change.on_done([](const Result<void>& result) { ... });     // on main, after the sync
//   LIMPET_CHECK(store.submit(std::move(change)));

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/result.hpp"
#include "platform/clock.hpp"
#include "store/change.hpp"
#include "store/copy.hpp"
#include "store/environment.hpp"
#include "store/reader.hpp"
#include "store/writer.hpp"

namespace limpet::store {

// Who asks decides how much of the room may be used.
enum class Urgency : uint8_t {
  ingest,  // new work from outside: refused when the store is at max_bytes
  finish,  // what ends or frees work already accepted: may use the reserve
};

struct StoreInfo {
  uint64_t used_bytes = 0;
  uint64_t max_bytes = 0;
  Sequence next_sequence;  // of the newest change, perhaps not yet on disk
  Sequence durable_end;    // every sequence below it is on disk
  uint64_t refused_full = 0;
  WriterStats writer;
};

inline constexpr size_t released_max = 4096;

class Store {
 public:
  // Opens or creates the store and writes the hot record, which counts this opening. `wake` is
  // called on [store] when deliver() has work. `clock` and `logger` outlive the store.
  struct Wiring {
    platform::Clock& clock;
    Logger& logger;
    std::function<void()> wake;
    Duration linger;
  };
  [[nodiscard]] static Result<std::unique_ptr<Store>> open(const OpenOptions& options,
                                                           Wiring wiring);
  ~Store();  // stops the writer; what waits is committed first

  [[nodiscard]] Epoch epoch() const { return hot_.epoch; }
  [[nodiscard]] Incarnation incarnation() const { return hot_.incarnation; }
  [[nodiscard]] bool created() const { return environment_.created; }
  [[nodiscard]] bool epoch_changed() const { return environment_.epoch_changed; }
  // What had to be done to the file at this opening.
  [[nodiscard]] const Repairs& repairs() const { return environment_.repairs; }
  // Starts in the ten minutes before this one that did not end in order.
  [[nodiscard]] uint32_t unclean_starts() const { return unclean_starts_; }

  // The wall clock in milliseconds, except that it never goes back: when the wall clock does, it
  // goes on at the pace of the boot clock, so that timers and delays do not stand still.
  [[nodiscard]] StoreMs now_ms();

  // Is there room for `bytes` more? Errors: full, busy, closed; nothing was changed.
  [[nodiscard]] Result<void> admit(size_t bytes, Urgency urgency);

  // A new change on top of the newest state. At most one open at a time; dropping it undoes it.
  [[nodiscard]] Change begin();
  // Hands it to the writer. Errors: busy, closed; the change has then never been.
  [[nodiscard]] Result<void> submit(Change change);
  // The same for a change whose events were acknowledged at once: it waits for company, at most
  // relaxed_linger. REQUIRES: it makes nothing ready.
  [[nodiscard]] Result<void> submit_relaxed(Change change);
  // For how long the oldest of those has not been on disk; zero: all are. More than relaxed_window
  // is too long: take nothing more on trust.
  [[nodiscard]] Duration unsynced_age() const;
  // The newest counters, including changes still on their way.
  [[nodiscard]] const HotRecord& newest() const { return hot_; }

  // How many changes were submitted, and how many of them are answered: change n, counted from 1,
  // is on disk when n <= answered(), unless the store has failed.
  [[nodiscard]] uint64_t submitted() const { return generation_; }
  [[nodiscard]] uint64_t answered() const { return delivered_; }

  // Runs the on_done of every change answered since the last call; returns how many.
  size_t deliver();
  // Waits for the writer, then delivers; until nothing is outstanding. For shut-down and tests.
  void drain();

  // Events that durable changes let go of since the last call and that their class was trimmed past
  // already: Change::release. At most released_max; `missed`: there were more.
  struct Released {
    std::vector<Sequence> events;
    bool missed = false;
  };
  [[nodiscard]] Released take_released() { return std::exchange(released_, {}); }

  [[nodiscard]] Sequence durable_end() const { return durable_end_; }
  // The store time up to which every change that was begun is on disk; now, when nothing waits.
  [[nodiscard]] StoreMs durable_ms();
  [[nodiscard]] Reader& reader() { return *reader_; }
  // A reader for another thread, which must go before the store does.
  [[nodiscard]] std::unique_ptr<Reader> new_reader();
  [[nodiscard]] StoreInfo info() const;
  // A copy of what is committed, while work goes on; see copy.hpp. [any, blocking] REQUIRES: the
  // store lives until it returns.
  [[nodiscard]] Result<CopyReport> backup(const std::string& directory) const;
  // Why the store closed, if it did.
  [[nodiscard]] std::optional<Error> failure() const { return writer_->failure(); }

 private:
  Store(Environment environment, const OpenOptions& options, Wiring wiring);
  [[nodiscard]] Result<void> begin_incarnation(const OpenOptions& options);
  void keep_buffer(ByteVector buffer);
  void note_released(const Change& change);

  // Constant after construction.
  Environment environment_;
  const std::string directory_;
  const std::string machine_id_;
  const uint64_t max_bytes_;
  platform::Clock& clock_;

  // Owned by main.
  uint32_t unclean_starts_ = 0;
  HotRecord hot_;
  StoreMs anchor_ms_ = 0;  // the store time at anchor_boot_
  BootTime anchor_boot_;
  uint64_t generation_ = 0;  // counts submitted changes
  Sequence durable_end_;
  StoreMs durable_ms_ = 0;
  uint64_t delivered_ = 0;  // submitted changes that were answered
  uint64_t refused_full_ = 0;
  std::deque<BootTime> relaxed_at_;  // when those of submit_relaxed that are on their way began it
  Released released_;
  std::vector<Finished> finished_;         // empty; its memory is used again
  std::vector<ByteVector> spare_buffers_;  // for changes to come
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<Writer> writer_;
};

}  // namespace limpet::store
