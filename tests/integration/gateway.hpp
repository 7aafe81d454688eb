#pragma once

// A gateway as its owner has it: a folder, a config, the built program. Owner: one test case.
// REQUIRES of each helper fail the test with what the daemon said.

#include <doctest/doctest.h>
#include <signal.h>

#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/daemon_client.hpp"
#include "tests/support/temporary_directory.hpp"

namespace limpet::testing {

class Gateway {
 public:
  static constexpr Duration limit = seconds(30);

  // `more` is added to a config with a name, a store and a socket.
  explicit Gateway(const std::string& more = "") {
    std::ofstream(config()) << "name = \"test\"\n"
                            << "plugin_path = [\"" << program_folder()
                            << "/../lib/limpet/plugins\"]\n"
                            << "[store]\npath = \"data\"\nmax_bytes = \"16MiB\"\n"
                            << "[api]\nsocket = \"" << socket() << "\"\n"
                            << more;
    // The sanitizers' own memory is no reason to refuse work.
    if (more.find("[limits") == std::string::npos) {
      std::ofstream(config(), std::ios::app) << "[limits]\nmemory = \"8GiB\"\n";
    }
  }

  [[nodiscard]] std::string file(const std::string& name) const { return directory_.file(name); }
  [[nodiscard]] std::string config() const { return file("limpet.toml"); }
  [[nodiscard]] std::string socket() const { return file("limpet.sock"); }
  [[nodiscard]] std::string said() const { return read_whole_file(file("said.txt")); }

  // Starts the daemon and waits until it serves.
  void start() {
    daemon_.emplace(ChildOptions{program(), {"run", "--config", config()}, {}, file("said.txt")});
    client_.emplace(socket());
    REQUIRE_MESSAGE(client_->wait_ready(*daemon_, limit), said());
  }
  void stop_gracefully() {
    daemon_->send_signal(SIGTERM);
    const std::optional<int> exit = daemon_->wait_exit(limit);
    REQUIRE_MESSAGE(exit, said());
    CHECK_MESSAGE(*exit == 0, said());
  }
  void kill() { daemon_->kill_now(); }

  [[nodiscard]] DaemonClient& client() { return *client_; }

  // `limpet` with these arguments and this gateway's config, to its end.
  [[nodiscard]] ProgramResult run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--config", config()});
    return run_program({program(), std::move(arguments), {}, ""}, limit);
  }

  // Posts events of a type, one a request; the sequence of the last one.
  uint64_t post(const std::string& type, int count = 1) {
    uint64_t last = 0;
    for (int index = 0; index < count; ++index) {
      const Answer answer = client().post(
          "/v1/events", R"({"specversion":"1.0","source":"test","type":")" + type + R"("})");
      REQUIRE_MESSAGE(answer.status == 200, answer.text);
      last = number_of(answer.view()["last"]);
    }
    return last;
  }

  [[nodiscard]] static std::string program() { return program_folder() + "/limpet"; }

 private:
  TemporaryDirectory directory_;
  std::optional<ChildProgram> daemon_;
  std::optional<DaemonClient> client_;
};

inline size_t lines_of(const std::string& text) {
  size_t lines = 0;
  for (const char character : text) lines += character == '\n' ? 1 : 0;
  return lines;
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace limpet::testing
