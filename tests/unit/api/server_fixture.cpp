#include "tests/unit/api/server_fixture.hpp"

#include <doctest/doctest.h>

#include <future>

namespace limpet::testing {

namespace {

constexpr Duration client_wait = seconds(10);

}  // namespace

ServerFixture::ServerFixture(const std::function<void(api::ServerOptions&)>& change) {
  socket = directory_.file("api.sock");
  auto loop = loop::Loop::create({});
  REQUIRE(loop);
  loop_ = std::move(loop).value();
  api::ServerOptions options;
  options.socket.path = socket;
  if (change) change(options);
  auto created = api::Api::create(*loop_, {services, &queues, &consumers}, options);
  REQUIRE(created);
  api = std::move(created).value();
  thread_ = std::thread([this] { loop_->run(); });
}

ServerFixture::~ServerFixture() {
  loop_->stop();
  thread_.join();
  api.reset();
}

cli::HttpClient ServerFixture::connect() const {
  auto client = cli::HttpClient::connect(socket, client_wait);
  REQUIRE(client);
  return std::move(client).value();
}

cli::HttpResponse ServerFixture::call(const cli::HttpRequest& request) const {
  cli::HttpClient client = connect();
  auto response = client.call(request);
  REQUIRE_MESSAGE(response.ok(), (response ? "" : to_string(response.error())));
  return std::move(response).value();
}

cli::HttpResponse ServerFixture::get(std::string target) const {
  return call({"GET", std::move(target), {}, ""});
}

cli::HttpResponse ServerFixture::post(std::string target, std::string body) const {
  return call({"POST", std::move(target), {{"Content-Type", "application/json"}}, std::move(body)});
}

std::string ServerFixture::expect(int status, std::string_view method, std::string target,
                                  std::string body) const {
  const cli::HttpResponse response =
      call({std::string(method), std::move(target), {}, std::move(body)});
  CHECK_MESSAGE(response.status == status, response.body);
  return response.body;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

void ServerFixture::on_loop(const std::function<void()>& work) const {
  std::promise<void> done;
  REQUIRE(loop_->post([&] {
    work();
    done.set_value();
  }));
  done.get_future().wait();
}

bool ServerFixture::eventually(const std::function<bool()>& condition) const {
  const BootTime end = loop::Loop::now() + client_wait;
  bool holds = false;
  while (!holds && loop::Loop::now() < end) {
    on_loop([&] { holds = condition(); });
    if (!holds) std::this_thread::yield();
  }
  return holds;
}

api::ServerStats ServerFixture::stats() const {
  api::ServerStats stats;
  on_loop([&] { stats = api->stats(); });
  return stats;
}

std::string read_until(cli::HttpClient& client, std::string_view separator, size_t pieces) {
  std::string text;
  const auto count = [&] {
    size_t found = 0;
    for (size_t at = text.find(separator); at != std::string::npos;
         at = text.find(separator, at + separator.size())) {
      ++found;
    }
    return found;
  };
  while (count() < pieces) {
    auto piece = client.read_some();
    REQUIRE_MESSAGE(piece.ok(), text);
    if (!*piece) break;
    text.append(**piece);
  }
  return text;
}

}  // namespace limpet::testing
