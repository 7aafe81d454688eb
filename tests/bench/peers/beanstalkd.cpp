// beanstalkd with its binlog synced at each write (-f0): put; reserve and delete by four consumers.

#include <optional>

#include "tests/bench/measure.hpp"
#include "tests/bench/peers/connection.hpp"
#include "tests/bench/peers/peer.hpp"
#include "tests/bench/peers/server.hpp"

namespace limpet::bench {

namespace {

constexpr int start_limit_ms = 10000;

class Producer final : public PeerProducer {
 public:
  explicit Producer(uint16_t port) : connection_(port) {}

  void submit(std::string_view payload) override {
    commands_ += "put 0 0 3600 " + std::to_string(payload.size()) + "\r\n";
    commands_ += payload;
    commands_ += "\r\n";
  }
  size_t wait_answers() override {
    connection_.send(commands_);
    commands_.clear();
    size_t answers = 0;
    do {
      const std::string_view line = connection_.read_line();
      if (!line.starts_with("INSERTED ")) fail("beanstalkd: " + std::string(line));
      ++answers;
    } while (connection_.has_more());
    return answers;
  }

 private:
  Connection connection_;
  std::string commands_;
};

// The first reserve waits; the others take what is there.
class Consumer final : public PeerConsumer {
 public:
  Consumer(uint16_t port, unsigned prefetch) : connection_(port), prefetch_(prefetch) {
    take_ = "reserve\r\n";
    for (unsigned more = 1; more < prefetch; ++more) take_ += "reserve-with-timeout 0\r\n";
  }

  size_t take() override {
    connection_.send(take_);
    ids_.clear();
    for (unsigned answer = 0; answer < prefetch_; ++answer) {
      const std::string line(connection_.read_line());
      if (connection_.ended()) return 0;
      if (line == "TIMED_OUT") continue;
      if (!line.starts_with("RESERVED ")) fail("beanstalkd: " + line);
      const size_t blank = line.find(' ', 9);
      ids_.push_back(line.substr(9, blank - 9));
      static_cast<void>(connection_.read_bytes(std::stoul(line.substr(blank + 1)) + 2));
    }
    return ids_.size();
  }
  void finish() override {
    std::string commands;
    for (const std::string& id : ids_) commands += "delete " + id + "\r\n";
    connection_.send(commands);
    for (size_t answer = 0; answer < ids_.size(); ++answer) {
      const std::string_view line = connection_.read_line();
      if (line != "DELETED") fail("beanstalkd: " + std::string(line));
    }
  }
  void stop() override { connection_.unblock(); }

 private:
  Connection connection_;
  const unsigned prefetch_;
  std::string take_;
  std::vector<std::string> ids_;
};

class Beanstalkd final : public Peer {
 public:
  std::string start(const std::string& directory) override {
    const std::string program = find_program("beanstalkd");
    if (program.empty()) return "beanstalkd is not installed";
    server_.emplace(
        ServerOptions{program,
                      {"-l", "127.0.0.1", "-p", std::to_string(port_), "-b", directory, "-f0"},
                      {},
                      directory + "/output.txt"});
    return server_->wait_serving(port_, start_limit_ms)
               ? ""
               : "beanstalkd does not start or does not answer";
  }
  ProcessUsage usage() const override { return server_->usage(); }
  std::unique_ptr<PeerProducer> producer() override { return std::make_unique<Producer>(port_); }
  std::unique_ptr<PeerConsumer> consumer(unsigned prefetch) override {
    return std::make_unique<Consumer>(port_, prefetch);
  }

 private:
  const uint16_t port_ = free_port();
  std::optional<Server> server_;
};

}  // namespace

std::unique_ptr<Peer> make_beanstalkd() { return std::make_unique<Beanstalkd>(); }

}  // namespace limpet::bench
