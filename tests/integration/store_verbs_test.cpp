// The store's keeping, through the built program: verbs beside a daemon and without one, and what
// the daemon does with a file that was damaged while it was down.

#include <filesystem>
#include <limpet/cpp/value.hpp>

#include "tests/integration/gateway.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

constexpr uint64_t page_bytes = 4096;

void overwrite(const std::string& file, uint64_t offset, const std::string& bytes) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(static_cast<std::streamoff>(offset));
  stream << bytes;
  REQUIRE(stream.good());
}

// The last limpet.store.state event, whose data says what the start found. What is acknowledged
// after it says that it is on disk.
LogEvent last_opening(Gateway& gateway) {
  gateway.post("test.later");
  auto log = read_log(gateway.socket(), "?type=limpet.store.state");
  REQUIRE(log);
  REQUIRE_FALSE(log->empty());
  return std::move(log->back());
}

}  // namespace

TEST_CASE("limpet store: beside a daemon info is its own account, and the others wait") {
  Gateway gateway;
  gateway.start();
  gateway.post("lab.reading", 3);
  const ProgramResult info = gateway.run({"store", "info"});
  CHECK_MESSAGE(info.exit_code == 0, info.output);
  CHECK_MESSAGE(contains(info.output, "served: true"), info.output);
  CHECK(contains(info.output, "store.state: ok"));
  for (const char* const verb : {"verify", "compact"}) {
    const ProgramResult refused = gateway.run({"store", verb});
    CHECK(refused.exit_code == 3);
    CHECK_MESSAGE(contains(refused.output, "stop it first"), refused.output);
  }
  const ProgramResult copied = gateway.run({"store", "backup", gateway.file("copy")});
  CHECK(copied.exit_code == 3);
  const ProgramResult doctor = gateway.run({"doctor"});
  CHECK_MESSAGE(doctor.exit_code == 0, doctor.output);
  CHECK_MESSAGE(contains(doctor.output, "it serves at"), doctor.output);
}

TEST_CASE("limpet store: a stopped one is verified, copied and compacted, and serves again") {
  Gateway gateway;
  gateway.start();
  const uint64_t last = gateway.post("lab.reading", 20);
  gateway.stop_gracefully();

  const ProgramResult verified = gateway.run({"store", "verify"});
  CHECK_MESSAGE(verified.exit_code == 0, verified.output);
  const ProgramResult copied = gateway.run({"store", "backup", gateway.file("copy")});
  CHECK_MESSAGE(copied.exit_code == 0, copied.output);
  const ProgramResult compacted = gateway.run({"store", "compact"});
  CHECK_MESSAGE(compacted.exit_code == 0, compacted.output);
  const ProgramResult events = gateway.run({"events", "--type", "lab.#", "--json"});
  CHECK_MESSAGE(lines_of(events.output) == 20, events.output);
  const ProgramResult status = gateway.run({"status"});
  CHECK_MESSAGE(contains(status.output, "store.state: stopped"), status.output);
  const ProgramResult doctor = gateway.run({"doctor", "--verify"});
  CHECK_MESSAGE(doctor.exit_code == 0, doctor.output);
  CHECK(contains(doctor.output, "rows are good"));

  gateway.start();
  CHECK(gateway.post("lab.reading") > last);
  const LogEvent opening = last_opening(gateway);
  CHECK(opening.view()["data"]["new_epoch"].bool_or(true) == false);
  gateway.stop_gracefully();

  // The copy in the place of the original: the same events, another epoch.
  std::filesystem::remove_all(gateway.file("data"));
  std::filesystem::rename(gateway.file("copy"), gateway.file("data"));
  gateway.start();
  const LogEvent restored = last_opening(gateway);
  CHECK(restored.view()["data"]["new_epoch"].bool_or(false));
  CHECK(gateway.post("lab.reading") > last);
}

TEST_CASE("limpet: kills are counted at the next start, and an orderly stop ends the count") {
  Gateway gateway;
  for (int round = 0; round < 2; ++round) {
    gateway.start();
    gateway.kill();
  }
  const ProgramResult doctor = gateway.run({"doctor"});
  CHECK_MESSAGE(contains(doctor.output, "2 did not end in order"), doctor.output);
  gateway.start();
  CHECK(number_of(last_opening(gateway).view()["data"]["unclean_starts"]) == 2);
  gateway.stop_gracefully();
  gateway.start();
  CHECK(number_of(last_opening(gateway).view()["data"]["unclean_starts"]) == 0);
}

TEST_CASE("limpet: one bad meta page does not keep the daemon from starting") {
  Gateway gateway;
  gateway.start();
  gateway.post("lab.reading", 5);
  gateway.stop_gracefully();
  overwrite(gateway.file("data/store.mdb"), page_bytes, std::string(page_bytes, '\xff'));
  const ProgramResult doctor = gateway.run({"doctor"});
  CHECK(doctor.exit_code == 1);
  CHECK_MESSAGE(contains(doctor.output, "next start repairs it"), doctor.output);
  gateway.start();
  const LogEvent opening = last_opening(gateway);
  CHECK(opening.view()["data"]["state"].text_or("") == "repaired");
  CHECK(opening.view()["data"]["new_epoch"].bool_or(false));
  const auto log = read_log(gateway.socket(), "?type=lab.reading");
  REQUIRE(log);
  CHECK(log->size() >= 4);
}

// vector #18130, mosquitto #3160: a corrupt file kept the program from starting until somebody
// deleted a directory by hand.
TEST_CASE("limpet: a store whose pages are noise is set aside, and the daemon serves") {
  Gateway gateway;
  gateway.start();
  gateway.post("lab.reading", 5);
  gateway.stop_gracefully();
  std::string noise;
  for (size_t index = 0; index < 16 * page_bytes; ++index) {
    noise.push_back(static_cast<char>(index * 167 + index / 256));
  }
  overwrite(gateway.file("data/store.mdb"), 2 * page_bytes, noise);
  // As the service manager does: it may take some crashes until the file is looked at.
  for (int attempt = 0; attempt < 3; ++attempt) {
    ChildProgram daemon(
        {Gateway::program(), {"run", "--config", gateway.config()}, {}, gateway.file("said.txt")});
    DaemonClient client(gateway.socket());
    if (client.wait_ready(daemon, Gateway::limit)) break;
  }
  gateway.start();
  CHECK_MESSAGE(contains(gateway.said(), "set aside as store.mdb.damaged"), gateway.said());
  CHECK(gateway.post("lab.reading") > 0);
  CHECK(std::filesystem::exists(gateway.file("data/store.mdb.damaged")));
  const ProgramResult doctor = gateway.run({"doctor"});
  CHECK_MESSAGE(contains(doctor.output, "a damaged file was set aside"), doctor.output);
}

TEST_CASE("limpet doctor: a config with a fault and a disk that is not mounted are problems") {
  const Gateway bad("[nonsense]\nkey = 1\n");
  const ProgramResult config = bad.run({"doctor"});
  CHECK(config.exit_code == 1);
  CHECK_MESSAGE(contains(config.output, "problem  config"), config.output);
  const Gateway unmounted;
  std::ofstream(unmounted.config()) << "[store]\npath = \"data\"\ncreate = \"never\"\n"
                                    << "max_bytes = \"16MiB\"\n";
  const ProgramResult json = unmounted.run({"doctor", "--json"});
  CHECK(json.exit_code == 1);
  CHECK_MESSAGE(contains(json.output, "is the disk mounted?"), json.output);
}
