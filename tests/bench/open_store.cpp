#include "tests/bench/open_store.hpp"

#include "codec/records.hpp"
#include "tests/bench/measure.hpp"

namespace limpet::bench {

namespace {

constexpr uint64_t window = 1024;

void must(const Result<void>& result) {
  if (!result.ok()) fail(to_string(result.error()));
}

}  // namespace

OpenStore::OpenStore(const std::string& directory, uint64_t max_bytes, Duration linger) {
  const store::OpenOptions options{directory, max_bytes, true, "", Epoch(1)};
  auto opened =
      store::Store::open(options, {clock_, logger_, [this] { answers_.raise(); }, linger});
  if (!opened.ok()) fail(to_string(opened.error()));
  store_ = std::move(opened).value();
}

void OpenStore::append(const SampleEvent& event, std::function<void()> done) {
  must(store_->admit(codec::event_record_size(event.view()), store::Urgency::ingest));
  store::Change change = store_->begin();
  const Result<Sequence> sequence = change.append(event.view());
  if (!sequence.ok()) fail(to_string(sequence.error()));
  change.on_done([done = std::move(done)](const Result<void>& result) {
    must(result);
    done();
  });
  must(store_->submit(std::move(change)));
}

void fill_log(OpenStore& opened, const SampleEvent& event, uint64_t count) {
  uint64_t answered = 0;
  for (uint64_t given = 0; answered < count;) {
    for (; given < count && given - answered < window; ++given) {
      opened.append(event, [&answered] { ++answered; });
    }
    opened.answers().wait();
    opened.store().deliver();
  }
}

}  // namespace limpet::bench
