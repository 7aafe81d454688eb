// The log of one gateway as history in another one: the same events in the same order, once.

#include "codec/event_cbor.hpp"
#include "tests/integration/gateway.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

// What must survive the journey, and where it was first stored.
struct Traveller {
  std::string id, source, type, subject, origin_epoch;
  uint64_t time = 0, origin_sequence = 0;
  ByteVector data;
  friend bool operator==(const Traveller&, const Traveller&) = default;
};

// Each event of an NDJSON export; those that were imported, or all as they are here.
std::vector<Traveller> read_export(const std::string& text, bool imported) {
  std::vector<Traveller> all;
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    // Keeping the origin turns the place here into the origin's names, unless it has them already.
    auto event = codec::events_from_json(text.substr(begin, end - begin), codec::Origin::keep);
    REQUIRE_MESSAGE(event.ok(), event.detail());
    const Event& one = event->front();
    const bool is_imported =
        text.substr(begin, end - begin).find("\"originepoch\"") != std::string::npos;
    begin = end + 1;
    if (imported && !is_imported) continue;
    const sdk::View extensions{as_text(one.extensions)};
    all.push_back({one.id, one.source, one.type, one.subject,
                   std::string(extensions["originepoch"].text_or("")), one.time.ns,
                   number_of(extensions["originsequence"]), one.data});
  }
  return all;
}

void fill(Gateway& gateway, int count) {
  std::ofstream file(gateway.file("events.ndjson"));
  for (int index = 0; index < count; ++index) {
    file << R"({"specversion":"1.0","source":"lab","type":"lab.item","id":"i-)" << index
         << R"(","subject":"s)" << index % 7 << R"(","time":"2026-01-02T03:04:05.)"
         << 100 + index % 800 << R"(Z","data":{"index":)" << index << R"(,"value":0.5}})"
         << "\n";
  }
  file.close();
  CHECK(gateway.run({"submit", gateway.file("events.ndjson")}).exit_code == 0);
}

std::string export_of(const Gateway& gateway, const std::string& name,
                      std::vector<std::string> more = {}) {
  std::vector<std::string> arguments{"events", "export", "-o", gateway.file(name)};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const ProgramResult result = gateway.run(arguments);
  CHECK_MESSAGE(result.exit_code == 0, result.output);
  return gateway.file(name);
}

}  // namespace

TEST_CASE("export and import: the same events in the same order, and a repeat brings none") {
  Gateway from;
  from.start();
  fill(from, 700);
  const std::string file = export_of(from, "out.ndjson");
  const std::vector<Traveller> before = read_export(read_whole_file(file), false);
  REQUIRE(before.size() > 700);  // our own events too
  CHECK(before.front().type == "limpet.store.state");

  Gateway to;
  to.start();
  const ProgramResult first = to.run({"events", "import", file});
  CHECK_MESSAGE(first.exit_code == 0, first.output);
  CHECK_MESSAGE(contains(first.output, "imported " + std::to_string(before.size()) + ", 0 were"),
                first.output);
  const std::vector<Traveller> after =
      read_export(read_whole_file(export_of(to, "copy.ndjson")), true);
  CHECK(after.size() == before.size());
  CHECK((after == before));

  to.kill();
  to.start();
  const ProgramResult again = to.run({"events", "import", file});
  CHECK_MESSAGE(
      contains(again.output, "imported 0, " + std::to_string(before.size()) + " were there"),
      again.output);
  // Its own export is history that it has.
  const ProgramResult own = from.run({"events", "import", file});
  CHECK_MESSAGE(contains(own.output, "imported 0,"), own.output);
}

TEST_CASE("export and import: one that broke off is repeated from the top, as CBOR too") {
  Gateway from;
  from.start();
  fill(from, 600);
  const std::string lines = read_whole_file(export_of(from, "out.ndjson"));
  const std::string cbor = export_of(from, "out.cbor", {"--format", "cbor"});
  const std::vector<Traveller> before = read_export(lines, false);
  // The export came only in part.
  size_t cut = 0;
  for (int line = 0; line < 300; ++line) cut = lines.find('\n', cut) + 1;
  std::ofstream(from.file("half.ndjson")) << lines.substr(0, cut);

  Gateway to;
  to.start();
  CHECK(contains(to.run({"events", "import", from.file("half.ndjson")}).output, "imported 300,"));
  const ProgramResult rest = to.run({"events", "import", cbor});
  CHECK_MESSAGE(
      contains(rest.output, "imported " + std::to_string(before.size() - 300) + ", 300 were there"),
      rest.output);
  const std::string copy = read_whole_file(export_of(to, "copy.ndjson"));
  CHECK((read_export(copy, true) == before));
}

TEST_CASE("export and import: exports that overlap may come in any order") {
  Gateway from;
  from.start();
  fill(from, 100);
  const std::string part = export_of(from, "part.ndjson", {"--type", "limpet.#"});
  const std::string whole = export_of(from, "whole.ndjson");
  const size_t count = read_export(read_whole_file(whole), false).size();
  Gateway to;
  to.start();
  CHECK(to.run({"events", "import", part}).exit_code == 0);
  CHECK(contains(to.run({"events", "import", whole}).output, "imported 100,"));
  CHECK(read_export(read_whole_file(export_of(to, "copy.ndjson")), true).size() == count);
}

TEST_CASE("import: a damaged file is refused with a sentence, and what came before stays") {
  Gateway gateway;
  gateway.start();
  std::ofstream(gateway.file("bad.ndjson")) << "{\"type\":\"a.b\",\"source\":\"s\"}\nnot json\n";
  const ProgramResult bad = gateway.run({"events", "import", gateway.file("bad.ndjson")});
  CHECK(bad.exit_code == 1);
  CHECK_MESSAGE(contains(bad.output, "event 2"), bad.output);
  std::ofstream(gateway.file("cut.cbor"), std::ios::binary) << "\xa2\x64type";
  const ProgramResult cut = gateway.run({"events", "import", gateway.file("cut.cbor")});
  CHECK(cut.exit_code == 1);
  CHECK_MESSAGE(contains(cut.output, "ends within an event"), cut.output);
}

TEST_CASE("events: --since and --pace are told to the daemon") {
  Gateway gateway;
  gateway.start();
  fill(gateway, 10);
  const ProgramResult hour = gateway.run({"events", "--type", "lab.#", "--since", "1h"});
  CHECK(hour.exit_code == 0);
  CHECK(gateway.run({"events", "--since", "soon"}).exit_code == 2);
  const ProgramResult paced = gateway.run(
      {"events", "--type", "lab.#", "--limit", "5", "--pace", "original", "--speed", "100"});
  CHECK_MESSAGE(paced.exit_code == 0, paced.output);
  CHECK(lines_of(paced.output) == 5);
  CHECK(gateway.run({"events", "--pace", "original", "--speed", "0"}).exit_code == 1);
}
