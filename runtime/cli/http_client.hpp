#pragma once

// HttpClient: a small blocking HTTP/1.1 client over a Unix socket: what the verbs and the tests
// need.
// Owner: the caller. Thread: one at a time; every call is blocking. Fails with: io (nobody listens,
// connection lost), timeout, too_large (the answer's head), invalid (not HTTP), too_large.
// Limits: head_bytes_max; a whole body of response_bytes_max; longer ones are read piece by piece.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace limpet::cli {

inline constexpr size_t head_bytes_max = 32 * 1024;
inline constexpr size_t response_bytes_max = 64 * 1024 * 1024;

struct HttpHeader {
  std::string name;  // in lower case when it comes from the server
  std::string value;
};

struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";
  std::vector<HttpHeader> headers;
  std::string body;
};

struct HttpResponse {
  int status = 0;
  std::vector<HttpHeader> headers;
  std::string body;

  // The first of that name, or "".
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

class HttpClient {
 public:
  // `wait` bounds each wait for the other side, not the whole. Zero: without end.
  [[nodiscard]] static Result<HttpClient> connect(const std::string& socket_path, Duration wait);
  HttpClient(HttpClient&& other) noexcept;
  HttpClient& operator=(HttpClient&& other) = delete;
  ~HttpClient();

  // One request and its whole answer.
  [[nodiscard]] Result<HttpResponse> call(const HttpRequest& request);

  // The same in pieces: send, then the head, then the body until read_some says nullopt.
  [[nodiscard]] Result<void> send(const HttpRequest& request);
  [[nodiscard]] Result<HttpResponse> read_head();
  [[nodiscard]] Result<std::optional<std::string>> read_some();
  // The head of an answer, and the rest of it.
  [[nodiscard]] Result<HttpResponse> read_response();
  [[nodiscard]] Result<HttpResponse> read_body(HttpResponse head);
  void set_wait(Duration wait);

  // For tests: bytes as they are; no more will be sent; has the server closed?
  [[nodiscard]] Result<void> send_raw(std::string_view bytes);
  void finish_sending();
  [[nodiscard]] bool at_end();

 private:
  enum class Framing : uint8_t { length, chunks, until_close };

  explicit HttpClient(int fd) : fd_(fd) {}
  [[nodiscard]] Result<bool> receive();  // false: the server has closed
  [[nodiscard]] Result<std::string> read_line();
  [[nodiscard]] Result<void> read_framing(const HttpResponse& head);

  int fd_;
  std::string buffer_;  // received, not yet taken
  Framing framing_ = Framing::length;
  size_t left_ = 0;  // of the body, or of the current chunk
  bool body_ended_ = true;
};

// `text` as a part of a path or query: everything but letters, digits and -._~ becomes %XX.
[[nodiscard]] std::string percent_encode(std::string_view text);

}  // namespace limpet::cli
