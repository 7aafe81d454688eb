#include "api/server.hpp"

#include <utility>
#include <vector>

namespace limpet::api {

namespace {

constexpr uint32_t refused_retry_after_ms = 1000;

}  // namespace

Server::Server(loop::Loop& loop, ServerOptions options, Handler handle)
    : options_(std::move(options)),
      context_{loop,
               options_.limits,
               options_.streams_max,
               options_.waits_max,
               options_.denials_max,
               {options_.bodies_bytes_max, 0},
               {},
               std::move(handle),
               [this](Connection& connection) { forget(connection); }},
      sweep_(loop, [this] {
        closed_.clear();
        report_idle();
      }) {}

Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::create(loop::Loop& loop, ServerOptions options,
                                               Handler handle) {
  std::unique_ptr<Server> server(new Server(loop, std::move(options), std::move(handle)));
  Server* const self = server.get();
  LIMPET_TRY(self->listener_,
             loop::Listener::listen_unix(loop, self->options_.socket, [self](loop::Descriptor fd) {
               self->accept(std::move(fd), nullptr);
             }));
  if (!self->options_.tcp) return server;
  const TcpOptions& tcp = *self->options_.tcp;
  LIMPET_TRY(self->tcp_listener_,
             loop::Listener::listen_tcp(loop, tcp.listen, [self, &tcp](loop::Descriptor fd) {
               self->accept(std::move(fd), &tcp.tokens);
             }));
  return server;
}

Result<uint16_t> Server::tcp_port() const {
  if (!tcp_listener_) return Error{ErrorCode::unsupported, "api: no TCP"};
  return tcp_listener_->port();
}

bool Server::room_for(const TokenTable* tokens) const {
  if (tokens != nullptr && tcp_open_ >= options_.tcp->connections_max) return false;
  return connections_.size() < options_.connections_max;
}

void Server::accept(loop::Descriptor fd, const TokenTable* tokens) {
  ++context_.stats.connections;
  const size_t open = connections_.size();
  const bool refused = !room_for(tokens);
  // Over TCP without a word: who is refused has not said who it is, and must not fill the room.
  if (refused && tokens != nullptr) {
    ++context_.stats.connections_refused;
    return;
  }
  if (refused) ++context_.stats.connections_refused;
  if (open >= options_.connections_max + options_.refusals_max) return;
  Result<std::unique_ptr<loop::Stream>> stream =
      loop::Stream::create(context_.loop, std::move(fd), context_.limits.output_bytes_max);
  if (!stream) return;
  auto connection = std::make_shared<Connection>(context_, std::move(stream).value(), tokens);
  if (tokens != nullptr) ++tcp_open_;
  connections_.emplace(connection.get(), connection);
  if (refused) {
    connection->refuse({503, "busy", "Too many connections at once.", refused_retry_after_ms});
  } else {
    connection->start();
  }
}

void Server::forget(Connection& connection) {
  const auto found = connections_.find(&connection);
  if (found == connections_.end()) return;
  if (connection.over_tcp()) --tcp_open_;
  closed_.push_back(std::move(found->second));
  connections_.erase(found);
  sweep_.arm_after({});
}

void Server::wake() {
  // Copied: a connection that fails while it sends leaves the map.
  std::vector<std::shared_ptr<Connection>> awake;
  if (context_.stats.streaming == 0) return;
  for (const auto& [key, connection] : connections_) awake.push_back(connection);
  for (const auto& connection : awake) connection->wake();
}

void Server::close(loop::Task on_idle) {
  closing_ = true;
  on_idle_ = std::move(on_idle);
  listener_.reset();
  tcp_listener_.reset();
  std::vector<std::shared_ptr<Connection>> open;
  for (const auto& [key, connection] : connections_) open.push_back(connection);
  for (const auto& connection : open) connection->close_soon();
  sweep_.arm_after({});
}

void Server::report_idle() {
  if (!closing_ || !connections_.empty() || !on_idle_) return;
  loop::Task on_idle = std::move(on_idle_);
  on_idle();
}

}  // namespace limpet::api
