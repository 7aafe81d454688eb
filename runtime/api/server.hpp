#pragma once

// Server: the listening socket and its connections; knows HTTP, not what requests mean.
// Owner: the daemon, through Api. Thread: [main]. Fails at creation as loop::Listener does.
// Limits: connections_max served at once; up to refusals_max more are told 503 and to come back,
// and beyond that a connection is closed without a word; all are counted.

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "api/connection.hpp"
#include "base/result.hpp"
#include "loop/function.hpp"
#include "loop/listener.hpp"
#include "loop/loop.hpp"

namespace limpet::api {

struct ServerOptions {
  loop::UnixListenOptions socket;
  size_t connections_max = 64;
  size_t refusals_max = 16;
  size_t streams_max = 48;  // of the connections: those that only follow must leave room for others
  size_t bodies_bytes_max = 4 * 1024 * 1024;  // of all unfinished requests together
  ConnectionLimits limits;
};

class Server {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Server>> create(loop::Loop& loop,
                                                              ServerOptions options,
                                                              Handler handle);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // New events may be there: every waiting stream looks. [main]
  void wake();
  // Takes no new connections, ends streams, lets answers finish; `on_idle` runs once, when the last
  // connection is gone: at the latest after the limits' times. Never blocks. [main]
  void close(loop::Task on_idle);
  [[nodiscard]] ServerStats stats() const { return context_.stats; }

 private:
  Server(loop::Loop& loop, ServerOptions options, Handler handle);
  void accept(loop::Descriptor fd);
  void forget(Connection& connection);
  void report_idle();

  const ServerOptions options_;
  ConnectionContext context_;
  std::unique_ptr<loop::Listener> listener_;
  std::unordered_map<Connection*, std::shared_ptr<Connection>> connections_;
  // Gone, but perhaps still in their own callback: they go in the next round.
  std::vector<std::shared_ptr<Connection>> closed_;
  loop::Timer sweep_;
  bool closing_ = false;
  loop::Task on_idle_;
};

}  // namespace limpet::api
