// limpet check: what would run, or everything that keeps it from running.

#include "cli/verbs.hpp"
#include "codec/json.hpp"

namespace limpet::cli {

namespace {

// {"ok":true,"report":["name      gateway-7", ...]}: the same lines that a person sees.
std::string report_json(const CheckReport& report) {
  std::string json =
      report.exit_code == 0 ? R"({"ok":true,"report":[)" : R"({"ok":false,"report":[)";
  std::string_view rest = report.text;
  bool first = true;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    if (!first) json.push_back(',');
    first = false;
    codec::append_json_text(json, rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  return json + "]}\n";
}

}  // namespace

Exit check(const Context& context, const Checker& checker) {
  const CheckReport report = checker(context.globals);
  const bool good = report.exit_code == 0;
  if (context.globals.json) {
    context.out << report_json(report);
  } else {
    (good ? context.out : context.err) << report.text;
  }
  return good ? Exit::ok : Exit::failed;
}

}  // namespace limpet::cli
