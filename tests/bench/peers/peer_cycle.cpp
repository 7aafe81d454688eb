#include "tests/bench/peers/peer_cycle.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include "tests/bench/cycle.hpp"
#include "tests/bench/signal.hpp"

namespace limpet::bench {

namespace {

constexpr uint64_t latency_samples_max = 2000;
constexpr uint64_t latency_ns_max = 1000000000;
constexpr uint64_t wall_ns_max = 4000000000;  // nothing is enqueued after that

constexpr std::chrono::seconds progress_wait_max{60};

// Consumers in their threads, from construction until the end of the scope.
class Consumers {
 public:
  Consumers(Peer& peer, unsigned count, unsigned prefetch) {
    for (unsigned index = 0; index < count; ++index) {
      consumers_.push_back(peer.consumer(prefetch));
    }
    for (const auto& consumer : consumers_) {
      threads_.emplace_back([this, one = consumer.get()] { run(*one); });
    }
  }
  ~Consumers() {
    for (const auto& consumer : consumers_) consumer->stop();
    for (std::thread& thread : threads_) thread.join();
  }
  Consumers(const Consumers&) = delete;
  Consumers& operator=(const Consumers&) = delete;

  void wait_finished(uint64_t count) {
    uint64_t seen = finished_.load();
    auto limit = std::chrono::steady_clock::now() + progress_wait_max;
    while (finished_.load() < count) {
      progress_.wait_until(limit);
      const auto now = std::chrono::steady_clock::now();
      if (finished_.load() != seen) {
        seen = finished_.load();
        limit = now + progress_wait_max;
      } else if (now >= limit) {
        fail("no task was finished for a minute");
      }
    }
  }

 private:
  void run(PeerConsumer& consumer) {
    while (const size_t taken = consumer.take()) {
      consumer.finish();
      finished_ += taken;
      progress_.raise();
    }
  }

  std::atomic<uint64_t> finished_{0};
  Signal progress_;
  std::vector<std::unique_ptr<PeerConsumer>> consumers_;
  std::vector<std::thread> threads_;
};

// Keeps the window full; answers how many were answered when time was up.
uint64_t produce(PeerProducer& producer, const PeerWork& work) {
  const std::string payload(work.payload, 'Z');
  const uint64_t end_ns = monotonic_ns() + wall_ns_max;
  uint64_t submitted = 0;
  uint64_t answered = 0;
  uint64_t wanted = work.count;
  while (answered < wanted) {
    if (monotonic_ns() > end_ns) wanted = submitted;
    for (; submitted < wanted && submitted - answered < work.window; ++submitted) {
      producer.submit(payload);
    }
    if (answered < submitted) answered += producer.wait_answers();
  }
  return answered;
}

std::vector<uint64_t> enqueue_alone(PeerProducer& producer, const PeerWork& work) {
  const std::string payload(work.payload, 'Z');
  std::vector<uint64_t> took;
  const uint64_t end_ns = monotonic_ns() + latency_ns_max;
  while (took.size() < std::min(work.count, latency_samples_max) && monotonic_ns() < end_ns) {
    const uint64_t start = monotonic_ns();
    producer.submit(payload);
    static_cast<void>(producer.wait_answers());
    took.push_back(monotonic_ns() - start);
  }
  return took;
}

}  // namespace

Figures measure_peer_cycle(Peer& peer, const PeerWork& work, const std::string& directory) {
  const std::unique_ptr<PeerProducer> producer = peer.producer();
  std::vector<uint64_t> took = enqueue_alone(*producer, work);
  // The same consumers take away what that left: a server may still give a task to one that has
  // just gone. It also tells the pace.
  PeerWork cycles = work;
  Consumers consumers(peer, work.workers, work.prefetch);
  const uint64_t start_ns = monotonic_ns();
  consumers.wait_finished(took.size());
  cycles.count = std::min(work.count, cycles_in_time(took.size(), monotonic_ns() - start_ns));
  const uint64_t device_before = device_written_bytes(directory);
  const ProcessUsage server_before = peer.usage();
  const Usage before = usage_now();
  const uint64_t produced = produce(*producer, cycles);
  consumers.wait_finished(took.size() + produced);
  const Usage used = usage_now() - before;
  const ProcessUsage server = peer.usage();
  const auto count = static_cast<double>(produced);
  const uint64_t device = device_written_bytes(directory) - device_before;
  const uint64_t cpu_ns = used.cpu_ns + server.cpu_ns - server_before.cpu_ns;
  const uint64_t written = used.dirtied_bytes + server.dirtied_bytes - server_before.dirtied_bytes;
  return {{"cycles", "1", count},
          {"cycles_per_s", "1/s", count * 1e9 / static_cast<double>(used.wall_ns)},
          {"enqueue_alone_p50", "us", static_cast<double>(percentile(took, 0.5)) / 1e3},
          {"enqueue_alone_p99", "us", static_cast<double>(percentile(took, 0.99)) / 1e3},
          {"cpu_per_1000_cycles", "s", static_cast<double>(cpu_ns) / 1e6 / count},
          {"written_per_cycle", "B", static_cast<double>(written) / count},
          {"device_per_cycle", "B", static_cast<double>(device) / count},
          {"memory_peak", "MiB", static_cast<double>(server.memory_peak_bytes) / (1024 * 1024)}};
}

Figures measure_peer_log(Peer& peer, const PeerWork& work) {
  const std::unique_ptr<PeerProducer> producer = peer.log_producer();
  if (producer == nullptr) return {};
  const uint64_t start = monotonic_ns();
  const uint64_t appended = produce(*producer, work);
  const uint64_t middle = monotonic_ns();
  if (peer.replay(appended) < appended * work.payload) fail("a payload is missing in the log");
  const uint64_t end = monotonic_ns();
  const auto count = static_cast<double>(appended);
  return {{"append_per_s", "1/s", count * 1e9 / static_cast<double>(middle - start)},
          {"replay_per_s", "1/s", count * 1e9 / static_cast<double>(end - middle)}};
}

}  // namespace limpet::bench
