#include "tests/bench/peers/amqp.hpp"

#include "tests/bench/measure.hpp"

namespace limpet::bench {

namespace {

constexpr uint8_t frame_method = 1;
constexpr uint8_t frame_header = 2;
constexpr uint8_t frame_body = 3;
constexpr size_t frame_head_bytes = 7;
constexpr char frame_end = '\xce';
constexpr uint16_t class_basic = 60;
constexpr uint16_t flag_delivery_mode = 0x1000;
constexpr uint8_t persistent = 2;
constexpr uint32_t frame_bytes_max = 131072;

}  // namespace

AmqpWriter& AmqpWriter::number(uint64_t value, int size) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) {
    bytes_ += static_cast<char>(static_cast<uint8_t>(value >> shift));
  }
  return *this;
}

AmqpWriter& AmqpWriter::short_text(std::string_view text) {
  u8(static_cast<uint8_t>(text.size()));
  bytes_ += text;
  return *this;
}

AmqpWriter& AmqpWriter::long_text(std::string_view text) {
  u32(static_cast<uint32_t>(text.size()));
  bytes_ += text;
  return *this;
}

uint64_t amqp_number(std::string_view bytes, size_t size) {
  if (bytes.size() < size) fail("amqp: a frame is too short");
  uint64_t value = 0;
  for (size_t index = 0; index < size; ++index) {
    value = value << 8 | static_cast<uint8_t>(bytes[index]);
  }
  return value;
}

AmqpChannel::AmqpChannel(uint16_t port) : connection_(port) {
  connection_.send(std::string_view("AMQP\0\0\x09\x01", 8));
  log_in();
  channel_ = 1;
  call(AmqpMethod::channel_open, AmqpWriter().short_text(""), AmqpMethod::channel_open_ok);
}

void AmqpChannel::log_in() {
  static_cast<void>(wait_for(AmqpMethod::connection_start));
  call(AmqpMethod::connection_start_ok,
       AmqpWriter()
           .u32(0)  // a table without properties
           .short_text("PLAIN")
           .long_text(std::string_view("\0guest\0guest", 12))
           .short_text("en_US"),
       AmqpMethod::connection_tune);
  add_method(AmqpMethod::connection_tune_ok, AmqpWriter().u16(1).u32(frame_bytes_max).u16(0));
  call(AmqpMethod::connection_open, AmqpWriter().short_text("/").short_text("").u8(0),
       AmqpMethod::connection_open_ok);
}

std::string_view AmqpChannel::call(AmqpMethod method, const AmqpWriter& arguments,
                                   AmqpMethod answer) {
  add_method(method, arguments);
  flush();
  return wait_for(answer);
}

void AmqpChannel::add_frame(uint8_t type, std::string_view payload) {
  out_ += AmqpWriter().u8(type).u16(channel_).long_text(payload).bytes();
  out_ += frame_end;
}

void AmqpChannel::add_method(AmqpMethod method, const AmqpWriter& arguments) {
  add_frame(frame_method,
            AmqpWriter().u32(static_cast<uint32_t>(method)).bytes() + arguments.bytes());
}

void AmqpChannel::add_content(std::string_view body) {
  add_frame(frame_header, AmqpWriter()
                              .u16(class_basic)
                              .u16(0)
                              .u64(body.size())
                              .u16(flag_delivery_mode)
                              .u8(persistent)
                              .bytes());
  add_frame(frame_body, body);
}

void AmqpChannel::flush() {
  connection_.send(out_);
  out_.clear();
}

AmqpChannel::Frame AmqpChannel::read_frame() {
  const std::string_view head = connection_.read_bytes(frame_head_bytes);
  if (connection_.ended()) return {};
  const auto type = static_cast<uint8_t>(head[0]);
  const auto size = static_cast<size_t>(amqp_number(head.substr(3), 4));
  const std::string_view payload = connection_.read_bytes(size + 1);
  if (connection_.ended()) return {};
  return {type, payload.substr(0, size)};
}

std::string_view AmqpChannel::wait_for(AmqpMethod method) {
  while (true) {
    const Frame frame = read_frame();
    if (frame.type == 0) return {};
    if (frame.type != frame_method) continue;
    const auto found = static_cast<AmqpMethod>(amqp_number(frame.payload, 4));
    if (found == method) return frame.payload.substr(4);
    if (found == AmqpMethod::connection_close || found == AmqpMethod::channel_close) {
      fail("amqp: " + std::string(frame.payload.substr(7)));
    }
  }
}

std::string_view AmqpChannel::wait_body() {
  while (true) {
    const Frame frame = read_frame();
    if (frame.type == 0 || frame.type == frame_body) return frame.payload;
  }
}

}  // namespace limpet::bench
