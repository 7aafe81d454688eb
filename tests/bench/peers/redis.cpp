// Redis Streams with `appendfsync always`: XADD; XREADGROUP, XACK and XDEL by four consumers.

#include <algorithm>
#include <charconv>
#include <optional>

#include "tests/bench/measure.hpp"
#include "tests/bench/peers/connection.hpp"
#include "tests/bench/peers/peer.hpp"
#include "tests/bench/peers/server.hpp"

namespace limpet::bench {

namespace {

constexpr int start_limit_ms = 10000;
constexpr size_t replay_batch = 1000;

int64_t number_of(std::string_view text) {
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// A command of the protocol: an array of strings.
void add_command(std::string& out, std::initializer_list<std::string_view> words) {
  out += "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string_view word : words) {
    out += "$" + std::to_string(word.size()) + "\r\n";
    out += word;
    out += "\r\n";
  }
}

// The head of the next reply: its kind and its number.
struct Head {
  char kind = 0;
  int64_t number = 0;
};
Head read_head(Connection& connection) {
  const std::string_view line = connection.read_line();
  if (line.empty()) return {};
  if (line[0] == '-') fail("redis: " + std::string(line));
  return {line[0], number_of(line.substr(1))};
}

// The bytes of a string's reply; views live until the next reading.
std::string_view read_string(Connection& connection) {
  const Head head = read_head(connection);
  if (head.kind != '$' || head.number < 0) return {};
  const auto size = static_cast<size_t>(head.number);
  const std::string_view bytes = connection.read_bytes(size + 2);
  return bytes.substr(0, std::min(bytes.size(), size));
}

class Producer final : public PeerProducer {
 public:
  Producer(uint16_t port, std::string stream) : connection_(port), stream_(std::move(stream)) {}

  void submit(std::string_view payload) override {
    add_command(commands_, {"XADD", stream_, "*", "p", payload});
  }
  size_t wait_answers() override {
    connection_.send(commands_);
    commands_.clear();
    size_t answers = 0;
    do {
      if (read_string(connection_).empty()) fail("redis: an answer without an id");
      ++answers;
    } while (connection_.has_more());
    return answers;
  }

 private:
  Connection connection_;
  const std::string stream_;
  std::string commands_;
};

// Entries as XRANGE and XREADGROUP give them: [id, [field, value]]. Answers the payloads' bytes.
uint64_t read_entries(Connection& connection, int64_t count, std::vector<std::string>& ids_out) {
  uint64_t bytes = 0;
  for (int64_t entry = 0; entry < count; ++entry) {
    static_cast<void>(read_head(connection));
    ids_out.emplace_back(read_string(connection));
    const Head fields = read_head(connection);
    for (int64_t field = 0; field < fields.number; ++field) {
      bytes += read_string(connection).size();
    }
  }
  return bytes;
}

class Consumer final : public PeerConsumer {
 public:
  Consumer(uint16_t port, unsigned prefetch, std::string name) : connection_(port) {
    add_command(take_, {"XREADGROUP", "GROUP", "g", name, "COUNT", std::to_string(prefetch),
                        "BLOCK", "0", "STREAMS", "jobs", ">"});
  }

  size_t take() override {
    connection_.send(take_);
    ids_.clear();
    if (read_head(connection_).kind != '*') return 0;
    static_cast<void>(read_head(connection_));  // of the stream: its name and its entries
    static_cast<void>(read_string(connection_));
    static_cast<void>(read_entries(connection_, read_head(connection_).number, ids_));
    return ids_.size();
  }
  void finish() override {
    std::string commands = "*" + std::to_string(ids_.size() + 3) + "\r\n$4\r\nXACK\r\n" +
                           "$4\r\njobs\r\n$1\r\ng\r\n" + id_words();
    commands +=
        "*" + std::to_string(ids_.size() + 2) + "\r\n$4\r\nXDEL\r\n$4\r\njobs\r\n" + id_words();
    connection_.send(commands);
    const Head acked = read_head(connection_);
    const Head removed = read_head(connection_);
    if (static_cast<size_t>(acked.number + removed.number) != 2 * ids_.size()) {
      fail("redis: a task was acknowledged by somebody else");
    }
  }
  void stop() override { connection_.unblock(); }

 private:
  [[nodiscard]] std::string id_words() const {
    std::string words;
    for (const std::string& id : ids_) {
      words += "$" + std::to_string(id.size()) + "\r\n" + id + "\r\n";
    }
    return words;
  }

  Connection connection_;
  std::string take_;
  std::vector<std::string> ids_;
};

class Redis final : public Peer {
 public:
  std::string start(const std::string& directory) override {
    const std::string program = find_program("redis-server");
    if (program.empty()) return "redis-server is not installed";
    server_.emplace(ServerOptions{
        program,
        {"--port", std::to_string(port_), "--bind", "127.0.0.1", "--dir", directory, "--appendonly",
         "yes", "--appendfsync", "always", "--save", "", "--daemonize", "no"},
        {},
        directory + "/output.txt"});
    if (!server_->wait_serving(port_, start_limit_ms))
      return "redis-server does not start or does not answer";
    Connection connection(port_);
    std::string command;
    add_command(command, {"XGROUP", "CREATE", "jobs", "g", "$", "MKSTREAM"});
    connection.send(command);
    return connection.read_line() == "+OK" ? "" : "redis-server has no streams";
  }
  ProcessUsage usage() const override { return server_->usage(); }
  std::unique_ptr<PeerProducer> producer() override {
    return std::make_unique<Producer>(port_, "jobs");
  }
  std::unique_ptr<PeerConsumer> consumer(unsigned prefetch) override {
    return std::make_unique<Consumer>(port_, prefetch, "c" + std::to_string(consumers_++));
  }
  std::unique_ptr<PeerProducer> log_producer() override {
    return std::make_unique<Producer>(port_, "log");
  }
  uint64_t replay(uint64_t count) override {
    Connection connection(port_);
    std::vector<std::string> ids{"-"};
    uint64_t bytes = 0;
    for (uint64_t read = 0; read < count;) {
      std::string command;
      add_command(command,
                  {"XRANGE", "log", ids.back(), "+", "COUNT", std::to_string(replay_batch)});
      connection.send(command);
      const int64_t entries = read_head(connection).number;
      if (entries <= 0) fail("redis: the log is shorter than what was appended");
      ids.clear();
      bytes += read_entries(connection, entries, ids);
      read += static_cast<uint64_t>(entries);
      ids.back().insert(0, "(");  // from behind it
    }
    return bytes;
  }

 private:
  const uint16_t port_ = free_port();
  unsigned consumers_ = 0;
  std::optional<Server> server_;
};

}  // namespace

std::unique_ptr<Peer> make_redis() { return std::make_unique<Redis>(); }

}  // namespace limpet::bench
