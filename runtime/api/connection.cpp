#include "api/connection.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/check.hpp"

namespace limpet::api {

namespace {

constexpr int pulls_per_round = 8;  // half a millisecond of other requests' time
constexpr uint32_t stream_retry_after_ms = 5000;

// Who is at the other end; a socket without credentials speaks for nobody.
std::string principal_of(const loop::Stream& stream) {
  const Result<loop::PeerCredentials> peer = stream.peer();
  return peer ? "uid:" + std::to_string(peer->uid) : "none";
}

std::string chunk_head(size_t size) {
  std::array<char, 18> text;
  char* const end = std::to_chars(text.data(), text.data() + 16, size, 16).ptr;
  return std::string(text.data(), end).append("\r\n");
}

}  // namespace

void Exchange::respond(Response response) const {
  if (const auto connection = connection_.lock()) connection->respond(number_, std::move(response));
}

void Exchange::respond(Response head, std::unique_ptr<BodySource> source) const {
  if (const auto connection = connection_.lock()) {
    connection->respond(number_, std::move(head), std::move(source));
  }
}

bool Exchange::watch(Watch watch) const {
  const auto connection = connection_.lock();
  return connection != nullptr && connection->watch(number_, std::move(watch));
}

Connection::Connection(ConnectionContext& context, std::unique_ptr<loop::Stream> stream,
                       const TokenTable* tokens)
    : context_(context),
      stream_(std::move(stream)),
      tokens_(tokens),
      principal_(tokens_ == nullptr ? principal_of(*stream_) : ""),
      admitted_(tokens_ == nullptr),
      parser_(context.limits.request, context.bodies),
      timer_(context.loop, [this] { on_time(); }),
      pump_timer_(context.loop, [this] { pump(); }) {
  ++context_.stats.open;
}

Connection::~Connection() {
  end_wait();
  tell_gone();
  --context_.stats.open;
}

void Connection::start() {
  const auto self = shared_from_this();
  loop::StreamCallbacks callbacks;
  callbacks.on_data = [this](ByteSpan bytes) { on_data(as_text(bytes)); };
  callbacks.on_drained = [this] { flush(); };
  callbacks.on_end = [this](loop::StreamEnd how) { on_end(how); };
  stream_->start(std::move(callbacks));
  if (phase_ == Phase::reading) wait_for(context_.limits.idle);
}

void Connection::refuse(const Problem& problem) {
  start();
  send_problem(problem);
}

void Connection::wait_for(Duration time) { timer_.arm_after(time); }

// What comes in --------------------------------------------------------------------------------

void Connection::on_data(std::string_view bytes) {
  const auto self = shared_from_this();
  if (phase_ == Phase::lingering) return;  // read and forgotten, so that the client can finish
  ahead_.append(bytes);
  read_requests();
}

void Connection::on_end(loop::StreamEnd how) {
  const auto self = shared_from_this();
  peer_finished_ = true;
  // Over TCP one that has gone looks the same: nothing more is given away to it.
  if (waiting_ && how == loop::StreamEnd::finished) tell_gone();
  // A client that only finished writing still waits for its answer.
  const bool waits = phase_ == Phase::handling || phase_ == Phase::sending ||
                     phase_ == Phase::streaming || stream_->waiting_bytes() > 0;
  if (how == loop::StreamEnd::failed || !waits) close();
}

// Takes requests from what is there, one at a time, as long as each is answered at once.
void Connection::read_requests() {
  if (reading_requests_) return;
  reading_requests_ = true;
  while (phase_ == Phase::reading && !ahead_.empty()) read_step();
  reading_requests_ = false;
  if (phase_ == Phase::closed || phase_ == Phase::lingering) return;
  if (ahead_.empty()) {
    stream_->resume_reading();
  } else {
    stream_->pause_reading();
  }
}

void Connection::read_step() {
  const bool was_empty = parser_.state() == ParseState::empty;
  ahead_.erase(0, parser_.feed(ahead_));
  const ParseState state = parser_.state();
  if (state == ParseState::failed) return send_problem(parser_.problem());
  const bool has_head = state == ParseState::body || state == ParseState::complete;
  if (has_head && !admitted_) admit_head();
  if (phase_ != Phase::reading) return;
  if (state == ParseState::complete) {
    handle_request();
  } else if (was_empty && state != ParseState::empty) {
    wait_for(context_.limits.request_time);
  }
  if (parser_.take_expects_continue()) {
    static_cast<void>(stream_->write(as_bytes("HTTP/1.1 100 Continue\r\n\r\n")));
  }
}

// Who sends the request whose head is there, by its token; one we do not know is refused.
void Connection::admit_head() {
  const std::string_view token = bearer_token(header(parser_.head(), "authorization"));
  if (const std::string* const name = tokens_->find(token)) {
    principal_ = "token:" + *name;
    admitted_ = true;
    return;
  }
  ++context_.stats.unauthorized;
  if (token.empty()) {
    return send_problem({401, "unauthorized", "Send `Authorization: Bearer TOKEN`."});
  }
  if (context_.stats.denying >= context_.denials_max) return close();
  ++context_.stats.denying;
  phase_ = Phase::denying;
  wait_for(context_.limits.denial);
}

void Connection::handle_request() {
  Request request = parser_.take_request();
  request.principal = principal_;
  admitted_ = tokens_ == nullptr;
  ++context_.stats.requests;
  ++number_;
  keep_alive_ = request.keep_alive;
  chunked_ = request.can_chunk;
  head_only_ = request.method == "HEAD";
  if (head_only_) request.method = "GET";
  phase_ = Phase::handling;
  timer_.cancel();  // the house answers in its own time, and always does
  context_.handle(std::move(request), Exchange(weak_from_this(), number_));
}

// What goes out --------------------------------------------------------------------------------

void Connection::respond(uint64_t number, Response response) {
  if (number != number_ || phase_ != Phase::handling) return;
  const auto self = shared_from_this();
  end_wait();
  keep_alive_ = keep_alive_ && !ending_ && !peer_finished_;
  const size_t body_bytes = response.body.size();
  phase_ = Phase::sending;
  send(response, HeadOptions{keep_alive_, false, &body_bytes});
}

void Connection::respond(uint64_t number, Response head, std::unique_ptr<BodySource> source) {
  if (number != number_ || phase_ != Phase::handling) return;
  if (context_.stats.streaming >= context_.streams_max) {
    ++context_.stats.streams_refused;
    return respond(
        number, problem(Problem{503, "busy", "Too many streams at once.", stream_retry_after_ms}));
  }
  const auto self = shared_from_this();
  // Without chunks, only closing tells the client where the body ends.
  keep_alive_ = keep_alive_ && !ending_ && !peer_finished_ && chunked_;
  source_finished_ = head_only_;
  source_ = std::move(source);
  head.body.clear();
  phase_ = Phase::streaming;
  ++context_.stats.streaming;
  send(head, HeadOptions{keep_alive_, chunked_, nullptr});
}

bool Connection::watch(uint64_t number, Watch watch) {
  if (number != number_ || phase_ != Phase::handling) return false;
  if (watch.waits && context_.stats.waiting >= context_.waits_max) {
    ++context_.stats.waits_refused;
    return false;
  }
  waiting_ = watch.waits;
  if (waiting_) ++context_.stats.waiting;
  on_gone_ = std::move(watch.on_gone);
  return true;
}

void Connection::end_wait() {
  if (std::exchange(waiting_, false)) --context_.stats.waiting;
}

void Connection::tell_gone() {
  if (const auto on_gone = std::exchange(on_gone_, nullptr)) on_gone();
}

void Connection::send_problem(const Problem& a_problem) {
  ++context_.stats.requests_refused;
  keep_alive_ = false;
  head_only_ = false;
  phase_ = Phase::sending;
  const Response response = problem(a_problem);
  const size_t body_bytes = response.body.size();
  send(response, HeadOptions{false, false, &body_bytes});
}

void Connection::send(const Response& response, const HeadOptions& options) {
  unsent_ = response_head(response, options);
  if (!head_only_) unsent_.append(response.body);
  unsent_begin_ = 0;
  flush();
}

// Moves what is unsent into the stream as far as that takes it. False: some is left, and the stall
// is timed.
bool Connection::write_unsent() {
  while (unsent_begin_ < unsent_.size()) {
    const size_t count = std::min(unsent_.size() - unsent_begin_, stream_->write_room());
    if (count == 0 ||
        !stream_->write(as_bytes(std::string_view(unsent_).substr(unsent_begin_, count)))) {
      wait_for(context_.limits.stall);
      return false;
    }
    unsent_begin_ += count;
  }
  unsent_ = std::string();
  unsent_begin_ = 0;
  return true;
}

// The same, and goes on when all is taken.
void Connection::flush() {
  const auto self = shared_from_this();
  if (!write_unsent()) return;
  const bool taken = stream_->waiting_bytes() == 0;
  if (phase_ == Phase::sending) {
    // What gives something away counts as taken when it has left this process.
    if (on_gone_ && !taken) return wait_for(context_.limits.stall);
    on_sent();
  } else if (phase_ == Phase::lingering && taken) {
    linger();
  } else if (phase_ == Phase::streaming && !taken) {
    wait_for(context_.limits.stall);
  } else if (phase_ == Phase::streaming && !pump_timer_.armed()) {
    // Not from here: a source that always has more must let others have their turn.
    pump_timer_.arm_after({});
  }
}

void Connection::wake() {
  const bool taken = unsent_.empty() && stream_->waiting_bytes() == 0;
  if (phase_ == Phase::streaming && taken && !pump_timer_.armed()) pump();
}

// Pulls from the source while the client takes what it gave.
void Connection::pump() {
  if (phase_ != Phase::streaming) return;
  const auto self = shared_from_this();
  for (int count = 0; count < pulls_per_round; ++count) {
    if (source_finished_) return on_sent();
    std::string piece;
    const Pull pulled = source_->pull(piece);
    if (pulled == Pull::failed) return close();
    source_finished_ = pulled == Pull::finished;
    append_piece(piece, pulled);
    if (!unsent_.empty()) {
      if (!write_unsent()) return;
      if (stream_->waiting_bytes() > 0) return wait_for(context_.limits.stall);
    }
    if (pulled == Pull::waiting) return wait_for_more();
  }
  pump_timer_.arm_after({});
}

// For a commit, the source's own time, or the time to show a sign of life.
void Connection::wait_for_more() {
  const std::optional<Duration> due = source_->due_in();
  pull_due_ = due && *due < context_.limits.heartbeat;
  wait_for(pull_due_ ? *due : context_.limits.heartbeat);
}

void Connection::append_piece(std::string_view piece, Pull pulled) {
  if (!chunked_) {
    unsent_.append(piece);
    return;
  }
  if (!piece.empty()) unsent_.append(chunk_head(piece.size())).append(piece).append("\r\n");
  if (pulled == Pull::finished) unsent_.append("0\r\n\r\n");
}

// The whole answer is with the stream.
void Connection::on_sent() {
  if (phase_ == Phase::streaming) --context_.stats.streaming;
  on_gone_ = nullptr;
  source_.reset();
  source_finished_ = false;
  if (keep_alive_ && !ending_ && !peer_finished_) {
    next_request();
  } else {
    linger();
  }
}

void Connection::next_request() {
  phase_ = Phase::reading;
  wait_for(context_.limits.idle);
  read_requests();
}

// Closing with unread input would break the connection before the client has read the answer: tell
// it that no more comes, and read on until it has finished, for a while.
void Connection::linger() {
  phase_ = Phase::lingering;
  ahead_ = std::string();
  stream_->finish_writing();
  const bool taken = stream_->waiting_bytes() == 0;
  if (peer_finished_ && taken) return close();
  stream_->resume_reading();
  wait_for(taken ? context_.limits.linger : context_.limits.stall);
}

// Time and the end ------------------------------------------------------------------------------

void Connection::on_time() {
  const auto self = shared_from_this();
  switch (phase_) {
    case Phase::reading:
      if (parser_.state() == ParseState::empty) {
        ++context_.stats.idle_closed;
        return close();
      }
      return send_problem({408, "timeout", "The request did not arrive in time."});
    case Phase::streaming:
      if (unsent_.empty() && stream_->waiting_bytes() == 0) {
        if (std::exchange(pull_due_, false)) return pump();
        append_piece(source_->heartbeat(), Pull::waiting);
        return flush();
      }
      [[fallthrough]];
    case Phase::sending: ++context_.stats.stalled_closed; return close();
    case Phase::denying:
      --context_.stats.denying;
      return send_problem({401, "unauthorized", "This token is not known here."});
    case Phase::handling:
    case Phase::lingering:
    case Phase::closed: return close();
  }
}

void Connection::close_soon() {
  const auto self = shared_from_this();
  ending_ = true;
  if (phase_ == Phase::reading || phase_ == Phase::denying) return close();
  if (waiting_) return tell_gone();
  if (phase_ != Phase::streaming || source_finished_) return;
  source_finished_ = true;
  const bool idle = unsent_.empty();
  append_piece({}, Pull::finished);
  if (idle) flush();
}

void Connection::close() {
  if (phase_ == Phase::closed) return;
  if (phase_ == Phase::streaming) --context_.stats.streaming;
  if (phase_ == Phase::denying) --context_.stats.denying;
  if (on_gone_ && phase_ == Phase::sending) ++context_.stats.answers_lost;
  phase_ = Phase::closed;
  end_wait();
  timer_.cancel();
  pump_timer_.cancel();
  source_.reset();
  stream_->close();
  context_.on_closed(*this);
  tell_gone();
}

}  // namespace limpet::api
