#pragma once

// Peer: a queue that others make, as a server of its own, measured with the cycle that Limpet is
// measured with. Each producer and consumer has a connection of its own and is used by one thread.
// Failures after the start end the program; servers die with it.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/process_usage.hpp"

namespace limpet::bench {

class PeerProducer {
 public:
  virtual ~PeerProducer() = default;
  virtual void submit(std::string_view payload) = 0;
  // Sends what was submitted, waits for at least one answer; says how many came.
  virtual size_t wait_answers() = 0;
};

class PeerConsumer {
 public:
  virtual ~PeerConsumer() = default;
  // Waits for at least one task and takes at most its prefetch; 0: it was stopped.
  virtual size_t take() = 0;
  // Acknowledges what was taken, and waits for the answers, if the protocol has any.
  virtual void finish() = 0;
  // Ends a take() that waits. [any]
  virtual void stop() = 0;
};

class Peer {
 public:
  virtual ~Peer() = default;
  // Empty: it serves. Otherwise why it does not.
  [[nodiscard]] virtual std::string start(const std::string& directory) = 0;
  [[nodiscard]] virtual ProcessUsage usage() const = 0;
  [[nodiscard]] virtual std::unique_ptr<PeerProducer> producer() = 0;
  [[nodiscard]] virtual std::unique_ptr<PeerConsumer> consumer(unsigned prefetch) = 0;

  // The same as a log: appended to, read back from the start. nullptr and 0: it is none.
  [[nodiscard]] virtual std::unique_ptr<PeerProducer> log_producer() { return nullptr; }
  // Reads `count` entries; answers the bytes of their payloads.
  [[nodiscard]] virtual uint64_t replay(uint64_t) { return 0; }
};

struct PeerEntry {
  const char* name;
  const char* sync;  // what is on disk before an answer
  std::unique_ptr<Peer> (*make)();
};
[[nodiscard]] const std::vector<PeerEntry>& peers();

[[nodiscard]] std::unique_ptr<Peer> make_redis();
[[nodiscard]] std::unique_ptr<Peer> make_rabbitmq();
[[nodiscard]] std::unique_ptr<Peer> make_beanstalkd();
[[nodiscard]] std::unique_ptr<Peer> make_nats();

}  // namespace limpet::bench
