#include "incident.hpp"

namespace limpet::watchdog {
namespace {

// The store has names, not numbers, so that phases can be added.
constexpr const char* phase_names[] = {"quiet",      "suspected", "gathering",
                                       "announcing", "open",      "closing"};

Phase phase_of(std::string_view name) {
  for (unsigned i = 0; i < std::size(phase_names); i++) {
    if (name == phase_names[i]) return static_cast<Phase>(i);
  }
  return Phase::quiet;
}

}  // namespace

Incident Incident::decode(sdk::View state) {
  Incident incident;
  incident.phase = phase_of(state["phase"].text_or("quiet"));
  incident.subject = state["subject"].text_or("");
  incident.since_ns = state["since"].uint_or(0);
  incident.opened_ns = state["opened"].uint_or(0);
  incident.recovered_ns = state["recovered"].uint_or(0);
  incident.peak = state["peak"].number_or(0);
  incident.above = state["above"].number_or(0);
  incident.announced = state["announced"].text_or("");
  return incident;
}

sdk::Encoder Incident::encode() const {
  sdk::Encoder out;
  out.map([&] {
    out.put("phase", phase_names[static_cast<unsigned>(phase)]);
    if (phase == Phase::quiet) return;
    out.put("subject", subject).put("since", since_ns).put("peak", peak).put("above", above);
    if (opened_ns != 0) out.put("opened", opened_ns);
    if (recovered_ns != 0) out.put("recovered", recovered_ns);
    if (!announced.empty()) out.put("announced", announced);
  });
  return out;
}

}  // namespace limpet::watchdog
