#pragma once

// Book: what the demo knows by itself, outside of Limpet's store: the events that it sent and got
// acknowledged, and the lines in the notify plugin's file. At the end it is held against the log.
// Owner: the demo. [main]

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/support/daemon_client.hpp"

namespace limpet::demo {

struct Findings {
  size_t acknowledged = 0;
  size_t lost = 0;      // acknowledged, but not in the log, or under another sequence
  size_t doubled = 0;   // in the log more than once
  size_t effects = 0;   // lines in the file
  size_t repeated = 0;  // lines whose key was there already
  size_t missing = 0;   // calls reported done without a line
};

class Book {
 public:
  Book(std::string socket, std::string notices);

  // Sends one more note, or again the one that nobody acknowledged: with the same id.
  void send_note();
  // Is a line with that idempotency key in the file?
  [[nodiscard]] bool has_effect(const std::string& key) const;

  // Holds the log against the book. REQUIRES: all of the log.
  [[nodiscard]] Findings compare(const std::vector<testing::LogEvent>& log) const;

 private:
  [[nodiscard]] std::vector<std::string> effect_keys() const;

  testing::DaemonClient client_;
  const std::string notices_;
  uint64_t number_ = 1;
  bool sent_before_ = false;
  std::map<std::string, uint64_t> acknowledged_;  // id -> sequence; 0: a repeat was acknowledged
};

}  // namespace limpet::demo
