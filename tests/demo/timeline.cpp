#include "tests/demo/timeline.hpp"

#include <cstdio>

namespace limpet::demo {

namespace {

constexpr uint64_t common_shown = 5;

std::string text_of(sdk::View item) { return std::string(item.text_or("")); }

// "08:24:56.120" of "2026-07-13T08:24:56.120Z".
std::string clock_time(const std::string& time) {
  const size_t start = time.find('T');
  if (start == std::string::npos) return "";
  std::string shown = time.substr(start + 1, 12);
  while (!shown.empty() && (shown.back() == 'Z' || shown.back() == '.')) shown.pop_back();
  return shown;
}

std::string decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

std::string joined(const std::string& left, const std::string& right) {
  return right.empty() ? left : left + ": " + right;
}

}  // namespace

void Timeline::say(const std::string& text) {
  flush_hidden();
  std::printf("%6s %-12s  %s\n", "", "", ("== " + text).c_str());
  std::fflush(stdout);
}

void Timeline::show(const testing::LogEvent& event) {
  ++events_;
  const std::string type = text_of(event.view()["type"]);
  const bool common =
      type == "sysinfo.reading" || type == "demo.note" || type == "limpet.run.created";
  if (common && ++common_ > common_shown) {
    ++hidden_;
    return;
  }
  flush_hidden();
  std::printf("%6llu %-12s  %-22s %-10s %s\n", static_cast<unsigned long long>(event.sequence),
              clock_time(text_of(event.view()["time"])).c_str(), type.c_str(),
              text_of(event.view()["subject"]).c_str(), what(event).c_str());
  std::fflush(stdout);
}

void Timeline::flush_hidden() {
  if (hidden_ == 0) return;
  std::printf("%6s %-12s  (%llu more readings, notes and quiet runs)\n", "...", "",
              static_cast<unsigned long long>(hidden_));
  hidden_ = 0;
}

// What a person wants to know of the data, by type.
std::string Timeline::what(const testing::LogEvent& event) {
  const std::string type = text_of(event.view()["type"]);
  const sdk::View data = event.view()["data"];
  if (type.starts_with("limpet.step.")) {
    std::string text = joined(text_of(data["step"]), text_of(data["tool"]));
    const std::string outcome = text_of(data["outcome"]);
    if (!outcome.empty()) text += " -> " + outcome;
    return joined(text, text_of(data["error"]));
  }
  if (type == "limpet.store.state") return "store " + text_of(data["state"]);
  if (type == "limpet.plugin.state") return text_of(data["state"]);
  if (type.starts_with("limpet.run.")) {
    return joined(text_of(data["agent"]), text_of(data["reason"]));
  }
  if (type == "incident.opened") {
    return decimal(data["value"].number_or(0)) + " is above " + decimal(data["above"].number_or(0));
  }
  if (type == "incident.report") {
    std::string text = "evidence of " + text_of(data["evidence"]["tool"]);
    data["evidence"]["value"]["processes"].each([&text, shown = 0](sdk::View process) mutable {
      if (shown++ < 2) text += ", " + std::string(process["name"].text_or("?"));
    });
    return text;
  }
  if (type == "incident.closed") return "peak " + decimal(data["peak"].number_or(0));
  if (data["value"]) return "value " + decimal(data["value"].number_or(0));
  return "";
}

}  // namespace limpet::demo
