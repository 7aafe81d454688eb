#pragma once

// RequestParser: bytes in, one request out, within limits. The only part that knows the HTTP
// library.
// Owner: a connection. Thread: [main]. Fails by its state: `problem()` then says which status to
// answer; nothing more can be read from that connection.
// Limits: header_bytes_max for request line and headers together, header_count_max, body_bytes_max,
// and a budget that all parsers share: many half-sent bodies together are bounded too.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "api/request.hpp"
#include "api/response.hpp"
#include "base/bytes.hpp"

namespace limpet::api {

struct RequestLimits {
  size_t header_bytes_max = 16 * 1024;
  size_t header_count_max = 64;
  size_t body_bytes_max = 2 * 1024 * 1024;  // a batch of 1 MiB, written as JSON
};

// What the bodies of unfinished requests may hold together.
struct BodyBudget {
  size_t bytes_max = 4 * 1024 * 1024;
  size_t bytes_used = 0;
};

enum class ParseState : uint8_t {
  empty,     // not a byte of a request came
  head,      // in the middle of its head
  body,      // the head is complete, the body is not
  complete,  // take_request() now
  failed,
};

class RequestParser {
 public:
  // `budget` outlives the parser.
  RequestParser(const RequestLimits& limits, BodyBudget& budget);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // Takes bytes up to the end of the request; answers how many. What follows belongs to the next
  // one. REQUIRES: the state is neither complete nor failed.
  size_t feed(std::string_view bytes);

  [[nodiscard]] ParseState state() const;
  // The client waits for "100 Continue" before it sends the body; true once.
  [[nodiscard]] bool take_expects_continue();
  // What is known of the request so far. REQUIRES: body or complete. Lives until the next call.
  [[nodiscard]] const Request& head() const LIMPET_LIFETIMEBOUND;
  // The request; the parser is empty again. REQUIRES: complete.
  [[nodiscard]] Request take_request();
  // REQUIRES: failed.
  [[nodiscard]] const Problem& problem() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace limpet::api
