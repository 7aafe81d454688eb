#pragma once

// Connection: a blocking TCP connection to a server on this machine, with what text protocols need.
// Owner: one producer or consumer. Thread: one; unblock() is [any]. A broken connection ends the
// program, unless it was unblocked. So does a silence of two minutes while something is awaited.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace limpet::bench {

class Connection {
 public:
  // Does somebody listen?
  [[nodiscard]] static bool reachable(uint16_t port);

  explicit Connection(uint16_t port);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void send(std::string_view bytes);
  // Without its CR LF; views live until the next call. Empty after unblock().
  [[nodiscard]] std::string_view read_line();
  [[nodiscard]] std::string_view read_bytes(size_t count);
  // Is there more than was read, so that reading would not wait?
  [[nodiscard]] bool has_more() const { return begin_ < buffer_.size(); }

  [[nodiscard]] bool has_more_like(std::string_view beginning) const {
    return std::string_view(buffer_).substr(begin_).starts_with(beginning);
  }

  // Ends every wait, now and later; ended() is true from then on. [any]
  void unblock();
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  [[nodiscard]] bool receive();

  int socket_;
  std::string buffer_;
  size_t begin_ = 0;  // of what is not read yet
  bool ended_ = false;
};

// A port that nobody listens on now.
[[nodiscard]] uint16_t free_port();

}  // namespace limpet::bench
