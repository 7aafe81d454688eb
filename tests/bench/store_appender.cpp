#include "codec/records.hpp"
#include "store/store.hpp"
#include "tests/bench/appender.hpp"
#include "tests/bench/measure.hpp"
#include "tests/bench/open_store.hpp"
#include "tests/bench/sample_event.hpp"

namespace limpet::bench {

namespace {

class StoreAppender final : public Appender {
 public:
  explicit StoreAppender(const AppenderOptions& options)
      : event_(options.payload),
        event_bytes_(codec::event_record_size(event_.view())),
        opened_(options.directory + "/data", options.max_bytes, Duration{}) {
    reset_commits();
  }

  void submit() override {
    store::Store& store = opened_.store();
    must(store.admit(event_bytes_, store::Urgency::ingest));
    store::Change change = store.begin();
    const Result<Sequence> sequence = change.append(event_.view());
    if (!sequence.ok()) fail(to_string(sequence.error()));
    change.on_done([this](const Result<void>& result) {
      must(result);
      ++answered_;
    });
    must(store.submit(std::move(change)));
  }

  size_t wait_answers() override {
    while (answered_ == 0) {
      opened_.answers().wait();
      opened_.store().deliver();
    }
    return std::exchange(answered_, 0);
  }

  uint64_t commits() const override { return commits_now() - commits_before_; }
  void reset_commits() override { commits_before_ = commits_now(); }

 private:
  static void must(const Result<void>& result) {
    if (!result.ok()) fail(to_string(result.error()));
  }

  uint64_t commits_now() const { return opened_.store().info().writer.commits; }

  const SampleEvent event_;
  const size_t event_bytes_;
  size_t answered_ = 0;
  uint64_t commits_before_ = 0;
  OpenStore opened_;  // last: its thread uses what stands above
};

}  // namespace

std::unique_ptr<Appender> make_store_appender(const AppenderOptions& options) {
  return std::make_unique<StoreAppender>(options);
}

}  // namespace limpet::bench
