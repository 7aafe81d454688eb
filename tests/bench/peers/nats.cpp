// NATS JetStream, file storage, defaults: it answers before anything is synced (a sync every two
// minutes), so a power cut loses what it answered. Publish with answer; pull and confirmed
// acknowledgement by four consumers of a work queue.

#include <algorithm>
#include <optional>
#include <utility>

#include "tests/bench/measure.hpp"
#include "tests/bench/peers/connection.hpp"
#include "tests/bench/peers/peer.hpp"
#include "tests/bench/peers/server.hpp"

namespace limpet::bench {

namespace {

constexpr int start_limit_ms = 10000;

struct Message {
  std::string reply;  // where its acknowledgement goes
  std::string_view payload;
  bool status = false;  // of the server about a pull, no task
};

class Client {
 public:
  explicit Client(uint16_t port) : connection_(port) {
    static_cast<void>(connection_.read_line());  // INFO
    connection_.send("CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\n");
  }

  void subscribe(const std::string& subject) {
    out_ += "SUB " + subject + " " + std::to_string(++subscriptions_) + "\r\n";
  }
  void publish(std::string_view subject, std::string_view reply, std::string_view payload) {
    out_ += "PUB ";
    out_ += subject;
    out_ += ' ';
    out_ += reply;
    out_ += ' ' + std::to_string(payload.size()) + "\r\n";
    out_ += payload;
    out_ += "\r\n";
  }
  void flush() {
    connection_.send(out_);
    out_.clear();
  }
  // nullopt: it was stopped. The payload lives until the next call.
  [[nodiscard]] std::optional<Message> next() {
    while (true) {
      const std::string line(connection_.read_line());
      if (connection_.ended()) return std::nullopt;
      if (line.starts_with("PING")) connection_.send("PONG\r\n");
      if (line.starts_with("-ERR")) fail("nats: " + line);
      if (line.starts_with("MSG ") || line.starts_with("HMSG ")) return read_message(line);
    }
  }
  // One question and its answer.
  [[nodiscard]] std::string request(const std::string& subject, const std::string& payload) {
    const std::string inbox = "inbox." + std::to_string(subscriptions_);
    subscribe(inbox);
    publish(subject, inbox, payload);
    flush();
    const std::optional<Message> answer = next();
    return answer ? std::string(answer->payload) : "";
  }
  // Is there more for us? The server asks for a sign of life between its messages.
  [[nodiscard]] bool has_more() {
    while (connection_.has_more_like("PING")) {
      static_cast<void>(connection_.read_line());
      connection_.send("PONG\r\n");
    }
    return connection_.has_more();
  }
  void unblock() { connection_.unblock(); }

 private:
  // MSG subject sid [reply] size; HMSG has the size of its headers before that.
  std::optional<Message> read_message(const std::string& line) {
    std::vector<std::string> words;
    for (size_t at = 0; at < line.size();) {
      const size_t end = std::min(line.find(' ', at), line.size());
      words.push_back(line.substr(at, end - at));
      at = end + 1;
    }
    const size_t fixed = line[0] == 'H' ? 5 : 4;
    const size_t size = std::stoul(words.back());
    Message message;
    message.status = line[0] == 'H';
    if (words.size() > fixed) message.reply = words[3];
    const std::string_view bytes = connection_.read_bytes(size + 2);
    if (connection_.ended()) return std::nullopt;
    message.payload = bytes.substr(0, size);
    return message;
  }

  Connection connection_;
  std::string out_;
  unsigned subscriptions_ = 0;
};

class Producer final : public PeerProducer {
 public:
  Producer(uint16_t port, std::string subject) : client_(port), subject_(std::move(subject)) {
    client_.subscribe("answers." + subject_);
  }

  void submit(std::string_view payload) override {
    client_.publish(subject_, "answers." + subject_, payload);
  }
  size_t wait_answers() override {
    client_.flush();
    size_t answers = 0;
    do {
      const std::optional<Message> answer = client_.next();
      if (!answer || answer->status ||
          answer->payload.find("\"error\"") != std::string_view::npos) {
        fail("nats: a message was not stored");
      }
      ++answers;
    } while (client_.has_more());
    return answers;
  }

 private:
  Client client_;
  const std::string subject_;
};

// As many tasks are asked for as are not held, so that the server need not be asked one by one.
class Consumer final : public PeerConsumer {
 public:
  Consumer(uint16_t port, unsigned prefetch, const std::string& name)
      : client_(port), pulls_("pulls." + name), acks_("acks." + name), wanted_(prefetch) {
    client_.subscribe(pulls_);
    client_.subscribe(acks_);
  }

