// limpet doctor: what is well, what is not, and what to do; one page.

#include <cerrno>

#include "cli/item.hpp"
#include "cli/remote.hpp"
#include "cli/verbs.hpp"
#include "codec/json.hpp"

namespace limpet::cli {

namespace {

std::string_view level_name(FindingLevel level) {
  switch (level) {
    case FindingLevel::well: return "well";
    case FindingLevel::note: return "note";
    case FindingLevel::problem: return "problem";
  }
  return "problem";
}

// Does whoever holds the store also answer?
Finding examine_socket(const Context& context, bool store_in_use) {
  const std::string socket = find_socket(context.globals);
  Result<HttpClient> client = HttpClient::connect(socket, seconds(5));
  if (!client.ok()) {
    if (store_in_use) {
      return {
          "daemon", FindingLevel::problem,
          "the store is in use and nobody answers at " + socket + ": " + to_string(client.error()),
          "another daemon, or another tool, may hold the store; or --socket is missing"};
    }
    return {"daemon", FindingLevel::note, "no daemon runs", ""};
  }
  const Result<HttpResponse> answer = client->call({"GET", "/healthz", {}, ""});
  if (!answer.ok()) {
    return {"daemon", FindingLevel::problem,
            "it listens at " + socket + " and does not answer: " + to_string(answer.error()),
            "look at its log; restart it"};
  }
  if (answer->status == 200) return {"daemon", FindingLevel::well, "it serves at " + socket, ""};
  std::string text = "it serves and is not well: status " + std::to_string(answer->status);
  if (const auto problem = codec::json_to_cbor(answer->body)) {
    const std::string detail = display(member(*problem, "detail"));
    if (!detail.empty()) text = detail;
  }
  return {"daemon", FindingLevel::problem, text, "look at its log; restart it"};
}

void print_text(const Context& context, const std::vector<Finding>& findings) {
  for (const Finding& finding : findings) {
    std::string line(level_name(finding.level));
    line.resize(9, ' ');
    line += finding.part;
    line.resize(std::max<size_t>(line.size() + 1, 18), ' ');
    context.out << line << finding.text << "\n";
    if (!finding.advice.empty())
      context.out << std::string(18, ' ') << "-> " << finding.advice << "\n";
  }
}

void print_json(const Context& context, const std::vector<Finding>& findings, bool good) {
  std::string json = good ? R"({"ok":true,"findings":[)" : R"({"ok":false,"findings":[)";
  for (const Finding& finding : findings) {
    if (json.back() == '}') json.push_back(',');
    json.append(R"({"part":)");
    codec::append_json_text(json, finding.part);
    json.append(R"(,"level":)");
    codec::append_json_text(json, level_name(finding.level));
    json.append(R"(,"text":)");
    codec::append_json_text(json, finding.text);
    json.append(R"(,"advice":)");
    codec::append_json_text(json, finding.advice);
    json.push_back('}');
  }
  context.out << json << "]}\n";
}

}  // namespace

Exit doctor(const Context& context, const DoctorOptions& options, const Examiner& examiner) {
  Examination found = examiner(context.globals, options.verify);
  found.findings.push_back(examine_socket(context, found.store_in_use));
  bool good = true;
  for (const Finding& finding : found.findings) {
    good = good && finding.level != FindingLevel::problem;
  }
  if (context.globals.json) {
    print_json(context, found.findings, good);
  } else {
    print_text(context, found.findings);
  }
  return good ? Exit::ok : Exit::failed;
}

}  // namespace limpet::cli
