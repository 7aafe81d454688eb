// watchdog: the reference agent. A run belongs to one subject (trigger key "{subject}"):
//
//   quiet -> suspected -> gathering -> announcing -> open -> closing -> the run completes
//
// A reading above the threshold opens the incident, at once or after `for_ms`; evidence is gathered
// by one read-only call and reported; a person is told. Recovery in between is remembered and acted
// on when the calls have ended, so that what people read has an order. Time is the readings' own,
// so that a backlog that is replayed gives the same incidents.
#include <charconv>
#include <cmath>
#include <limits>
#include <limpet/cpp/plugin.hpp>

#include "incident.hpp"
#include "thresholds.hpp"

namespace limpet::watchdog {
namespace {

using sdk::Decision;
using sdk::Encoder;
using sdk::Turn;
using sdk::View;

constexpr uint32_t evidence_bytes_max = 16384;
constexpr std::string_view step_evidence = "evidence";
constexpr std::string_view step_announce = "announce";
constexpr std::string_view step_close = "close";

struct Reading {
  std::string_view subject;
  double value;
  uint64_t time_ns;
};

template <typename Body>
Encoder object(Body body) {
  Encoder out;
  out.map([&] { body(out); });
  return out;
}

// As people write it, with one digit after the point; the same in every locale.
std::string number(double value) {
  char text[32];
  auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, 1);
  if (end.ec != std::errc()) {
    end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific, 3);
  }
  return std::string(text, end.ptr);
}

// One turn: reads the incident, changes it, and says what is to happen.
class Step {
 public:
  Step(const Turn& turn, Decision& decision)
      : turn_(turn), decision_(decision), incident_(Incident::decode(turn.state())) {}

  void run() {
    const std::string_view type = turn_.event_type();
    if (type == "limpet.step.finished") {
      on_step_finished(turn_.data());
    } else if (type == "limpet.run.created") {
      const View input = turn_.data()["input"];
      on_reading(input["subject"].text_or(""), input["value"]);
    } else {
      on_reading(turn_.event()["subject"].text_or(""), turn_.data()["value"]);
    }
    if (changed_) decision_.state(incident_.encode());
  }

 private:
  void on_reading(std::string_view subject, View value_item) {
    const double value = value_item.number_or(std::numeric_limits<double>::quiet_NaN());
    const auto threshold = threshold_for(subject, turn_.config());
    if (!threshold || std::isnan(value)) return on_useless_reading();
    const Reading reading = {subject, value, turn_.event()["time"].uint_or(turn_.now_ns())};
    switch (incident_.phase) {
      case Phase::quiet:
      case Phase::suspected: return on_reading_before(reading, *threshold);
      case Phase::gathering:
      case Phase::announcing:
      case Phase::open: return on_reading_during(reading, *threshold);
      case Phase::closing: return;
    }
  }

  // Nothing to compare: a run that somebody started by hand is ended, with the reason.
  void on_useless_reading() {
    if (turn_.event_type() != "limpet.run.created") return;
    decision_.fail("the input needs a subject that a threshold fits, and a value");
  }

  void on_reading_before(const Reading& reading, const Threshold& threshold) {
    if (!(reading.value > threshold.above)) {
      if (incident_.phase == Phase::suspected) set_incident({});
      return;
    }
    if (incident_.phase == Phase::quiet) {
      Incident incident;
      incident.phase = Phase::suspected;
      incident.subject = reading.subject;
      incident.since_ns = reading.time_ns;
      incident.peak = reading.value;
      incident.above = threshold.above;
      set_incident(std::move(incident));
    }
    raise_peak(reading.value);
    const uint64_t lasted_ns =
        reading.time_ns > incident_.since_ns ? reading.time_ns - incident_.since_ns : 0;
    if (lasted_ns >= threshold.for_ns) open_incident(reading);
  }

  void open_incident(const Reading& reading) {
    incident_.phase = Phase::gathering;
    incident_.opened_ns = reading.time_ns;
    changed_ = true;
    decision_.emit("incident.opened", incident_.subject, object([&](Encoder& out) {
                     out.put("subject", incident_.subject).put("value", reading.value);
                     out.put("above", incident_.above).put("since", incident_.since_ns);
                     out.put("opened", incident_.opened_ns);
                   }));
    gather_evidence();
  }

  void gather_evidence() {
    const Tools tools = tools_of(turn_.config());
    const std::string_view subject = incident_.subject;
    if (subject.starts_with("disk/")) {
      decision_.call(step_evidence, tools.disk_usage,
                     object([&](Encoder& out) { out.put("path", subject.substr(5)); }));
      return;
    }
    const bool memory = subject == "memory" || subject == "pressure.memory";
    decision_.call(step_evidence, tools.top_processes, object([&](Encoder& out) {
                     out.put("by", memory ? "memory" : "cpu").put("count", 5);
                   }));
  }

