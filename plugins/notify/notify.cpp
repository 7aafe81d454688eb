// notify: the tool `write` appends one line to a file. It is not idempotent, on purpose: calling it
// twice writes twice. What makes it safe is lookup(): after a crash the host asks whether the line
// with this call's key is there.
#include <limpet/cpp/plugin.hpp>
#include <optional>

#include "line_file.hpp"
#include "waits.hpp"

namespace limpet::notify {
namespace {

using sdk::Answer;
using sdk::Call;
using sdk::Failure;
using sdk::Host;
using sdk::Request;
using sdk::View;

constexpr std::size_t path_bytes_max = 4096;
constexpr std::size_t text_bytes_max = 4096;
constexpr uint64_t delay_ms_max = 600000;

struct Config {
  std::string path;
  std::chrono::milliseconds half_delay;
};

Config read_config(View config) {
  const std::string_view path = config["path"].text_or("");
  if (path.empty() || path.size() > path_bytes_max || path.find('\0') != path.npos) {
    throw Failure("path: the name of a file");
  }
  const uint64_t delay_ms = config["delay_ms"].uint_or(0);
  if (delay_ms > delay_ms_max) throw Failure("delay_ms: at most ten minutes");
  return {std::string(path), std::chrono::milliseconds(delay_ms / 2)};
}

class Notify {
 public:
  explicit Notify(Host&) {}

  static void check(View config) { read_config(config); }

  void activate(View config) {
    Config read = read_config(config);
    file_.emplace(std::move(read.path));
    half_delay_ = read.half_delay;
  }

  void deactivate() {}

  void call(Call& call, const Request& request) {
    const auto text = request.arguments()["text"].text();
    if (!text || text->size() > text_bytes_max) throw Failure("text: at most 4096 bytes");
    if (request.key().find_first_of("\t\n") != std::string_view::npos) {
      throw Failure("the key has a tab or a line break");
    }
    Waits::Entry entry(waits_, request.id());
    const Woken woken = entry.wait(half_delay_, request.deadline_ns());
    if (woken == Woken::by_cancel) return call.retry("cancelled before the write", 0);
    if (woken == Woken::by_deadline) return call.retry("no time left to write", 0);

    call.effect_begins();
    const Append append = file_->append(request.key(), *text);
    entry.wait(half_delay_, request.deadline_ns());
    switch (append.written) {
      case Written::durable: return call.done();
      case Written::nothing: return call.retry(append.error.c_str(), 0);
      case Written::unknown: return call.unknown(append.error.c_str());
    }
  }

  void cancel(uint64_t id) { waits_.cancel(id); }

  Answer lookup(const Request& request) {
    switch (file_->find(request.key(), request.arguments()["text"].text_or(""))) {
      case Found::yes: return {LIMPET_DONE};
      case Found::no: return {LIMPET_RETRY};
      case Found::unknown: break;
    }
    return {LIMPET_UNKNOWN};
  }

 private:
  std::optional<LineFile> file_;  // constant after activate
  std::chrono::milliseconds half_delay_{0};
  Waits waits_;
};

}  // namespace
}  // namespace limpet::notify

LIMPET_PLUGIN(limpet::notify::Notify)
