#pragma once

// Server: the listening sockets and their connections; knows HTTP, not what requests mean.
// Owner: the daemon, through Api. Thread: [main]. Fails at creation as loop::Listener does.
// Limits: connections_max served at once, of them TcpOptions::connections_max over TCP, so that no
// network can lock out who is on this machine; up to refusals_max more of the socket's are told 503
// and to come back, and beyond that a connection is closed without a word; all are counted.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/connection.hpp"
#include "base/result.hpp"
#include "loop/function.hpp"
#include "loop/listener.hpp"
#include "loop/loop.hpp"

namespace limpet::api {

struct TcpOptions {
  loop::TcpListenOptions listen;
  TokenTable tokens;  // none: nobody is served
  size_t connections_max = 64;
};

struct ServerOptions {
  loop::UnixListenOptions socket;
  std::optional<TcpOptions> tcp;  // beside the socket
  size_t connections_max = 320;
  size_t refusals_max = 16;
  // Of the connections: those that only follow or wait must leave room for others.
  size_t streams_max = 48;
  size_t waits_max = 256;
  size_t denials_max = 16;  // wrong tokens that wait for their answer; beyond it: closed
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
  // Errors: unsupported (no TCP), io.
  [[nodiscard]] Result<uint16_t> tcp_port() const;

 private:
  Server(loop::Loop& loop, ServerOptions options, Handler handle);
  void accept(loop::Descriptor fd, const TokenTable* tokens);
  [[nodiscard]] bool room_for(const TokenTable* tokens) const;
  void forget(Connection& connection);
  void report_idle();

  const ServerOptions options_;
  ConnectionContext context_;
  std::unique_ptr<loop::Listener> listener_;
  std::unique_ptr<loop::Listener> tcp_listener_;  // none: the socket only
  size_t tcp_open_ = 0;                           // of connections_
  std::unordered_map<Connection*, std::shared_ptr<Connection>> connections_;
  // Gone, but perhaps still in their own callback: they go in the next round.
  std::vector<std::shared_ptr<Connection>> closed_;
  loop::Timer sweep_;
  bool closing_ = false;
  loop::Task on_idle_;
};

}  // namespace limpet::api
