#pragma once

// Timeline: tells the story line by line: what the log says, and what the demo does to the daemon.
// Owner: the demo. [main]

#include <cstdint>
#include <string>

#include "tests/support/daemon_client.hpp"

namespace limpet::demo {

class Timeline {
 public:
  // A line of the demo itself.
  void say(const std::string& text);
  // One event of the log. What is common and alike is shown for the first few only.
  void show(const testing::LogEvent& event);

  [[nodiscard]] uint64_t events() const { return events_; }

 private:
  [[nodiscard]] static std::string what(const testing::LogEvent& event);
  void flush_hidden();

  uint64_t events_ = 0;
  uint64_t common_ = 0;
  uint64_t hidden_ = 0;
};

}  // namespace limpet::demo
