#include "tests/demo/follower.hpp"

#include <poll.h>

#include <utility>

namespace limpet::demo {

namespace {

constexpr int reconnect_ms = 10;

}  // namespace

Follower::Follower(std::string socket) : socket_(std::move(socket)), thread_([this] { run(); }) {}

Follower::~Follower() {
  stopping_ = true;
  thread_.join();
}

std::vector<testing::LogEvent> Follower::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(waiting_, {});
}

// Ends with the connection that breaks when the daemon ends.
void Follower::run() {
  uint64_t last = 0;
  while (!stopping_) {
    auto stream = testing::EventStream::open(socket_, last);
    if (!stream) {
      poll(nullptr, 0, reconnect_ms);
      continue;
    }
    while (auto event = stream->next()) {
      last = event->sequence;
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(*event));
    }
  }
}

}  // namespace limpet::demo
