#include "tests/model/real_queues.hpp"

#include <thread>

#include "store/stopped_store.hpp"
#include "store/verify.hpp"

namespace limpet::testing {

namespace {

constexpr uint64_t store_bytes_max = uint64_t{4} << 20;
constexpr int settle_rounds_max = 100;

}  // namespace

std::string RealQueues::directory(unsigned number) const {
  return parent_.file(std::to_string(number));
}

std::string RealQueues::open(const std::vector<dispatch::QueueSettings>& settings) {
  store::OpenOptions options;
  options.directory = directory(number_);
  options.max_bytes = store_bytes_max;
  options.new_epoch = Epoch(42);
  auto opened = store::Store::open(options, {clock, logger, [this] { pass_gate(); }, Duration{}});
  if (!opened.ok()) return "the store does not open: " + to_string(opened.error());
  store = std::move(opened).value();
  queues = std::make_unique<dispatch::Queues>(
      dispatch::Queues::Wiring{*store, clock, "limpet/test", 7, {}, {}});
  queues->on_ready([this](std::string_view queue) { woken.emplace(queue); });
  const Result<void> loaded = queues->load(settings);
  if (!loaded.ok()) return "the queues do not load: " + to_string(loaded.error());
  return {};
}

void RealQueues::close() {
  release();
  queues.reset();
  store.reset();
  commits_passed_ = 0;
  settled.clear();
  buried.clear();
  woken.clear();
}

std::string RealQueues::close_and_verify() {
  close();
  auto stopped = store::StoppedStore::open(directory(number_), store::StoppedStore::Lock::take);
  if (!stopped.ok()) return "the closed store does not open: " + to_string(stopped.error());
  const store::VerifyReport report = store::verify(*stopped);
  if (report.good()) return {};
  if (report.first.empty()) return "doctor finds something";
  return "doctor: " + report.first.front().key + ": " + report.first.front().text;
}

void RealQueues::pass_gate() {
  std::unique_lock lock(mutex_);
  writer_waits_ = gate_closed_;
  moved_.notify_all();
  moved_.wait(lock, [this] { return !gate_closed_; });
  writer_waits_ = false;
  ++commits_passed_;
  moved_.notify_all();
}

void RealQueues::hold() {
  if (held_ || store == nullptr) return;
  held_ = true;
  {
    // The last commit was answered, but perhaps it has not come to the gate yet.
    const uint64_t commits = store->info().writer.commits;
    std::unique_lock lock(mutex_);
    moved_.wait(lock, [&] { return commits_passed_ >= commits; });
    gate_closed_ = true;
  }
  // One more change brings the writer to the gate.
  static_cast<void>(store->submit(store->begin()));
  {
    std::unique_lock lock(mutex_);
    moved_.wait(lock, [this] { return writer_waits_; });
  }
  store->deliver();
}

void RealQueues::release() {
  if (!held_) return;
  held_ = false;
  const std::lock_guard lock(mutex_);
  gate_closed_ = false;
  moved_.notify_all();
}

void RealQueues::commit_untold() {
  release();
  while (store->info().writer.pending_changes > 0) std::this_thread::yield();
}

std::string RealQueues::crash(const std::vector<dispatch::QueueSettings>& settings) {
  hold();
  const std::string from = directory(number_);
  const std::string to = directory(++number_);
  std::filesystem::create_directory(to);
  for (const char* name : {"/store.mdb", "/LIMPET-STORE"}) {
    std::filesystem::copy_file(from + name, to + name);
  }
  close();
  std::filesystem::remove_all(from);
  return open(settings);
}

std::string RealQueues::pump() {
  queues->deliver();
  while (true) {
    store::Change change = store->begin();
    const Result<size_t> done =
        queues->run_due(change, [this](const dispatch::Settled& one) -> Result<void> {
          settled.push_back(one);
          return {};
        });
    if (!done.ok()) return "what is due cannot be done: " + to_string(done.error());
    if (*done == 0) {
      queues->dropped();
      return {};
    }
    static_cast<void>(change.for_each([this](const store::Operation& operation) -> Result<void> {
      const auto dead = store::parse_dead_key(operation.key);
      if (dead && operation.kind == store::OperationKind::erase) buried.push_back(dead->value());
      return {};
    }));
    const Result<void> given = store->submit(std::move(change));
    if (!given.ok()) return "a change is refused: " + to_string(given.error());
    queues->submitted();
  }
}

void RealQueues::build_due_in_vain() {
  store->drain();
  queues->deliver();
  {
    store::Change change = store->begin();
    static_cast<void>(queues->run_due(change, nullptr));
  }
  queues->dropped();
}

uint64_t RealQueues::changes_given() const {
  const store::WriterStats stats = store->info().writer;
  return stats.changes + stats.pending_changes;
}

std::string RealQueues::settle() {
  for (int round = 0; round < settle_rounds_max; ++round) {
    store->drain();
    const uint64_t before = changes_given();
    const std::string fault = pump();
    if (!fault.empty()) return fault;
    if (const auto trouble = queues->trouble()) return "trouble: " + to_string(*trouble);
    if (const auto failure = store->failure()) return "the store: " + to_string(*failure);
    if (changes_given() == before) return {};
  }
  return "the queues never come to rest";
}

}  // namespace limpet::testing
