#include "cli/http_client.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

namespace limpet::cli {

namespace {

Error lost(int error) {
  const bool waited = error == EAGAIN || error == EWOULDBLOCK;
  return waited ? Error{ErrorCode::timeout, "http: wait for the server"}
                : Error{ErrorCode::io, "http: connection", error};
}

Error not_http() { return Error{ErrorCode::invalid, "http: the answer is not HTTP/1.1"}; }

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char character) {
    return character >= 'A' && character <= 'Z' ? static_cast<char>(character | 0x20) : character;
  });
  return result;
}

std::optional<size_t> parse_size(std::string_view text, int base) {
  size_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size, base);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return size;
}

std::optional<HttpHeader> parse_header(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view value = line.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  return HttpHeader{lower(line.substr(0, colon)), std::string(value)};
}

}  // namespace

std::string_view HttpResponse::header(std::string_view name) const {
  for (const HttpHeader& item : headers) {
    if (item.name == name) return item.value;
  }
  return {};
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  constexpr std::string_view plain = "-._~";
  std::string encoded;
  for (const char character : text) {
    const auto byte = static_cast<uint8_t>(character);
    const bool letter = (character >= 'a' && character <= 'z') ||
                        (character >= 'A' && character <= 'Z') ||
                        (character >= '0' && character <= '9');
    if (letter || plain.find(character) != std::string_view::npos) {
      encoded.push_back(character);
    } else {
      encoded.append("%").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
    }
  }
  return encoded;
}

