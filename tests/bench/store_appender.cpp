#include "codec/records.hpp"
#include "store/store.hpp"
#include "tests/bench/appender.hpp"
#include "tests/bench/measure.hpp"
#include "tests/bench/sample_event.hpp"
#include "tests/bench/signal.hpp"

namespace limpet::bench {

namespace {

class SilentLogger final : public Logger {
 public:
  void line(LogLevel, std::string_view, std::string_view) override {}
};

class StoreAppender final : public Appender {
 public:
  explicit StoreAppender(const AppenderOptions& options)
      : event_(options.payload), event_bytes_(codec::event_record_size(event_.view())) {
    const store::OpenOptions opening{options.directory + "/data", options.max_bytes, true, "",
                                     Epoch(1)};
    auto opened =
        store::Store::open(opening, {clock_, logger_, [this] { signal_.raise(); }, Duration{}});
    if (!opened.ok()) fail(to_string(opened.error()));
    store_ = std::move(opened).value();
    reset_commits();
  }

  void submit() override {
    must(store_->admit(event_bytes_, store::Urgency::ingest));
    store::Change change = store_->begin();
    const Result<Sequence> sequence = change.append(event_.view());
    if (!sequence.ok()) fail(to_string(sequence.error()));
    change.on_done([this](const Result<void>& result) {
      must(result);
      ++answered_;
    });
    must(store_->submit(std::move(change)));
  }

  size_t wait_answers() override {
    while (answered_ == 0) {
      signal_.wait();
      store_->deliver();
    }
    return std::exchange(answered_, 0);
  }

  uint64_t commits() const override { return store_->info().writer.commits - commits_before_; }
  void reset_commits() override { commits_before_ = store_->info().writer.commits; }

 private:
  static void must(const Result<void>& result) {
    if (!result.ok()) fail(to_string(result.error()));
  }

  platform::SystemClock clock_;
  SilentLogger logger_;
  Signal signal_;
  const SampleEvent event_;
  const size_t event_bytes_;
  size_t answered_ = 0;
  uint64_t commits_before_ = 0;
  std::unique_ptr<store::Store> store_;  // last: its thread uses what stands above
};

}  // namespace

std::unique_ptr<Appender> make_store_appender(const AppenderOptions& options) {
  return std::make_unique<StoreAppender>(options);
}

}  // namespace limpet::bench
