#pragma once

// ServerFixture: the API over FakeServices on a thread of its own, with a socket in a temporary
// directory, so that the test is a blocking client like any other.

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "api/api.hpp"
#include "cli/http_client.hpp"
#include "loop/loop.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/api/fake_consumers.hpp"
#include "tests/unit/api/fake_queues.hpp"
#include "tests/unit/api/fake_services.hpp"

namespace limpet::testing {

class ServerFixture {
 public:
  // `change` may alter the options before the server starts.
  explicit ServerFixture(const std::function<void(api::ServerOptions&)>& change = nullptr);
  ~ServerFixture();

  [[nodiscard]] cli::HttpClient connect() const;
  // One request on a connection of its own.
  [[nodiscard]] cli::HttpResponse call(const cli::HttpRequest& request) const;
  [[nodiscard]] cli::HttpResponse get(std::string target) const;
  [[nodiscard]] cli::HttpResponse post(std::string target, std::string body) const;
  // The same of a method and body; checks the status and answers the body.
  [[nodiscard]] std::string expect(int status, std::string_view method, std::string target,
                                   std::string body = "") const;

  // Runs `work` on the loop's thread and waits for it.
  void on_loop(const std::function<void()>& work) const;
  // Waits until `condition`, asked on the loop's thread, holds; false: it did not within 10 s.
  [[nodiscard]] bool eventually(const std::function<bool()>& condition) const;
  [[nodiscard]] api::ServerStats stats() const;

  std::string socket;
  FakeServices services;
  FakeQueues queues;
  FakeConsumers consumers;
  std::unique_ptr<api::Api> api;  // on_loop only

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<loop::Loop> loop_;
  std::thread thread_;
};

[[nodiscard]] bool contains(const std::string& text, std::string_view part);

// The whole of a stream's body so far, read until `pieces` of the text `separator` have come.
[[nodiscard]] std::string read_until(cli::HttpClient& client, std::string_view separator,
                                     size_t pieces);

}  // namespace limpet::testing
