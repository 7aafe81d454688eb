// worker: the agent of the crash tests. For its item it calls both tools of `effects`, and
// completes when both are done.
#include <limpet/cpp/plugin.hpp>

namespace limpet::crash_worker {
namespace {

using sdk::Decision;
using sdk::Encoder;
using sdk::Turn;
using sdk::View;

class Worker {
 public:
  static constexpr uint32_t state_version = 1;
  static constexpr uint32_t state_version_min = 1;

  explicit Worker(sdk::Host&) {}
  static void check(View) {}
  void activate(View) {}
  void deactivate() {}

  void turn(const Turn& turn, Decision& decision) {
    if (turn.event_type() == "limpet.step.finished") return on_finished(turn, decision);
    if (turn.event_type() != "work.item") return;
    Encoder arguments;
    arguments.map([&] { arguments.put("item", turn.event()["id"].text_or("")); });
    decision.call("append", "effects.append", arguments);
    Encoder nothing;
    nothing.map([] {});
    decision.call("touch", "effects.touch", nothing);
    decision.state(count_of(0));
  }

 private:
  static Encoder count_of(uint64_t finished) {
    Encoder state;
    state.map([&] { state.put("finished", finished); });
    return state;
  }

  static void on_finished(const Turn& turn, Decision& decision) {
    const View data = turn.data();
    if (data["outcome"].text_or("") != "done") {
      return decision.fail(std::string(data["step"].text_or("?")) + ": " +
                           std::string(data["error"].text_or("not done")));
    }
    const uint64_t finished = turn.state()["finished"].uint_or(0) + 1;
    if (finished < 2) return decision.state(count_of(finished));
    decision.complete(count_of(finished));
  }
};

}  // namespace
}  // namespace limpet::crash_worker

LIMPET_PLUGIN(limpet::crash_worker::Worker)
