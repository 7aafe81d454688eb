#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <limpet/cpp/testing.hpp>
#include <sstream>
#include <thread>

extern "C" const limpet_entry_point limpet_entry_notify;

using namespace limpet::sdk;
using testing::Finished;
using testing::Instance;
using testing::object;

namespace {

class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "notify-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  std::string file(const char* name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

Encoder config(const std::string& path, uint64_t delay_ms = 0) {
  return object([&](Encoder& out) { out.put("path", path).put("delay_ms", delay_ms); });
}

Encoder text(std::string_view value) {
  return object([&](Encoder& out) { out.put("text", value); });
}

}  // namespace

TEST_CASE("notify: a call appends one line that begins with its key") {
  const TempFolder folder;
  Instance instance(limpet_entry_notify, config(folder.file("notices")));
  REQUIRE(instance.activate() == LIMPET_OK);
  CHECK(instance.call("write", text("first"), "r1/s/0").outcome == LIMPET_DONE);
  CHECK(instance.call("write", text("two\nlines\t"), "r1/s/1").outcome == LIMPET_DONE);
  CHECK(read_file(folder.file("notices")) == "r1/s/0\tfirst\nr1/s/1\ttwo lines \n");
}

TEST_CASE("notify: it is not idempotent, the same key writes twice") {
  const TempFolder folder;
  Instance instance(limpet_entry_notify, config(folder.file("notices")));
  REQUIRE(instance.activate() == LIMPET_OK);
  instance.call("write", text("x"), "k");
  instance.call("write", text("x"), "k");
  CHECK(read_file(folder.file("notices")) == "k\tx\nk\tx\n");
}

TEST_CASE("notify: a config without a path is refused with a sentence") {
  Encoder empty;
  empty.map([] {});
  Instance instance(limpet_entry_notify, empty);
  CHECK(instance.check() == LIMPET_INVALID);
  CHECK(instance.activate() == LIMPET_INVALID);
  CHECK(instance.host().error == "path: the name of a file");
}

TEST_CASE("notify: a file that cannot be opened means that nothing happened") {
  const TempFolder folder;
  Instance instance(limpet_entry_notify, config(folder.file("no/such/folder")));
  REQUIRE(instance.activate() == LIMPET_OK);
  const Finished finished = instance.call("write", text("x"));
  CHECK(finished.outcome == LIMPET_RETRY);
  CHECK(finished.error.find("cannot open") == 0);
}

TEST_CASE("notify: a full device means that nothing happened") {
  Instance instance(limpet_entry_notify, config("/dev/full"));
  REQUIRE(instance.activate() == LIMPET_OK);
  CHECK(instance.call("write", text("x")).outcome == LIMPET_RETRY);
}

TEST_CASE("notify: wrong arguments fail for good") {
  const TempFolder folder;
  Instance instance(limpet_entry_notify, config(folder.file("notices")));
  REQUIRE(instance.activate() == LIMPET_OK);
  Encoder number;
  number.map([&] { number.put("text", 5); });
  CHECK(instance.call("write", number).outcome == LIMPET_FAILED);
  CHECK(instance.call("write", text("x"), "bad\tkey").outcome == LIMPET_FAILED);
  CHECK_FALSE(std::filesystem::exists(folder.file("notices")));
}

TEST_CASE("notify: lookup tells written from never written") {
  const TempFolder folder;
  Instance instance(limpet_entry_notify, config(folder.file("notices")));
  REQUIRE(instance.activate() == LIMPET_OK);
  CHECK(instance.lookup("write", text("x"), "r/s/1").outcome == LIMPET_RETRY);
  instance.call("write", text("x"), "r/s/10");
  CHECK(instance.lookup("write", text("x"), "r/s/10").outcome == LIMPET_DONE);
  CHECK(instance.lookup("write", text("x"), "r/s/1").outcome == LIMPET_RETRY);
  CHECK(instance.lookup("write", text("x"), "s/10").outcome == LIMPET_RETRY);
}

TEST_CASE("notify: a torn line is unknown, and the next line stands alone") {
  const TempFolder folder;
  write_file(folder.file("notices"), "a\tone\nr/s/1\thal");
  Instance instance(limpet_entry_notify, config(folder.file("notices")));
  REQUIRE(instance.activate() == LIMPET_OK);
  CHECK(instance.lookup("write", text("half"), "r/s/1").outcome == LIMPET_UNKNOWN);
  CHECK(instance.lookup("write", text("next"), "r/s/2").outcome == LIMPET_RETRY);
  instance.call("write", text("next"), "r/s/2");
  CHECK(read_file(folder.file("notices")) == "a\tone\nr/s/1\thal\nr/s/2\tnext\n");
  CHECK(instance.lookup("write", text("half"), "r/s/1").outcome == LIMPET_UNKNOWN);
  CHECK(instance.lookup("write", text("next"), "r/s/2").outcome == LIMPET_DONE);
}

TEST_CASE("notify: lookup reads a bounded tail, and does not pretend to know what is before it") {
  const TempFolder folder;
  std::string old = "first\tx\n";
  while (old.size() < 3u * 1024 * 1024) old += "filler\tsome text that fills the file\n";
  write_file(folder.file("notices"), old + "last\tx\n");
  Instance instance(limpet_entry_notify, config(folder.file("notices")));
  REQUIRE(instance.activate() == LIMPET_OK);
  CHECK(instance.lookup("write", text("x"), "last").outcome == LIMPET_DONE);
  CHECK(instance.lookup("write", text("x"), "first").outcome == LIMPET_UNKNOWN);
  CHECK(instance.lookup("write", text("x"), "never").outcome == LIMPET_UNKNOWN);
}

// Ten minutes of delay: only a cancel ends these calls in time.
TEST_CASE("notify: a call cancelled before the write leaves the file alone") {
  const TempFolder folder;
  Instance instance(limpet_entry_notify, config(folder.file("notices"), 600000));
  REQUIRE(instance.activate() == LIMPET_OK);
  const uint64_t id = instance.next_id();
  Finished finished;
  std::thread caller([&] { finished = instance.call("write", text("x")); });
  std::atomic<bool> ended = false;
  // The call may not have begun to wait yet, so the wish is repeated until it was heard.
  std::thread canceller([&] {
    while (!ended) {
      instance.cancel(id);
      std::this_thread::yield();
    }
  });
  caller.join();
  ended = true;
  canceller.join();
  CHECK(finished.outcome == LIMPET_RETRY);
  CHECK_FALSE(std::filesystem::exists(folder.file("notices")));
}

TEST_CASE("notify: a deadline before the write means that nothing happened") {
  const TempFolder folder;
  Instance instance(limpet_entry_notify, config(folder.file("notices"), 600000));
  REQUIRE(instance.activate() == LIMPET_OK);
  const Encoder arguments = text("x");
  const limpet_call call = {sizeof call, 1, 77, 1, "write", "k", arguments.bytes()};
  const auto* tools = instance.extension<limpet_plugin_tools>(LIMPET_EXT_TOOLS);
  CHECK(tools->call(instance.plugin(), &call) == LIMPET_OK);
  CHECK(instance.host().wait_finished(77).outcome == LIMPET_RETRY);
  CHECK_FALSE(std::filesystem::exists(folder.file("notices")));
}

TEST_CASE("notify: the cancel of an unknown call is ignored") {
  const TempFolder folder;
  Instance instance(limpet_entry_notify, config(folder.file("notices")));
  REQUIRE(instance.activate() == LIMPET_OK);
  instance.cancel(4711);
  CHECK(instance.call("write", text("x")).outcome == LIMPET_DONE);
}