  size_t take() override {
    client_.publish("$JS.API.CONSUMER.MSG.NEXT.jobs.workers", pulls_,
                    "{\"batch\":" + std::to_string(wanted_) + ",\"expires\":3600000000000}");
    client_.flush();
    taken_ = std::exchange(early_, {});
    while (taken_.empty() || client_.has_more()) {
      std::optional<Message> message = client_.next();
      if (!message) return 0;
      if (message->status) fail("nats: a pull was refused");
      taken_.push_back(std::move(message->reply));
    }
    wanted_ = static_cast<unsigned>(taken_.size());
    return taken_.size();
  }
  // Tasks of a pull that is still open may come between the answers.
  void finish() override {
    for (const std::string& task : taken_) client_.publish(task, acks_, "+ACK");
    client_.flush();
    for (size_t answers = taken_.size(); answers > 0;) {
      std::optional<Message> message = client_.next();
      if (!message) return;
      if (message->reply.empty()) {
        --answers;
      } else {
        early_.push_back(std::move(message->reply));
      }
    }
  }
  void stop() override { client_.unblock(); }

 private:
  Client client_;
  const std::string pulls_;
  const std::string acks_;
  unsigned wanted_;  // by the next pull
  std::vector<std::string> taken_;
  std::vector<std::string> early_;  // came before they were asked for with take()
};

class Nats final : public Peer {
 public:
  std::string start(const std::string& directory) override {
    const std::string program = find_program("nats-server");
    if (program.empty()) return "nats-server is not installed";
    server_.emplace(
        ServerOptions{program,
                      {"-a", "127.0.0.1", "-p", std::to_string(port_), "-js", "-sd", directory},
                      {},
                      directory + "/output.txt"});
    if (!server_->wait_serving(port_, start_limit_ms))
      return "nats-server does not start or does not answer";
    Client client(port_);
    const bool ready =
        accepted(
            client, "STREAM.CREATE.jobs",
            R"({"name":"jobs","subjects":["jobs"],"retention":"workqueue","storage":"file"})") &&
        accepted(client, "STREAM.CREATE.log",
                 R"({"name":"log","subjects":["log"],"retention":"limits","storage":"file"})") &&
        accepted(client, "CONSUMER.DURABLE.CREATE.jobs.workers",
                 R"({"stream_name":"jobs","config":{"durable_name":"workers",)"
                 R"("ack_policy":"explicit"}})");
    return ready ? "" : "nats-server has no JetStream";
  }
  ProcessUsage usage() const override { return server_->usage(); }
  std::unique_ptr<PeerProducer> producer() override {
    return std::make_unique<Producer>(port_, "jobs");
  }
  std::unique_ptr<PeerConsumer> consumer(unsigned prefetch) override {
    return std::make_unique<Consumer>(port_, prefetch, std::to_string(consumers_++));
  }
  std::unique_ptr<PeerProducer> log_producer() override {
    return std::make_unique<Producer>(port_, "log");
  }
  // Pushed without acknowledgements: the fastest way it has.
  uint64_t replay(uint64_t count) override {
    Client reader(port_);
    reader.subscribe("replay");
    reader.flush();
    Client client(port_);
    if (!accepted(client, "CONSUMER.CREATE.log",
                  R"({"stream_name":"log","config":{"deliver_subject":"replay",)"
                  R"("ack_policy":"none","deliver_policy":"all"}})")) {
      fail("nats: no consumer for the replay");
    }
    uint64_t bytes = 0;
    for (uint64_t read = 0; read < count; ++read) {
      const std::optional<Message> message = reader.next();
      if (!message) fail("nats: the log is shorter than what was appended");
      bytes += message->payload.size();
    }
    return bytes;
  }

 private:
  static bool accepted(Client& client, const std::string& call, const std::string& request) {
    const std::string answer = client.request("$JS.API." + call, request);
    return !answer.empty() && answer.find("\"error\"") == std::string::npos;
  }

  const uint16_t port_ = free_port();
  unsigned consumers_ = 0;
  std::optional<Server> server_;
};

}  // namespace

std::unique_ptr<Peer> make_nats() { return std::make_unique<Nats>(); }

}  // namespace limpet::bench
