#include "tests/support/daemon_client.hpp"

#include <poll.h>

#include <charconv>
#include <chrono>

#include "codec/json.hpp"

namespace limpet::testing {

namespace {

constexpr Duration answer_wait = seconds(20);
constexpr int ready_poll_ms = 3;

ByteVector to_cbor(std::string_view json) {
  auto parsed = codec::json_to_cbor(json);
  return parsed.ok() ? std::move(parsed).value() : ByteVector();
}

LogEvent to_event(std::string_view json) {
  LogEvent event;
  event.body = to_cbor(json);
  event.sequence = number_of(event.view()["sequence"]);
  return event;
}

}  // namespace

uint64_t number_of(sdk::View item) {
  const std::optional<std::string_view> text = item.text();
  if (!text) return item.uint_or(0);
  uint64_t value = 0;
  std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

bool DaemonClient::wait_ready(ChildProgram& daemon, Duration limit) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::nanoseconds(limit.ns);
  while (std::chrono::steady_clock::now() < end && daemon.running()) {
    client_.reset();
    if (get("/v1/status").status == 200) return true;
    poll(nullptr, 0, ready_poll_ms);
  }
  return false;
}

Answer DaemonClient::call(const cli::HttpRequest& request) {
  if (!client_) {
    auto connected = cli::HttpClient::connect(socket_, answer_wait);
    if (!connected.ok()) return {};
    client_.emplace(std::move(connected).value());
  }
  auto response = client_->call(request);
  if (!response.ok()) {
    client_.reset();
    return {};
  }
  if (response->header("connection") == "close") client_.reset();
  Answer answer{response->status, std::move(response->body), {}};
  answer.body = to_cbor(answer.text);
  return answer;
}

std::optional<std::vector<LogEvent>> read_log(const std::string& socket, const std::string& query) {
  auto client = cli::HttpClient::connect(socket, answer_wait);
  if (!client.ok()) return std::nullopt;
  auto response =
      client->call({"GET", "/v1/events" + query, {{"Accept", "application/x-ndjson"}}, ""});
  if (!response.ok() || response->status != 200) return std::nullopt;
  std::vector<LogEvent> events;
  std::string_view rest(response->body);
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    if (end > 0) events.push_back(to_event(rest.substr(0, end)));
    rest.remove_prefix(end + 1);
  }
  return events;
}

std::optional<EventStream> EventStream::open(const std::string& socket, uint64_t after) {
  auto client = cli::HttpClient::connect(socket, answer_wait);
  if (!client.ok()) return std::nullopt;
  const cli::HttpRequest request{
      "GET",
      "/v1/events",
      {{"Accept", "text/event-stream"}, {"Last-Event-ID", std::to_string(after)}},
      ""};
  if (!client->send(request).ok()) return std::nullopt;
  auto head = client->read_head();
  if (!head.ok() || head->status != 200) return std::nullopt;
  return EventStream(std::move(client).value());
}

std::optional<LogEvent> EventStream::next() {
  while (true) {
    const size_t end = text_.find("\n\n");
    if (end == std::string::npos) {
      auto piece = client_.read_some();
      if (!piece.ok() || !*piece) return std::nullopt;
      text_ += **piece;
      continue;
    }
    const std::string block = text_.substr(0, end + 1);
    text_.erase(0, end + 2);
    const size_t data = block.find("data:");
    if (data == std::string::npos) continue;  // a comment that keeps the connection alive
    const std::string_view json =
        std::string_view(block).substr(data + 5, block.find('\n', data) - data - 5);
    return to_event(json);
  }
}

}  // namespace limpet::testing