HttpClient::HttpClient(HttpClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      buffer_(std::move(other.buffer_)),
      framing_(other.framing_),
      left_(other.left_),
      body_ended_(other.body_ended_) {}

HttpClient::~HttpClient() {
  if (fd_ >= 0) close(fd_);
}

Result<HttpClient> HttpClient::connect(const std::string& socket_path, Duration wait) {
  sockaddr_un address = {};
  if (socket_path.empty() || socket_path.size() >= sizeof address.sun_path) {
    return Error{ErrorCode::too_large, "http: a socket path has 1 to 107 bytes"};
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
  HttpClient client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (client.fd_ < 0) return Error{ErrorCode::io, "http: create a socket", errno};
  client.set_wait(wait);
  if (::connect(client.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Error{ErrorCode::io, "http: connect", errno};
  }
  return client;
}

void HttpClient::set_wait(Duration wait) {
  timeval time = {};
  time.tv_sec = static_cast<time_t>(wait.ns / 1000000000);
  time.tv_usec = static_cast<suseconds_t>(wait.ns % 1000000000 / 1000);
  // Zero would mean without end.
  if (wait.ns > 0 && time.tv_sec == 0 && time.tv_usec == 0) time.tv_usec = 1;
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

Result<void> HttpClient::send_raw(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return lost(errno);
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

void HttpClient::finish_sending() { shutdown(fd_, SHUT_WR); }

bool HttpClient::at_end() {
  if (!buffer_.empty()) return false;
  const Result<bool> received = receive();
  return !received || !*received;
}

Result<void> HttpClient::send(const HttpRequest& request) {
  std::string text = request.method + " " + request.target + " HTTP/1.1\r\nHost: limpet\r\n";
  for (const HttpHeader& item : request.headers) {
    text.append(item.name).append(": ").append(item.value).append("\r\n");
  }
  if (request.method != "GET" || !request.body.empty()) {
    text.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
  }
  text.append("\r\n").append(request.body);
  const Result<void> sent = send_raw(text);
  // A server that refuses early answers and closes while we still send: its answer tells why.
  if (!sent && sent.error().system_error != EPIPE) return sent;
  return {};
}

Result<bool> HttpClient::receive() {
  std::array<char, 16 * 1024> bytes;
  while (true) {
    const ssize_t count = recv(fd_, bytes.data(), bytes.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return lost(errno);
    buffer_.append(bytes.data(), static_cast<size_t>(count));
    return count > 0;
  }
}

Result<std::string> HttpClient::read_line() {
  size_t end = 0;
  while ((end = buffer_.find("\r\n")) == std::string::npos) {
    if (buffer_.size() > head_bytes_max) return Error{ErrorCode::too_large, "http: a long line"};
    LIMPET_TRY(const bool more, receive());
    if (!more) return Error{ErrorCode::io, "http: the server closed the connection"};
  }
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return line;
}

Result<HttpResponse> HttpClient::read_head() {
  HttpResponse head;
  LIMPET_TRY(const std::string status_line, read_line());
  if (status_line.rfind("HTTP/1.", 0) != 0 || status_line.size() < 12) return not_http();
  const std::optional<size_t> status = parse_size(std::string_view(status_line).substr(9, 3), 10);
  if (!status) return not_http();
  head.status = static_cast<int>(*status);
  size_t bytes = 0;
  while (true) {
    LIMPET_TRY(const std::string line, read_line());
    if (line.empty()) break;
    std::optional<HttpHeader> item = parse_header(line);
    bytes += line.size();
    if (!item || bytes > head_bytes_max) return not_http();
    head.headers.push_back(std::move(*item));
  }
  LIMPET_CHECK(read_framing(head));
  return head;
}

Result<void> HttpClient::read_framing(const HttpResponse& head) {
  left_ = 0;
  body_ended_ = head.status < 200 || head.status == 204;
  const std::string_view length = head.header("content-length");
  if (head.header("transfer-encoding") == "chunked") {
    framing_ = Framing::chunks;
  } else if (length.empty()) {
    framing_ = Framing::until_close;
  } else {
    framing_ = Framing::length;
    const std::optional<size_t> size = parse_size(length, 10);
    if (!size) return not_http();
    left_ = *size;
    if (left_ == 0) body_ended_ = true;
  }
  return {};
}

Result<std::optional<std::string>> HttpClient::read_some() {
  if (body_ended_) return std::optional<std::string>();
  if (framing_ == Framing::chunks && left_ == 0) {
    LIMPET_TRY(const std::string line, read_line());
    const std::optional<size_t> size = parse_size(line, 16);
    if (!size) return not_http();
    left_ = *size;
    if (left_ == 0) {
      LIMPET_CHECK(read_line());
      body_ended_ = true;
      return std::optional<std::string>();
    }
  }
  if (buffer_.empty()) {
    LIMPET_TRY(const bool more, receive());
    if (!more && framing_ == Framing::until_close) {
      body_ended_ = true;
      return std::optional<std::string>();
    }
    if (!more) return Error{ErrorCode::io, "http: the server closed the connection"};
  }
  if (framing_ == Framing::until_close) {
    return std::optional<std::string>(std::exchange(buffer_, std::string()));
  }
  const size_t count = std::min(left_, buffer_.size());
  std::string piece = buffer_.substr(0, count);
  buffer_.erase(0, count);
  left_ -= count;
  if (left_ == 0 && framing_ == Framing::length) body_ended_ = true;
  if (left_ == 0 && framing_ == Framing::chunks) LIMPET_CHECK(read_line());
  return std::optional<std::string>(std::move(piece));
}

Result<HttpResponse> HttpClient::read_response() {
  LIMPET_TRY(HttpResponse response, read_head());
  while (response.status < 200) {
    LIMPET_TRY(response, read_head());
  }
  return read_body(std::move(response));
}

Result<HttpResponse> HttpClient::read_body(HttpResponse response) {
  while (true) {
    LIMPET_TRY(std::optional<std::string> piece, read_some());
    if (!piece) return response;
    if (response.body.size() + piece->size() > response_bytes_max) {
      return Error{ErrorCode::too_large, "http: the answer"};
    }
    response.body.append(*piece);
  }
}

Result<HttpResponse> HttpClient::call(const HttpRequest& request) {
  LIMPET_CHECK(send(request));
  return read_response();
}

}  // namespace limpet::cli