  void on_reading_during(const Reading& reading, const Threshold& threshold) {
    raise_peak(reading.value);
    const bool healthy = reading.value < threshold.clear_below;
    if (healthy && incident_.recovered_ns == 0) {
      incident_.recovered_ns = reading.time_ns;
      changed_ = true;
    } else if (reading.value > threshold.above && incident_.recovered_ns != 0) {
      incident_.recovered_ns = 0;
      changed_ = true;
    }
    if (incident_.phase == Phase::open && incident_.recovered_ns != 0) close_incident();
  }

  void on_step_finished(View data) {
    const std::string_view step = data["step"].text_or("");
    if (step == step_evidence && incident_.phase == Phase::gathering) on_evidence(data);
    if (step == step_announce && incident_.phase == Phase::announcing) on_announced(data);
    if (step == step_close && incident_.phase == Phase::closing) on_closed(data);
  }

  void on_evidence(View data) {
    incident_.phase = Phase::announcing;
    changed_ = true;
    const std::string_view outcome = data["outcome"].text_or("unknown");
    decision_.emit("incident.report", incident_.subject, object([&](Encoder& out) {
                     out.put("subject", incident_.subject).put("opened", incident_.opened_ns);
                     out.put("peak", incident_.peak).put("above", incident_.above);
                     out.key("evidence").map([&] {
                       out.put("tool", data["tool"].text_or("")).put("outcome", outcome);
                       const View value = data["value"];
                       if (value.raw().size > evidence_bytes_max)
                         out.put("left_out", "too large");
                       else if (value)
                         out.put("value", value);
                       if (data["error"]) out.put("error", data["error"].text_or("not a text"));
                     });
                   }));
    std::string text = "opened " + incident_.subject + ": ";
    text += number(incident_.peak) + " is above " + number(incident_.above);
    if (outcome != "done") text += " (evidence " + std::string(outcome) + ")";
    notify(step_announce, text);
  }

  void on_announced(View data) {
    incident_.phase = Phase::open;
    incident_.announced = data["outcome"].text_or("unknown");
    changed_ = true;
    admit_unheard("opened", data);
    if (incident_.recovered_ns != 0) close_incident();
  }

  void close_incident() {
    incident_.phase = Phase::closing;
    changed_ = true;
    decision_.emit("incident.closed", incident_.subject,
                   object([&](Encoder& out) { put_summary(out); }));
    notify(step_close, "closed " + incident_.subject + ": peak " + number(incident_.peak));
  }

  void on_closed(View data) {
    admit_unheard("closed", data);
    decision_.complete(object([&](Encoder& out) {
      put_summary(out);
      out.key("notified").map([&] {
        out.put("opened", incident_.announced);
        out.put("closed", data["outcome"].text_or("unknown"));
      });
    }));
  }

  void put_summary(Encoder& out) const {
    out.put("subject", incident_.subject).put("opened", incident_.opened_ns);
    out.put("closed", incident_.recovered_ns).put("peak", incident_.peak);
  }

  // Nobody was told, or perhaps nobody: that is a fact of its own.
  void admit_unheard(std::string_view about, View data) {
    const std::string_view outcome = data["outcome"].text_or("unknown");
    if (outcome == "done") return;
    decision_.emit(
        "incident.unheard", incident_.subject, object([&](Encoder& out) {
          out.put("subject", incident_.subject).put("about", about).put("outcome", outcome);
          out.put("error", data["error"].text_or(""));
        }));
  }

  void notify(std::string_view step, std::string_view text) {
    decision_.call(step, tools_of(turn_.config()).notify,
                   object([&](Encoder& out) { out.put("text", text); }));
  }

  void raise_peak(double value) {
    if (!(value > incident_.peak)) return;
    incident_.peak = value;
    changed_ = true;
  }

  void set_incident(Incident incident) {
    incident_ = std::move(incident);
    changed_ = true;
  }

  const Turn& turn_;
  Decision& decision_;
  Incident incident_;
  bool changed_ = false;
};

class Watchdog {
 public:
  static constexpr uint32_t state_version = 1;
  static constexpr uint32_t state_version_min = 1;

  explicit Watchdog(sdk::Host&) {}
  static void check(View) {}
  void activate(View) {}
  void deactivate() {}

  void turn(const Turn& turn, Decision& decision) { Step(turn, decision).run(); }
};

}  // namespace
}  // namespace limpet::watchdog

LIMPET_PLUGIN(limpet::watchdog::Watchdog)
