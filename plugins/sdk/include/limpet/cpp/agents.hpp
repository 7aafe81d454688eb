#pragma once
#include "host.hpp"

// Agents in C++. A plugin that has
//   static constexpr uint32_t state_version = 1, state_version_min = 1;
//   void turn(const Turn& turn, Decision& decision);      [serial]
// is an agent. turn() looks at nothing but its arguments; its config comes with the turn.
namespace limpet::sdk {

class Turn {
 public:
  explicit Turn(const limpet_turn* turn) : turn_(turn) {}

  bool is_new() const { return turn_->state_version == 0; }
  uint32_t state_version() const { return turn_->state_version; }
  uint64_t now_ns() const { return turn_->now_ns; }
  uint64_t seed() const { return turn_->seed; }
  std::string_view run() const { return turn_->run; }
  std::string_view agent() const { return turn_->agent; }
  View config() const { return View(turn_->config); }
  View state() const { return View(turn_->state); }
  View event() const { return View(turn_->event); }
  std::string_view event_type() const { return event()["type"].text_or(""); }
  View data() const { return event()["data"]; }

 private:
  const limpet_turn* turn_;
};

// Collects the new state and the commands, in the order in which they are to happen. A turn that
// adds nothing leaves everything as it is. Throws Failure beyond LIMPET_AGENT_COMMANDS_MAX.
class Decision {
 public:
  // At most once; without it the state stays.
  void state(Encoder state) { state_ = std::move(state); }

  void call(std::string_view as, std::string_view tool, const Encoder& arguments) {
    command("call", [&](Encoder& out) {
      out.put("as", as).put("tool", tool).put("arguments", arguments.view());
    });
  }

  void emit(std::string_view type, std::string_view subject, const Encoder& data) {
    command("emit", [&](Encoder& out) {
      out.put("type", type).put("subject", subject).put("data", data.view());
    });
  }

  void timer(std::string_view as, uint64_t after_ms) {
    command("timer", [&](Encoder& out) { out.put("as", as).put("after_ms", after_ms); });
  }

  // Ends the run; nothing comes after it.
  void complete(const Encoder& output) {
    command("complete", [&](Encoder& out) { out.put("output", output.view()); });
  }
  void fail(std::string_view reason) {
    command("fail", [&](Encoder& out) { out.put("reason", reason); });
  }

  Encoder encode(uint32_t version) const {
    Encoder out;
    out.map([&] {
      if (!state_.empty()) out.put("state", state_.view());
      out.put("version", version);
      if (count_ == 0) return;
      out.key("commands").array([&] {
        for (std::string_view rest = commands_; !rest.empty();) {
          const limpet_bytes one = View(rest).raw();
          out.value(View(one));
          rest.remove_prefix(one.size);
        }
      });
    });
    return out;
  }

 private:
  template <typename Body>
  void command(std::string_view verb, Body body) {
    if (count_ == LIMPET_AGENT_COMMANDS_MAX) throw Failure("more commands than a turn may have");
    Encoder out;
    out.map([&] {
      out.put("do", verb);
      body(out);
    });
    const limpet_bytes bytes = out.bytes();
    commands_.append(reinterpret_cast<const char*>(bytes.data), bytes.size);
    count_++;
  }

  Encoder state_;
  std::string commands_;  // CBOR items, one after the other
  uint32_t count_ = 0;
};

}  // namespace limpet::sdk
