// The verbs that read a store which nobody serves, and doctor over findings that a test makes.

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "cli/command_line.hpp"
#include "codec/records.hpp"
#include "model/run.hpp"
#include "store/stopped_store.hpp"
#include "tests/unit/store/store_fixture.hpp"
#include "tests/unit/store/tamper.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

struct Ran {
  int exit;
  std::string out;
  std::string err;
};

struct Shell {
  std::map<std::string, std::string> variables;
  cli::Examination examination;
  bool asked_to_verify = false;

  Ran run(const std::vector<std::string>& arguments) {
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    const cli::Surroundings surroundings = {
        in,
        out,
        err,
        [this](const char* name) {
          const auto found = variables.find(name);
          return found == variables.end() ? std::nullopt : std::optional(found->second);
        },
        [](const cli::Globals&) { return 7; },
        [](const cli::Globals&) { return cli::CheckReport{}; },
        [this](const cli::Globals&, bool verify) {
          asked_to_verify = verify;
          return examination;
        }};
    const int exit = cli::run_command_line(arguments, surroundings);
    return {exit, out.str(), err.str()};
  }
};

// A store with ten events of two types, closed; every verb is run on it.
struct Stopped : StoreFixture {
  Shell shell;

  Stopped() {
    open();
    for (int index = 0; index < 5; ++index) {
      append("lab.reading");
      append("door.opened");
    }
    store.reset();
  }
  Ran run(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--data", options.directory});
    return shell.run(arguments);
  }
  [[nodiscard]] std::string file() const { return store::store_file(options.directory); }
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

size_t lines_in(const std::string& text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("limpet store info: says what a stopped store holds") {
  Stopped stopped;
  const Ran info = stopped.run({"store", "info"});
  CHECK_MESSAGE(info.exit == 0, info.err);
  CHECK_MESSAGE(contains(info.out, "store.state: stopped"), info.out);
  CHECK(contains(info.out, "store.events: 10"));
  CHECK(contains(info.out, "store.last: 10"));
  CHECK(contains(info.out, "runs.waiting: 0"));
  CHECK(contains(info.out, "classes.work.events: 10"));
  const Ran json = stopped.run({"store", "info", "--json"});
  CHECK_MESSAGE(contains(json.out, R"("events":10)"), json.out);
  const Ran rows = stopped.run({"store", "info", "--rows"});
  CHECK_MESSAGE(contains(rows.out, "events"), rows.out);
  const Ran rows_json = stopped.run({"store", "info", "--rows", "--json"});
  CHECK_MESSAGE(contains(rows_json.out, R"({"region":"z","holds":"events","rows":10,)"),
                rows_json.out);
}

TEST_CASE("limpet store: without a store each verb says so") {
  Stopped stopped;
  const std::string nowhere = stopped.directory.file("nowhere");
  for (const char* const verb : {"info", "verify", "compact"}) {
    const Ran ran = stopped.shell.run({"store", verb, "--data", nowhere});
    CHECK(ran.exit == 1);
    CHECK_MESSAGE(contains(ran.err, "there is no store in this directory"), ran.err);
    CHECK(lines_in(ran.err) == 1);
  }
  CHECK(stopped.shell.run({"store"}).exit == 2);
  CHECK(stopped.shell.run({"store", "backup", "--data", nowhere}).exit == 2);
}

TEST_CASE("limpet store: what needs a stopped store says that a daemon uses it, exit code 3") {
  Stopped stopped;
  stopped.open();
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"store", "verify"},
        {"store", "compact"},
        {"store", "backup", stopped.directory.file("copy")},
        {"store", "info", "--rows"}}) {
    const Ran ran = stopped.run(arguments);
    CHECK(ran.exit == 3);
    CHECK_MESSAGE(contains(ran.err, "stop it first"), ran.err);
  }
}

