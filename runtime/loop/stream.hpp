#pragma once

// Stream: bytes both ways over a connected socket: Unix, TCP, or a socket pair to a child.
// Owner: whoever speaks the protocol. Thread: [main]. May be closed or destroyed in its own
// callbacks.
// Fails by on_end(failed), once; after that nothing is called any more.
// Limits: what the peer does not take waits in one buffer of write_bytes_max; at the limit write()
// answers false and takes nothing. Reading goes through one buffer on the stack of the callback,
// so a connection that only waits costs no buffer at all.

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "loop/descriptor.hpp"
#include "loop/fd_watch.hpp"
#include "loop/function.hpp"
#include "loop/loop.hpp"

namespace limpet::loop {

inline constexpr size_t stream_read_bytes_max = 16 * 1024;  // handed to on_data at once

enum class StreamEnd : uint8_t {
  finished,  // the peer sends no more; writing still works
  failed,    // the connection is gone; what was not sent is lost
};

struct StreamCallbacks {
  UniqueFunction<void(ByteSpan)> on_data;  // the bytes live for the call
  Task on_drained;                         // all that waited has been taken by the peer
  UniqueFunction<void(StreamEnd)> on_end;
};

struct PeerCredentials {
  uid_t uid;
  gid_t gid;
  pid_t pid;
};

class Stream {
 public:
  // Takes `fd` over; it becomes non-blocking. Nothing is read before start(). Errors: io. [main]
  [[nodiscard]] static Result<std::unique_ptr<Stream>> create(Loop& loop, Descriptor fd,
                                                              size_t write_bytes_max);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Begins to read and to call back. REQUIRES: on_data and on_end are set; called once. [main]
  void start(StreamCallbacks callbacks);

  // Sends, or keeps what the peer does not take yet. False: it would not fit, or the stream is
  // closed; nothing was taken. A peer that has gone away is reported by on_end, later. [main]
  [[nodiscard]] bool write(ByteSpan bytes);
  [[nodiscard]] size_t waiting_bytes() const;  // written, not taken yet
  [[nodiscard]] size_t write_room() const;     // what write() would take now

  // While paused, nothing is read and the peer feels it; data already handed over stays handed
  // over.
  void pause_reading();
  void resume_reading();

  // Tells the peer, once all that waits is sent, that no more will come. write() answers false from
  // now on; reading goes on. [main]
  void finish_writing();
  // Closes now, what waits is lost; no callback comes any more. [main, no-alloc]
  void close();
  [[nodiscard]] bool closed() const;

  // Who is at the other end, as the kernel says. Errors: unsupported (not a Unix socket). [main]
  [[nodiscard]] Result<PeerCredentials> peer() const;

 private:
  struct State;
  explicit Stream(std::shared_ptr<State> state);

  // Shared with the callback that is running: it may destroy the stream.
  std::shared_ptr<State> state_;
};

// The two ends of a new socket pair, for a child or a test. Errors: io. [any]
struct SocketPair {
  Descriptor ours;
  Descriptor theirs;
};
[[nodiscard]] Result<SocketPair> socket_pair();

}  // namespace limpet::loop
