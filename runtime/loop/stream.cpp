#include "loop/stream.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/check.hpp"

namespace limpet::loop {

namespace {

// A buffer that once was large is given back when it is empty: most connections never need one.
constexpr size_t buffer_bytes_kept = 4096;

// The peer has closed both directions, not only its writing side: nobody is left to write to.
bool hung_up(int fd) {
  pollfd probe = {fd, 0, 0};
  return poll(&probe, 1, 0) == 1 && (probe.revents & (POLLHUP | POLLERR)) != 0;
}

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

}  // namespace

struct Stream::State : std::enable_shared_from_this<Stream::State> {
  // Constant after start.
  size_t write_bytes_max = 0;
  StreamCallbacks callbacks;

  // Owned by main.
  Descriptor fd;
  std::unique_ptr<FdWatch> watch;  // none: closed
  ByteVector waiting;
  size_t waiting_begin = 0;  // what lies before it has been sent
  bool read_wanted = true;
  bool read_finished = false;
  bool write_finished = false;
  bool failed = false;

  [[nodiscard]] size_t waiting_bytes() const { return waiting.size() - waiting_begin; }
  void on_readable();
  void on_writable();
  [[nodiscard]] size_t send_some(ByteSpan bytes);
  void keep(ByteSpan bytes);
  void update_reading() { watch->want_readable(read_wanted && !read_finished && !failed); }
  void end(StreamEnd how);
  void close();
};

void Stream::State::on_readable() {
  const std::shared_ptr<State> self = shared_from_this();
  std::array<uint8_t, stream_read_bytes_max> buffer;
  const ssize_t count = recv(fd.get(), buffer.data(), buffer.size(), 0);
  if (count > 0) {
    callbacks.on_data(ByteSpan(buffer.data(), static_cast<size_t>(count)));
    return;
  }
  if (count < 0 && (would_block(errno) || errno == EINTR)) return;
  end(count == 0 && !hung_up(fd.get()) ? StreamEnd::finished : StreamEnd::failed);
}

void Stream::State::on_writable() {
  const std::shared_ptr<State> self = shared_from_this();
  waiting_begin += send_some(ByteSpan(waiting).subspan(waiting_begin));
  if (failed) {
    end(StreamEnd::failed);
    return;
  }
  if (waiting_bytes() > 0) return;
  watch->want_writable(false);
  waiting.clear();
  waiting_begin = 0;
  if (waiting.capacity() > buffer_bytes_kept) waiting = ByteVector();
  if (write_finished) shutdown(fd.get(), SHUT_WR);
  if (callbacks.on_drained) callbacks.on_drained();
}

// How much the peer took; sets `failed` when it is gone.
size_t Stream::State::send_some(ByteSpan bytes) {
  size_t sent = 0;
  while (sent < bytes.size() && !failed) {
    const ssize_t count =
        send(fd.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) {
      sent += static_cast<size_t>(count);
    } else if (would_block(errno)) {
      break;
    } else if (errno != EINTR) {
      failed = true;
    }
  }
  return sent;
}

void Stream::State::keep(ByteSpan bytes) {
  if (waiting_begin > 0) {
    waiting.erase(waiting.begin(), waiting.begin() + static_cast<ptrdiff_t>(waiting_begin));
    waiting_begin = 0;
  }
  waiting.insert(waiting.end(), bytes.begin(), bytes.end());
}

void Stream::State::end(StreamEnd how) {
  if (how == StreamEnd::finished) {
    read_finished = true;
    update_reading();
  } else {
    close();
  }
  callbacks.on_end(how);
}

void Stream::State::close() {
  watch.reset();
  fd.close();
  waiting = ByteVector();
  waiting_begin = 0;
}

Stream::Stream(std::shared_ptr<State> state) : state_(std::move(state)) {}
Stream::~Stream() { state_->close(); }

Result<std::unique_ptr<Stream>> Stream::create(Loop& loop, Descriptor fd, size_t write_bytes_max) {
  const int flags = fcntl(fd.get(), F_GETFL);
  if (flags < 0 || fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) < 0) {
    return Error{ErrorCode::io, "stream: make non-blocking", errno};
  }
  auto state = std::make_shared<State>();
  state->fd = std::move(fd);
  state->write_bytes_max = write_bytes_max;
  State* const raw = state.get();
  LIMPET_TRY(state->watch,
             FdWatch::create(loop, raw->fd.get(),
                             {[raw] { raw->on_readable(); }, [raw] { raw->on_writable(); }}));
  return std::unique_ptr<Stream>(new Stream(std::move(state)));
}

void Stream::start(StreamCallbacks callbacks) {
  LIMPET_ASSERT(!state_->callbacks.on_data && callbacks.on_data && callbacks.on_end);
  state_->callbacks = std::move(callbacks);
  if (!closed()) state_->update_reading();
}

bool Stream::write(ByteSpan bytes) {
  if (bytes.size() > write_room()) return false;
  State& state = *state_;
  const size_t sent = state.waiting_bytes() == 0 ? state.send_some(bytes) : 0;
  if (sent == bytes.size()) return true;
  state.keep(bytes.subspan(sent));
  // After a failure too: the callback then reports it, outside of the caller's call.
  state.watch->want_writable(true);
  return true;
}

size_t Stream::waiting_bytes() const { return state_->waiting_bytes(); }

size_t Stream::write_room() const {
  const State& state = *state_;
  if (closed() || state.failed || state.write_finished) return 0;
  return state.write_bytes_max - state.waiting_bytes();
}

void Stream::pause_reading() {
  state_->read_wanted = false;
  if (!closed()) state_->update_reading();
}

void Stream::resume_reading() {
  state_->read_wanted = true;
  if (!closed()) state_->update_reading();
}

void Stream::finish_writing() {
  if (closed() || state_->write_finished) return;
  state_->write_finished = true;
  if (state_->waiting_bytes() == 0) shutdown(state_->fd.get(), SHUT_WR);
}

void Stream::close() { state_->close(); }
bool Stream::closed() const { return state_->watch == nullptr; }

Result<PeerCredentials> Stream::peer() const {
  ucred credentials = {};
  socklen_t size = sizeof credentials;
  if (getsockopt(state_->fd.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0 ||
      credentials.pid == 0) {
    return Error{ErrorCode::unsupported, "stream: peer credentials", errno};
  }
  return PeerCredentials{credentials.uid, credentials.gid, credentials.pid};
}

Result<SocketPair> socket_pair() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
    return Error{ErrorCode::io, "stream: socket pair", errno};
  }
  return SocketPair{Descriptor(fds[0]), Descriptor(fds[1])};
}

}  // namespace limpet::loop
