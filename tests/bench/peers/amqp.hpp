#pragma once

// AMQP 0-9-1 as far as one channel of a producer or a consumer needs it. Thread: one; unblock() is
// [any]. Whatever the server refuses ends the program.

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/bench/peers/connection.hpp"

namespace limpet::bench {

// The arguments of a method, or a header: integers are big-endian.
class AmqpWriter {
 public:
  AmqpWriter& u8(uint8_t value) { return number(value, 1); }
  AmqpWriter& u16(uint16_t value) { return number(value, 2); }
  AmqpWriter& u32(uint32_t value) { return number(value, 4); }
  AmqpWriter& u64(uint64_t value) { return number(value, 8); }
  AmqpWriter& short_text(std::string_view text);
  AmqpWriter& long_text(std::string_view text);
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  AmqpWriter& number(uint64_t value, int size);
  std::string bytes_;
};

// The number of `size` bytes at the front of `bytes`.
[[nodiscard]] uint64_t amqp_number(std::string_view bytes, size_t size);

enum class AmqpMethod : uint32_t {
  connection_start = 10 << 16 | 10,
  connection_start_ok = 10 << 16 | 11,
  connection_tune = 10 << 16 | 30,
  connection_tune_ok = 10 << 16 | 31,
  connection_open = 10 << 16 | 40,
  connection_open_ok = 10 << 16 | 41,
  connection_close = 10 << 16 | 50,
  channel_open = 20 << 16 | 10,
  channel_open_ok = 20 << 16 | 11,
  channel_close = 20 << 16 | 40,
  queue_declare = 50 << 16 | 10,
  queue_declare_ok = 50 << 16 | 11,
  basic_qos = 60 << 16 | 10,
  basic_qos_ok = 60 << 16 | 11,
  basic_consume = 60 << 16 | 20,
  basic_consume_ok = 60 << 16 | 21,
  basic_publish = 60 << 16 | 40,
  basic_deliver = 60 << 16 | 60,
  basic_ack = 60 << 16 | 80,
  confirm_select = 85 << 16 | 10,
  confirm_select_ok = 85 << 16 | 11,
};

class AmqpChannel {
 public:
  // Logs in as guest, which a server allows from this machine only, and opens channel 1.
  explicit AmqpChannel(uint16_t port);

  // Waits for `answer`; its arguments, which live until the next call.
  std::string_view call(AmqpMethod method, const AmqpWriter& arguments, AmqpMethod answer);

  // Gathered until flush().
  void add_method(AmqpMethod method, const AmqpWriter& arguments);
  void add_content(std::string_view body);  // persistent
  void flush();

  // The arguments of the next `method`; other frames, such as a message's content, are passed over.
  // Empty: it was unblocked.
  [[nodiscard]] std::string_view wait_for(AmqpMethod method);
  // The next frame of content, whole.
  [[nodiscard]] std::string_view wait_body();
  [[nodiscard]] bool has_more() const { return connection_.has_more(); }
  void unblock() { connection_.unblock(); }

 private:
  struct Frame {
    uint8_t type = 0;
    std::string_view payload;
  };
  [[nodiscard]] Frame read_frame();
  void add_frame(uint8_t type, std::string_view payload);
  void log_in();

  Connection connection_;
  std::string out_;
  uint16_t channel_ = 0;
};

}  // namespace limpet::bench
