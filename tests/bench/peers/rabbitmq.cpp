// RabbitMQ, one node, a quorum queue: publish with confirms; four consumers acknowledge what they
// were given, to which the protocol knows no answer. It runs on a private epmd and with private
// folders, so that it meets no other.

#include <optional>
#include <set>

#include "tests/bench/measure.hpp"
#include "tests/bench/peers/amqp.hpp"
#include "tests/bench/peers/peer.hpp"
#include "tests/bench/peers/server.hpp"

namespace limpet::bench {

namespace {

constexpr int start_limit_ms = 60000;
constexpr const char* queue_name = "jobs";

void declare_queue(AmqpChannel& channel) {
  constexpr uint8_t durable = 2;
  const std::string arguments =
      AmqpWriter().short_text("x-queue-type").u8('S').long_text("quorum").bytes();
  channel.call(AmqpMethod::queue_declare,
               AmqpWriter().u16(0).short_text(queue_name).u8(durable).long_text(arguments),
               AmqpMethod::queue_declare_ok);
}

class Producer final : public PeerProducer {
 public:
  explicit Producer(uint16_t port) : channel_(port) {
    channel_.call(AmqpMethod::confirm_select, AmqpWriter().u8(0), AmqpMethod::confirm_select_ok);
  }

  void submit(std::string_view payload) override {
    channel_.add_method(AmqpMethod::basic_publish,
                        AmqpWriter().u16(0).short_text("").short_text(queue_name).u8(0));
    channel_.add_content(payload);
    unconfirmed_.insert(++published_);
  }
  size_t wait_answers() override {
    channel_.flush();
    const size_t before = unconfirmed_.size();
    do {
      const std::string_view ack = channel_.wait_for(AmqpMethod::basic_ack);
      const uint64_t tag = amqp_number(ack, 8);
      const bool multiple = (amqp_number(ack.substr(8), 1) & 1) != 0;
      if (multiple) {
        unconfirmed_.erase(unconfirmed_.begin(), unconfirmed_.upper_bound(tag));
      } else {
        unconfirmed_.erase(tag);
      }
    } while (channel_.has_more());
    return before - unconfirmed_.size();
  }

 private:
  AmqpChannel channel_;
  uint64_t published_ = 0;
  std::set<uint64_t> unconfirmed_;
};

class Consumer final : public PeerConsumer {
 public:
  Consumer(uint16_t port, unsigned prefetch) : channel_(port) {
    channel_.call(AmqpMethod::basic_qos,
                  AmqpWriter().u32(0).u16(static_cast<uint16_t>(prefetch)).u8(0),
                  AmqpMethod::basic_qos_ok);
    channel_.call(AmqpMethod::basic_consume,
                  AmqpWriter().u16(0).short_text(queue_name).short_text("").u8(0).u32(0),
                  AmqpMethod::basic_consume_ok);
  }

  size_t take() override {
    size_t count = 0;
    do {
      const std::string_view deliver = channel_.wait_for(AmqpMethod::basic_deliver);
      if (deliver.empty()) return 0;
      const auto consumer_bytes = static_cast<size_t>(amqp_number(deliver, 1));
      last_tag_ = amqp_number(deliver.substr(1 + consumer_bytes), 8);
      static_cast<void>(channel_.wait_body());
      ++count;
    } while (channel_.has_more());
    return count;
  }
  void finish() override {
    constexpr uint8_t multiple = 1;
    channel_.add_method(AmqpMethod::basic_ack, AmqpWriter().u64(last_tag_).u8(multiple));
    channel_.flush();
  }
  void stop() override { channel_.unblock(); }

 private:
  AmqpChannel channel_;
  uint64_t last_tag_ = 0;
};

class RabbitMq final : public Peer {
 public:
  std::string start(const std::string& directory) override {
    const std::string program = find_program("rabbitmq-server");
    const std::string mapper = find_program("epmd");
    if (program.empty() || mapper.empty()) return "rabbitmq-server is not installed";
    const std::string mapper_port = std::to_string(free_port());
    mapper_.emplace(ServerOptions{
        mapper, {"-port", mapper_port, "-address", "127.0.0.1"}, {}, directory + "/epmd.txt"});
    server_.emplace(
        ServerOptions{program, {}, variables(directory, mapper_port), directory + "/output.txt"});
    if (!server_->wait_serving(port_, start_limit_ms))
      return "rabbitmq-server does not start or does not answer";
    AmqpChannel channel(port_);
    declare_queue(channel);
    return "";
  }
  ProcessUsage usage() const override { return server_->usage(); }
  std::unique_ptr<PeerProducer> producer() override { return std::make_unique<Producer>(port_); }
  std::unique_ptr<PeerConsumer> consumer(unsigned prefetch) override {
    return std::make_unique<Consumer>(port_, prefetch);
  }

 private:
  std::vector<std::string> variables(const std::string& directory,
                                     const std::string& mapper_port) const {
    return {"HOME=" + directory, "ERL_EPMD_PORT=" + mapper_port, "ERL_EPMD_ADDRESS=127.0.0.1",
            "RABBITMQ_NODENAME=limpet" + std::to_string(port_) + "@localhost",
            "RABBITMQ_NODE_IP_ADDRESS=127.0.0.1", "RABBITMQ_NODE_PORT=" + std::to_string(port_),
            "RABBITMQ_DIST_PORT=" + std::to_string(free_port()),
            "RABBITMQ_MNESIA_BASE=" + directory + "/mnesia",
            "RABBITMQ_LOG_BASE=" + directory + "/log",
            "RABBITMQ_CONFIG_FILE=" + directory + "/none",
            "RABBITMQ_CONF_ENV_FILE=" + directory + "/none",
            "RABBITMQ_ENABLED_PLUGINS_FILE=" + directory + "/none",
            // Then the script becomes the server: one process to measure and to stop.
            "RUNNING_UNDER_SYSTEMD=true"};
  }

  const uint16_t port_ = free_port();
  std::optional<Server> mapper_;
  std::optional<Server> server_;  // last: it goes first
};

}  // namespace

std::unique_ptr<Peer> make_rabbitmq() { return std::make_unique<RabbitMq>(); }

}  // namespace limpet::bench