TEST_CASE("limpet store verify: good is 0, damage is 1 and named") {
  Stopped stopped;
  const Ran good = stopped.run({"store", "verify"});
  CHECK_MESSAGE(good.exit == 0, good.out);
  CHECK(contains(good.out, "11 rows read: 10 events"));
  change_rows(stopped.file(), [](MDB_txn* transaction, MDB_dbi tree) {
    ByteVector record = get_row(transaction, tree, store::log_key(Sequence(7), 0));
    record.back() ^= 1;
    put_row(transaction, tree, store::log_key(Sequence(7), 0), record);
  });
  const Ran bad = stopped.run({"store", "verify"});
  CHECK(bad.exit == 1);
  CHECK_MESSAGE(contains(bad.out, "event 7"), bad.out);
  const Ran json = stopped.run({"store", "verify", "--json"});
  CHECK(json.exit == 1);
  CHECK_MESSAGE(contains(json.out, R"("good":false)"), json.out);
  CHECK_MESSAGE(contains(json.out, R"([{"row":"event 7")"), json.out);
}

TEST_CASE("limpet store verify: a page that crashes its reader does not crash the verb") {
  Stopped stopped;
  write_bytes(stopped.file(), root_offset(stopped.file()),
              ByteVector(store::store_page_bytes, 0xff));
  const Ran broken = stopped.run({"store", "verify"});
  CHECK(broken.exit == 1);
  CHECK_MESSAGE(contains(broken.out, "broken: restore a backup"), broken.out);
}

TEST_CASE("limpet store backup and compact: copies hold what the original held") {
  Stopped stopped;
  const std::string target = stopped.directory.file("backup");
  const Ran copied = stopped.run({"store", "backup", target});
  CHECK_MESSAGE(copied.exit == 0, copied.err);
  const Ran info = stopped.shell.run({"store", "info", "--data", target});
  CHECK_MESSAGE(contains(info.out, "store.events: 10"), info.out);
  CHECK(contains(info.out, "store.epoch_due: true"));
  const Ran again = stopped.run({"store", "backup", target});
  CHECK(again.exit == 1);
  CHECK_MESSAGE(contains(again.err, "holds a store already"), again.err);
  const Ran compacted = stopped.run({"store", "compact", "--json"});
  CHECK_MESSAGE(compacted.exit == 0, compacted.err);
  CHECK(contains(compacted.out, "\"bytes_before\":"));
  CHECK(stopped.run({"store", "verify"}).exit == 0);
}

TEST_CASE("limpet status and events: read a store that nobody serves") {
  Stopped stopped;
  const Ran status = stopped.run({"status"});
  CHECK_MESSAGE(status.exit == 0, status.err);
  CHECK(contains(status.out, "store.state: stopped"));
  const Ran all = stopped.run({"events"});
  CHECK_MESSAGE(all.exit == 0, all.err);
  CHECK(lines_in(all.out) == 10);
  const Ran some = stopped.run({"events", "--type", "lab.*", "--from", "3", "--to", "8", "--json"});
  CHECK_MESSAGE(lines_in(some.out) == 3, some.out);
  CHECK(contains(some.out, R"("type":"lab.reading")"));
  CHECK(contains(some.out, R"("sequence":7)"));
  CHECK(lines_in(stopped.run({"events", "--limit", "2"}).out) == 2);
  CHECK(lines_in(stopped.run({"events", "--subject", "oven"}).out) == 0);
  CHECK(stopped.run({"events", "--type", "a..b"}).exit == 2);
  const Ran followed = stopped.run({"events", "--follow"});
  CHECK(followed.exit == 1);
  CHECK_MESSAGE(contains(followed.err, "is limpet running?"), followed.err);
}

