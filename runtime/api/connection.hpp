#pragma once

// Connection: one client of the API: reads a request, has it handled, sends the answer, and so on,
// in order, until one side ends it.
// Owner: the server, by shared_ptr, because answers that come later refer to it weakly. Thread:
// [main].
// Fails quietly: a client that breaks the rules gets a problem document where that is still
// possible, and is closed; the server's counters say how often.
// Limits: ConnectionLimits; over TCP a request without a good token gets no further than its
// first 16 KiB. While a request is handled, at most one read (16 KiB) of what the
// client sends ahead is kept, and reading pauses.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/exchange.hpp"
#include "api/request_parser.hpp"
#include "api/tokens.hpp"
#include "base/time.hpp"
#include "loop/stream.hpp"
#include "loop/timer.hpp"

namespace limpet::api {

struct ConnectionLimits {
  RequestLimits request;
  size_t output_bytes_max = 64 * 1024;  // written, not taken by the client
  Duration idle = seconds(60);          // between requests: closed
  Duration request_time = seconds(30);  // from its first byte to its last: 408
  Duration stall = seconds(120);        // the client takes nothing: closed
  Duration heartbeat = seconds(15);     // of a stream without events
  Duration linger = seconds(2);         // after a refusal, for the client to read it
  Duration denial = milliseconds(500);  // from a wrong token to its answer, against guessing
};

struct ServerStats {
  uint64_t connections = 0;          // accepted since the start
  uint64_t connections_refused = 0;  // over the limit: 503
  uint64_t requests = 0;
  uint64_t requests_refused = 0;  // not HTTP, too large, too slow
  uint64_t idle_closed = 0;
  uint64_t stalled_closed = 0;
  uint64_t streams_refused = 0;  // over the limit: 503
  uint64_t waits_refused = 0;    // over the limit: 503
  uint64_t unauthorized = 0;     // over TCP, without a token or with a wrong one: 401
  uint64_t answers_lost = 0;     // the client went away before it had what it was given
  size_t open = 0;
  size_t streaming = 0;
  size_t waiting = 0;  // long polls
  size_t denying = 0;  // wrong tokens whose answer is held back
};

// What all connections of a server share; outlives them.
struct ConnectionContext {
  loop::Loop& loop;
  ConnectionLimits limits;
  size_t streams_max;
  size_t waits_max;
  size_t denials_max;
  BodyBudget bodies;
  ServerStats stats;
  Handler handle;
  std::function<void(Connection&)> on_closed;  // the server forgets it, later in the round
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // `tokens`, which outlive it: every request must carry one of these. Null: the kernel says who it
  // is.
  Connection(ConnectionContext& context, std::unique_ptr<loop::Stream> stream,
             const TokenTable* tokens);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Begins to serve. [main]
  void start();
  // Answers `problem` whatever the client asks, and ends. [main]
  void refuse(const Problem& problem);
  // New events may be there. [main]
  void wake();
  // Finishes what is being handled or sent, ends a stream or a wait, then closes. [main]
  void close_soon();

  // For Exchange. An answer to another request than the open one is dropped.
  void respond(uint64_t number, Response response);
  void respond(uint64_t number, Response head, std::unique_ptr<BodySource> source);
  [[nodiscard]] bool watch(uint64_t number, Watch watch);

  [[nodiscard]] bool over_tcp() const { return tokens_ != nullptr; }

 private:
  enum class Phase : uint8_t {
    reading,
    denying,  // a wrong token; its answer is held back
    handling,
    sending,
    streaming,
    lingering,
    closed
  };

  void on_data(std::string_view bytes);
  void on_end(loop::StreamEnd how);
  void on_time();
  void read_requests();
  void read_step();
  void admit_head();
  void handle_request();
  void send_problem(const Problem& problem);
  void send(const Response& response, const HeadOptions& options);
  [[nodiscard]] bool write_unsent();
  void flush();
  void pump();
  void wait_for_more();
  void append_piece(std::string_view piece, Pull pulled);
  void on_sent();
  void next_request();
  void end_wait();
  void tell_gone();
  void linger();
  void wait_for(Duration time);
  void close();

  ConnectionContext& context_;
  std::unique_ptr<loop::Stream> stream_;
  const TokenTable* const tokens_;
  std::string principal_;  // over TCP: of the open request
  bool admitted_;          // over TCP: the head of the open request had a good token
  RequestParser parser_;
  Phase phase_ = Phase::reading;
  std::string ahead_;    // what the client sent before its turn
  uint64_t number_ = 0;  // of the open request
  bool reading_requests_ = false;
  bool keep_alive_ = true;
  bool ending_ = false;  // close after this answer
  bool peer_finished_ = false;
  bool waiting_ = false;  // the open request counts into waits_max
  std::function<void()> on_gone_;
  std::string unsent_;  // beyond the stream's buffer: the rest of a body
  size_t unsent_begin_ = 0;
  std::unique_ptr<BodySource> source_;
  bool chunked_ = false;
  bool head_only_ = false;
  bool source_finished_ = false;
  bool pull_due_ = false;   // what timer_ waits for while streaming is the source
  loop::Timer timer_;       // idle, request, denial, stall, heartbeat or linger, as the phase says
  loop::Timer pump_timer_;  // goes on pulling in the next round
};

}  // namespace limpet::api
