#include "tests/bench/report.hpp"

#include <cmath>
#include <cstdio>

namespace limpet::bench {

namespace {

// Three digits that matter; whole numbers above that.
std::string show(double value) {
  char text[64];
  const double size = std::fabs(value);
  const int digits = size >= 100 || size == 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string join(const Params& params, const char* between, bool quoted) {
  std::string text;
  for (const auto& [name, value] : params) {
    if (!text.empty()) text += between;
    text += quoted ? "\"" + name + "\":" + value : name + " " + value;
  }
  return text;
}

}  // namespace

void Report::add(const std::string& workload, const Params& params,
                 const std::vector<Figures>& runs) {
  if (!json_) std::printf("\n%s: %s\n", workload.c_str(), join(params, ", ", false).c_str());
  for (const Figure& named : runs.front()) {
    std::vector<double> values;
    for (const Figures& run : runs) values.push_back(figure(run, named.name));
    const Spread spread = spread_of(values);
    if (json_) {
      print_json(workload, params, named, spread);
    } else {
      std::printf("  %-24s %12s %-4s  (%s to %s)\n", named.name.c_str(),
                  show(spread.median).c_str(), named.unit.c_str(), show(spread.min).c_str(),
                  show(spread.max).c_str());
    }
  }
  std::fflush(stdout);
}

void Report::print_json(const std::string& workload, const Params& params, const Figure& named,
                        const Spread& spread) const {
  std::printf(
      "{\"workload\":\"%s\",\"name\":\"%s\",\"value\":%.10g,\"unit\":\"%s\",\"min\":%.10g,"
      "\"max\":%.10g,\"params\":{%s}}\n",
      workload.c_str(), named.name.c_str(), spread.median, named.unit.c_str(), spread.min,
      spread.max, join(params, ",", true).c_str());
}

}  // namespace limpet::bench
