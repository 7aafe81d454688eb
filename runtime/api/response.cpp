#include "api/response.hpp"

#include <algorithm>
#include <array>

#include "api/json_writer.hpp"

namespace limpet::api {

namespace {

constexpr uint32_t retry_after_ms_default = 1000;

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid: return 400;
    case ErrorCode::too_large: return 413;
    case ErrorCode::not_found: return 404;
    case ErrorCode::exists:
    case ErrorCode::conflict: return 409;
    case ErrorCode::full:
    case ErrorCode::busy: return 429;
    case ErrorCode::denied: return 403;
    case ErrorCode::unsupported: return 501;
    case ErrorCode::closed:
    case ErrorCode::io: return 503;
    case ErrorCode::timeout: return 504;
    case ErrorCode::plugin: return 502;
    case ErrorCode::corrupt:
    case ErrorCode::internal: return 500;
  }
  return 500;
}

struct Phrase {
  int status;
  std::string_view text;
};
constexpr std::array<Phrase, 23> phrases = {{{200, "OK"},
                                             {202, "Accepted"},
                                             {204, "No Content"},
                                             {400, "Bad Request"},
                                             {401, "Unauthorized"},
                                             {403, "Forbidden"},
                                             {404, "Not Found"},
                                             {405, "Method Not Allowed"},
                                             {406, "Not Acceptable"},
                                             {408, "Request Timeout"},
                                             {409, "Conflict"},
                                             {413, "Content Too Large"},
                                             {415, "Unsupported Media Type"},
                                             {417, "Expectation Failed"},
                                             {429, "Too Many Requests"},
                                             {431, "Request Header Fields Too Large"},
                                             {500, "Internal Server Error"},
                                             {501, "Not Implemented"},
                                             {502, "Bad Gateway"},
                                             {503, "Service Unavailable"},
                                             {504, "Gateway Timeout"},
                                             {505, "HTTP Version Not Supported"},
                                             {507, "Insufficient Storage"}}};

}  // namespace

std::string_view reason_phrase(int status) {
  const auto found = std::find_if(phrases.begin(), phrases.end(),
                                  [status](const Phrase& item) { return item.status == status; });
  return found == phrases.end() ? std::string_view() : found->text;
}

Response problem(const Problem& problem) {
  Response response;
  response.status = problem.status;
  response.content_type = media_problem;
  JsonObject document(response.body);
  document.text("type", std::string("https://limpet.invalid/problems/").append(problem.name));
  document.text("title", reason_phrase(problem.status));
  document.number("status", static_cast<uint64_t>(problem.status));
  document.text("detail", problem.detail);
  if (problem.retry_after_ms > 0) {
    document.number("retry_after_ms", problem.retry_after_ms);
    const uint64_t seconds = (uint64_t{problem.retry_after_ms} + 999) / 1000;
    response.headers.push_back({"Retry-After", std::to_string(seconds)});
  }
  if (problem.status == 401) response.headers.push_back({"WWW-Authenticate", "Bearer"});
  document.end();
  return response;
}

Response problem(const Refusal& refusal) {
  return problem(refusal, error_name(refusal.error.code));
}

Response problem(const Refusal& refusal, std::string_view name) {
  const ErrorCode code = refusal.error.code;
  const int status = status_of(code);
  uint32_t retry_after_ms = refusal.retry_after_ms;
  if (retry_after_ms == 0 && (status == 429 || status == 503)) {
    retry_after_ms = retry_after_ms_default;
  }
  std::string detail = refusal.detail;
  if (detail.empty()) detail = to_string(refusal.error) + "; " + std::string(error_advice(code));
  return problem(Problem{status, name, std::move(detail), retry_after_ms});
}

Response invalid(std::string detail) {
  return problem(Problem{400, error_name(ErrorCode::invalid), std::move(detail)});
}

std::string response_head(const Response& response, const HeadOptions& options) {
  std::string head = "HTTP/1.1 ";
  head.append(std::to_string(response.status)).append(" ");
  head.append(reason_phrase(response.status)).append("\r\nContent-Type: ");
  head.append(response.content_type).append("\r\n");
  if (options.body_bytes != nullptr) {
    head.append("Content-Length: ").append(std::to_string(*options.body_bytes)).append("\r\n");
  }
  if (options.chunked) head.append("Transfer-Encoding: chunked\r\n");
  // Nothing here may be kept by a cache in between, and every answer is of this moment.
  head.append("Cache-Control: no-store\r\n");
  for (const NameValue& item : response.headers) {
    head.append(item.name).append(": ").append(item.value).append("\r\n");
  }
  head.append(options.keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
  return head;
}

}  // namespace limpet::api
