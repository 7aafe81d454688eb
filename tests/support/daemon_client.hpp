#pragma once

// What a client of the daemon does, for tests and the demo: JSON in, CBOR out, so that one reader
// serves all. Owner: the test. Thread: one. Every call is blocking and bounded.

#include <limpet/cpp/value.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "cli/http_client.hpp"
#include "tests/support/child_program.hpp"

namespace limpet::testing {

struct Answer {
  int status = 0;    // 0: no answer came
  std::string text;  // the body
  ByteVector body;   // the same as CBOR; empty if it was not JSON

  [[nodiscard]] sdk::View view() const { return sdk::View(as_text(body)); }
};

class DaemonClient {
 public:
  explicit DaemonClient(std::string socket) : socket_(std::move(socket)) {}

  // Waits until the daemon answers; false: it ended, or `limit` passed.
  [[nodiscard]] bool wait_ready(ChildProgram& daemon, Duration limit);

  [[nodiscard]] Answer get(const std::string& target) { return call({"GET", target, {}, ""}); }
  [[nodiscard]] Answer post(const std::string& target, const std::string& json) {
    return call({"POST", target, {{"Content-Type", "application/json"}}, json});
  }
  [[nodiscard]] Answer call(const cli::HttpRequest& request);

 private:
  const std::string socket_;
  std::optional<cli::HttpClient> client_;
};

// One event of an answer in NDJSON or of a stream.
struct LogEvent {
  uint64_t sequence = 0;
  ByteVector body;
  [[nodiscard]] sdk::View view() const { return sdk::View(as_text(body)); }
};

// The whole log, in the order in which it came; nullopt: no whole answer.
[[nodiscard]] std::optional<std::vector<LogEvent>> read_log(const std::string& socket,
                                                            const std::string& query);

// Follows /v1/events as server-sent events, from behind `after` on. A broken connection is taken up
// again by whoever owns it: construct another with the last sequence.
class EventStream {
 public:
  // nullopt: nobody answers.
  [[nodiscard]] static std::optional<EventStream> open(const std::string& socket, uint64_t after);

  // Waits for the next event; nullopt: the connection broke, or nothing came for a while.
  [[nodiscard]] std::optional<LogEvent> next();

 private:
  explicit EventStream(cli::HttpClient client) : client_(std::move(client)) {}
  cli::HttpClient client_;
  std::string text_;
};

// A member that may be a number or its text: sequences above 2^53 are text in JSON.
[[nodiscard]] uint64_t number_of(sdk::View item);

}  // namespace limpet::testing
