#pragma once

// Response: what answers a request; and problem documents (RFC 9457), the form of every refusal.
// Values that own their text. [any]

#include <string>
#include <string_view>
#include <vector>

#include "api/request.hpp"
#include "api/services.hpp"

namespace limpet::api {

inline constexpr std::string_view media_json = "application/json";
inline constexpr std::string_view media_problem = "application/problem+json";
inline constexpr std::string_view media_ndjson = "application/x-ndjson";
inline constexpr std::string_view media_cbor_sequence = "application/cbor-seq";
inline constexpr std::string_view media_sse = "text/event-stream";

struct Response {
  int status = 200;
  std::string_view content_type = media_json;  // a literal
  std::string body;
  std::vector<NameValue> headers;  // beyond those the server writes itself
};

// A problem of the HTTP layer: `name` ends its type URI ("header-too-large").
struct Problem {
  int status;
  std::string_view name;
  std::string detail;
  uint32_t retry_after_ms = 0;
};
[[nodiscard]] Response problem(const Problem& problem);

// A refusal of the house: status and name follow from its error's code; full and busy get a time to
// come back.
[[nodiscard]] Response problem(const Refusal& refusal);
// The same where that code has a name of its own ("stale-lease").
[[nodiscard]] Response problem(const Refusal& refusal, std::string_view name);

// 400 with one sentence.
[[nodiscard]] Response invalid(std::string detail);

// "Not Found" for 404; "" for what we never send. [any, no-alloc]
[[nodiscard]] std::string_view reason_phrase(int status);

// The first lines of a response, up to and with the empty one. Without a length the body is
// chunked, or ends with the connection for a client that cannot chunk.
struct HeadOptions {
  bool keep_alive = true;
  bool chunked = false;
  const size_t* body_bytes = nullptr;  // null: no Content-Length
};
[[nodiscard]] std::string response_head(const Response& response, const HeadOptions& options);

}  // namespace limpet::api
