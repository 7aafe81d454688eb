#pragma once

// Api: Limpet's HTTP interface on a Unix socket. See README.md for paths and limits.
// Owner: the daemon. Thread: [main]. Fails at creation as loop::Listener does; afterwards every
// failure is an answer to a client, and counted.

#include <memory>

#include "api/server.hpp"
#include "api/services.hpp"
#include "base/result.hpp"
#include "loop/loop.hpp"

namespace limpet::api {

class Api {
 public:
  // Listens at once. `services` outlives the Api. [main]
  [[nodiscard]] static Result<std::unique_ptr<Api>> create(loop::Loop& loop, Services& services,
                                                           ServerOptions options);
  // Drops what is open. Completions that Services still holds may come later; they go nowhere.
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  // Takes no new connections, lets answers finish, ends streams; then `on_idle`. [main]
  void close(loop::Task on_idle) { server_->close(std::move(on_idle)); }
  [[nodiscard]] ServerStats stats() const { return server_->stats(); }

 private:
  explicit Api(Services& services) : services_(services) {}
  void handle(Request request, Exchange exchange);

  Services& services_;
  std::unique_ptr<Server> server_;
};

}  // namespace limpet::api
