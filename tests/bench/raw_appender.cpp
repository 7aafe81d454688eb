#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "codec/records.hpp"
#include "store/hot_record.hpp"
#include "store/keys.hpp"
#include "tests/bench/appender.hpp"
#include "tests/bench/measure.hpp"
#include "tests/bench/raw_lmdb.hpp"
#include "tests/bench/sample_event.hpp"
#include "tests/bench/signal.hpp"

namespace limpet::bench {

namespace {

// A ring of records between the producer and one writing thread, all of it made at the start. What
// it leaves out is what the store adds: encoding, checksums, admission, answers, time.
class RawAppender final : public Appender {
 public:
  explicit RawAppender(const AppenderOptions& options)
      : raw_(options.directory, options.max_bytes, Sync::full), window_(options.window) {
    const SampleEvent event(options.payload);
    EventView view = event.view();
    view.sequence = Sequence(100000);
    record_.resize(codec::event_record_size(view));
    if (!codec::encode_event(view, record_).ok()) fail("cannot encode the event");
    ring_.resize(record_.size() * window_);
    store::HotRecord hot;
    hot.store_ms = 1767225600000;
    hot.next_sequence = Sequence(100000);
    hot.event_bytes = 30000000;
    const Result<ByteSpan> encoded = encode_hot(hot, hot_buffer_);
    if (!encoded.ok()) fail("cannot encode the hot record");
    hot_ = *encoded;
    thread_ = std::thread([this] { run(); });
  }
  ~RawAppender() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      wanted_.notify_one();
    }
    thread_.join();
  }

  void submit() override {
    const std::lock_guard lock(mutex_);
    std::memcpy(slot(given_), record_.data(), record_.size());
    ++given_;
    wanted_.notify_one();
  }

  size_t wait_answers() override {
    while (true) {
      {
        const std::lock_guard lock(mutex_);
        if (committed_ > answered_) {
          return static_cast<size_t>(committed_ - std::exchange(answered_, committed_));
        }
      }
      answers_.wait();
    }
  }

  uint64_t commits() const override { return commits_.load(); }
  void reset_commits() override { commits_ = 0; }

 private:
  uint8_t* slot(uint64_t number) { return ring_.data() + number % window_ * record_.size(); }

  void run() {
    uint64_t written = 0;
    while (true) {
      uint64_t end = 0;
      {
        std::unique_lock lock(mutex_);
        wanted_.wait(lock, [&] { return stopping_ || given_ > written; });
        if (given_ == written) return;
        end = given_;
      }
      raw_.begin();
      for (; written < end; ++written) {
        raw_.append(store::log_key(Sequence(written + 1), 0).bytes(),
                    {slot(written), record_.size()});
      }
      raw_.put(store::hot_key().bytes(), hot_);
      raw_.commit();
      ++commits_;
      {
        const std::lock_guard lock(mutex_);
        committed_ = end;
      }
      answers_.raise();
    }
  }

  RawLmdb raw_;
  const unsigned window_;
  ByteVector record_;
  ByteVector ring_;
  uint8_t hot_buffer_[store::hot_record_bytes_max];
  ByteSpan hot_;
  std::atomic<uint64_t> commits_{0};
  Signal answers_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable wanted_;
  uint64_t given_ = 0;
  uint64_t committed_ = 0;
  uint64_t answered_ = 0;
  bool stopping_ = false;

  std::thread thread_;  // last: it uses everything above
};

}  // namespace

std::unique_ptr<Appender> make_raw_appender(const AppenderOptions& options) {
  return std::make_unique<RawAppender>(options);
}

}  // namespace limpet::bench
