#include "cli/remote.hpp"

#include <cerrno>
#include <chrono>

#include "cli/item.hpp"
#include "codec/json.hpp"

namespace limpet::cli {

namespace {

Duration elapsed_since(std::chrono::steady_clock::time_point start) {
  const auto elapsed = std::chrono::steady_clock::now() - start;
  return nanoseconds(std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count());
}

}  // namespace

Remote::Remote(const Context& context) : context_(context), socket_(find_socket(context.globals)) {}

bool Remote::connect() {
  if (client_) return true;
  Result<HttpClient> connected = HttpClient::connect(socket_, request_wait);
  if (connected) {
    client_.emplace(std::move(connected).value());
    return true;
  }
  const Error& error = connected.error();
  if (error.system_error == ENOENT) {
    exit_ = fail(context_, "is limpet running? There is no socket at " + socket_ + ".");
  } else if (error.system_error == ECONNREFUSED) {
    exit_ = fail(context_, "is limpet running? Nobody listens on the socket at " + socket_ + ".");
  } else {
    exit_ = fail(context_, "cannot connect to " + socket_ + ": " + to_string(error) + ".");
  }
  return false;
}

void Remote::fail_with(const Error& error) {
  client_.reset();
  const bool waited = error.code == ErrorCode::timeout;
  exit_ = fail(context_, to_string(error), waited ? Exit::timeout : Exit::failed);
}

void Remote::refuse(const HttpResponse& response) {
  problem_ = response.body;
  const bool later = response.status == 429 || response.status == 503;
  exit_ = later ? Exit::retry_later : Exit::failed;
  std::string text = "status " + std::to_string(response.status);
  const codec::Explained<ByteVector> problem = codec::json_to_cbor(response.body);
  if (problem) {
    const std::string detail = display(member(*problem, "detail"));
    if (!detail.empty()) text = detail;
  }
  const std::string_view after = response.header("retry-after");
  if (later && !after.empty()) text.append(" Retry after ").append(after).append(" s.");
  fail(context_, text, exit_);
}

std::optional<std::string> Remote::call(const HttpRequest& request) {
  if (!connect()) return std::nullopt;
  Result<HttpResponse> response = client_->call(request);
  if (!response) {
    fail_with(response.error());
    return std::nullopt;
  }
  if (response->header("connection") == "close") client_.reset();
  if (response->status < 200 || response->status > 299) {
    refuse(*response);
    return std::nullopt;
  }
  return std::move(response->body);
}

std::optional<std::string> Remote::get(const std::string& target) {
  return call({"GET", target, {}, ""});
}

std::optional<std::string> Remote::post(const HttpRequest& request) { return call(request); }

// Asks, and reads the head of a good answer.
bool Remote::begin(const std::string& target, const std::string& accept) {
  if (!connect()) return false;
  const Result<void> sent = client_->send({"GET", target, {{"Accept", accept}}, ""});
  Result<HttpResponse> head = sent ? client_->read_head() : Result<HttpResponse>(sent.error());
  if (!head) return fail_with(head.error()), false;
  if (head->status == 200) return true;
  Result<HttpResponse> rest = client_->read_body(*head);
  refuse(rest ? *rest : *head);
  return false;
}

bool Remote::download(const std::string& target, const std::string& accept,
                      const PieceVisitor& visit) {
  if (!begin(target, accept)) return false;
  while (true) {
    Result<std::optional<std::string>> piece = client_->read_some();
    if (!piece) return fail_with(piece.error()), false;
    if (!*piece) return true;
    if (!visit(**piece)) return client_.reset(), true;
  }
}

bool Remote::stream(const std::string& target, Duration limit, const LineVisitor& visit) {
  const auto start = std::chrono::steady_clock::now();
  if (!begin(target, "application/x-ndjson")) return false;
  std::string text;
  while (true) {
    const size_t end = text.find('\n');
    if (end != std::string::npos) {
      const std::string line = text.substr(0, end);
      text.erase(0, end + 1);
      if (!line.empty() && !visit(line)) return client_.reset(), true;
      continue;
    }
    if (limit.ns > 0) {
      const Duration left = {limit.ns - elapsed_since(start).ns};
      if (left.ns <= 0) return fail_with({ErrorCode::timeout, "waiting took too long"}), false;
      client_->set_wait(std::min(left, request_wait));
    }
    Result<std::optional<std::string>> piece = client_->read_some();
    if (!piece) return fail_with(piece.error()), false;
    if (!*piece) return true;
    text.append(**piece);
  }
}

}  // namespace limpet::cli
