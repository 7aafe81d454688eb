// effects: the tools of the crash tests. `append` must not run twice: it adds its key to a file, as
// a payment or a valve would change the world. `touch` may.
//
// LIMPET_TEST_KILL=before_write:N or after_write:N kills the process at the Nth append, on either
// side of its effect: the moments at which nobody can know from the store alone what happened.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <limpet/cpp/plugin.hpp>
#include <string>

namespace limpet::crash_effects {
namespace {

using sdk::Answer;
using sdk::Call;
using sdk::Encoder;
using sdk::Failure;
using sdk::Request;
using sdk::View;

class Effects {
 public:
  explicit Effects(sdk::Host&) {}
  static void check(View) {}
  void activate(View config) { path_ = config["path"].text_or(""); }
  void deactivate() {}

  void call(Call& call, const Request& request) {
    if (request.tool() == "touch") return call.done();
    const uint64_t number = ++appends_;
    kill_at("before_write", number);
    call.effect_begins();
    append(std::string(request.key()) + "\n");
    kill_at("after_write", number);
    call.done();
  }

  Answer lookup(const Request& request) {
    std::ifstream file(path_);
    for (std::string line; std::getline(file, line);) {
      if (line == request.key()) return {LIMPET_DONE};
    }
    return {LIMPET_RETRY};
  }

 private:
  void append(const std::string& line) const {
    const int file = ::open(path_.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    const bool written =
        file >= 0 && ::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size());
    const bool synced = written && ::fdatasync(file) == 0;
    ::close(file);
    if (!synced) throw Failure("cannot write");
  }

  static void kill_at(const std::string& place, uint64_t number) {
    const char* wanted = std::getenv("LIMPET_TEST_KILL");
    if (wanted != nullptr && place + ":" + std::to_string(number) == wanted) {
      ::kill(::getpid(), SIGKILL);
    }
  }

  std::string path_;
  std::atomic<uint64_t> appends_{0};
};

}  // namespace
}  // namespace limpet::crash_effects

LIMPET_PLUGIN(limpet::crash_effects::Effects)
