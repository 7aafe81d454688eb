#pragma once

// Api: Limpet's HTTP interface on a Unix socket, and over TCP if asked. See README.md for limits.
// Owner: the daemon. Thread: [main]. Fails at creation as loop::Listener does; afterwards every
// failure is an answer to a client, and counted.

#include <memory>

#include "api/server.hpp"
#include "api/service_set.hpp"
#include "base/result.hpp"
#include "loop/loop.hpp"

namespace limpet::api {

class Api {
 public:
  // Listens at once. The services outlive the Api. [main]
  [[nodiscard]] static Result<std::unique_ptr<Api>> create(loop::Loop& loop, ServiceSet services,
                                                           ServerOptions options);
  // Drops what is open. Completions that Services still holds may come later; they go nowhere.
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  // Takes no new connections, lets answers finish, ends streams; then `on_idle`. [main]
  void close(loop::Task on_idle) { server_->close(std::move(on_idle)); }
  [[nodiscard]] ServerStats stats() const { return server_->stats(); }
  // Errors: unsupported (no TCP), io. [main]
  [[nodiscard]] Result<uint16_t> tcp_port() const { return server_->tcp_port(); }

 private:
  explicit Api(ServiceSet services) : services_(services) {}
  void handle(Request request, Exchange exchange);

  const ServiceSet services_;
  std::unique_ptr<Server> server_;
};

}  // namespace limpet::api