TEST_CASE("limpet runs: lists and shows runs of a store that nobody serves, the newest first") {
  Stopped stopped;
  stopped.open();
  for (const uint64_t number : {uint64_t{3}, uint64_t{8}}) {
    store::Change change = stopped.store->begin();
    Run run;
    run.id = RunId(number);
    run.epoch = stopped.store->epoch();
    run.agent = number == 3 ? "watchdog" : "clerk";
    run.state = number == 3 ? RunState::failed : RunState::waiting;
    run.reason = number == 3 ? "deadline" : "";
    run.steps = 1;
    Step step;
    step.ordinal = Ordinal(1);
    step.name = "look";
    step.tool = "sysinfo.read";
    change.put(store::run_key(run.id, Ordinal()), codec::encode_run(run).value());
    change.put(store::run_key(run.id, Ordinal(1)), codec::encode_step(step).value());
    ++change.hot().runs[static_cast<size_t>(run.state)];
    REQUIRE(stopped.store->submit(std::move(change)).ok());
    stopped.store->drain();
  }
  const std::string id = qualified_id(stopped.store->epoch(), 3);
  stopped.store.reset();
  const Ran all = stopped.run({"runs"});
  CHECK_MESSAGE(all.exit == 0, all.err);
  CHECK_MESSAGE(lines_in(all.out) == 3, all.out);
  CHECK(all.out.find("clerk") < all.out.find("watchdog"));
  CHECK(lines_in(stopped.run({"runs", "--state", "failed"}).out) == 2);
  CHECK(lines_in(stopped.run({"runs", "--limit", "1"}).out) == 2);
  const Ran shown = stopped.run({"runs", "show", id});
  CHECK_MESSAGE(shown.exit == 0, shown.err);
  CHECK_MESSAGE(contains(shown.out, "reason: deadline"), shown.out);
  CHECK(contains(shown.out, "sysinfo.read"));
  const Ran json = stopped.run({"runs", "show", id, "--json"});
  CHECK_MESSAGE(contains(json.out, R"("steps":[{"ordinal":1,"name":"look")"), json.out);
  const Ran missing = stopped.run({"runs", "show", qualified_id(Epoch(42), 99)});
  CHECK(missing.exit == 1);
  CHECK_MESSAGE(contains(missing.err, "there is no such run"), missing.err);
}

TEST_CASE("limpet events: damaged events are said, not passed over in silence") {
  Stopped stopped;
  change_rows(stopped.file(), [](MDB_txn* transaction, MDB_dbi tree) {
    put_row(transaction, tree, store::log_key(Sequence(4), 0), as_bytes("nothing"));
  });
  const Ran ran = stopped.run({"events"});
  CHECK(ran.exit == 1);
  CHECK(lines_in(ran.out) == 9);
  CHECK_MESSAGE(contains(ran.err, "1 damaged events"), ran.err);
}

TEST_CASE("limpet status: with a socket named alone, the store of this machine is not looked at") {
  Stopped stopped;
  const Ran ran = stopped.shell.run({"status", "--socket", stopped.directory.file("no.sock")});
  CHECK(ran.exit == 1);
  CHECK_MESSAGE(contains(ran.err, "is limpet running?"), ran.err);
}

TEST_CASE("limpet doctor: all well is 0, one problem is 1, with what to do") {
  Stopped stopped;
  stopped.shell.examination.findings = {
      {"config", cli::FindingLevel::well, "the config is good", ""},
      {"starts", cli::FindingLevel::note, "1 did not end in order", "look for kills"}};
  const Ran well = stopped.run({"doctor"});
  CHECK_MESSAGE(well.exit == 0, well.out);
  CHECK(contains(well.out, "no daemon runs"));
  CHECK(contains(well.out, "-> look for kills"));
  CHECK_FALSE(stopped.shell.asked_to_verify);
  stopped.shell.examination.findings.push_back(
      {"disk", cli::FindingLevel::problem, "the disk is \"full\"", "make room"});
  const Ran ill = stopped.run({"doctor", "--verify", "--json"});
  CHECK(ill.exit == 1);
  CHECK(stopped.shell.asked_to_verify);
  CHECK_MESSAGE(contains(ill.out, R"({"ok":false,"findings":[{"part":"config","level":"well")"),
                ill.out);
  CHECK(contains(ill.out, R"("text":"the disk is \"full\"","advice":"make room"})"));
}

TEST_CASE("limpet doctor: a store in use whose daemon does not answer is a problem") {
  Stopped stopped;
  stopped.shell.examination.store_in_use = true;
  const Ran ran = stopped.run({"doctor"});
  CHECK(ran.exit == 1);
  CHECK_MESSAGE(contains(ran.out, "nobody answers"), ran.out);
}
