#include "host/discovery.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "platform/files.hpp"
#include "step_executor.hpp"

using namespace limpet;
using namespace limpet::host;
using limpet::host::test::plugin_path;
namespace fs = std::filesystem;

namespace {

// A directory of its own that goes when the test does.
class Directory {
 public:
  Directory() {
    char pattern[] = "/tmp/limpet-host-XXXXXX";
    REQUIRE(mkdtemp(pattern) != nullptr);
    path_ = pattern;
  }
  ~Directory() { fs::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ + "/" + name, std::ios::binary) << content;
    return path_ + "/" + name;
  }
  void copy(const std::string& plugin, const std::string& name) const {
    fs::copy_file(plugin_path(plugin), path_ + "/" + name);
  }

 private:
  std::string path_;
};

std::string content_of(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

Refusal refusal_of(const Inspected& inspected) {
  REQUIRE(std::holds_alternative<Refusal>(inspected));
  return std::get<Refusal>(inspected);
}

bool contains(const std::string& text, const std::string& part) {
  CAPTURE(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("discovery: a plugin's manifest is read from its file") {
  const Inspected inspected = inspect_plugin(plugin_path("stray"));
  REQUIRE(std::holds_alternative<PluginFile>(inspected));
  const PluginFile& file = std::get<PluginFile>(inspected);
  CHECK(file.manifest.id == "org.limpet.test.stray");
  CHECK(file.manifest.tools.size() > 20);
  CHECK(file.elf.target == platform::this_target());
}

TEST_CASE("discovery: each file that is no usable plugin is refused with one clear sentence") {
  const Directory directory;
  const Refusal missing = refusal_of(inspect_plugin(directory.path() + "/none.so"));
  CHECK(missing.error.code == ErrorCode::not_found);
  CHECK(contains(missing.sentence, "none.so does not exist"));

  const Refusal text = refusal_of(inspect_plugin(directory.write("text.so", "just a text file")));
  CHECK(text.error.code == ErrorCode::unsupported);
  CHECK(contains(text.sentence, "is not an ELF file"));

  std::string bytes = content_of(plugin_path("stray"));
  const Refusal cut = refusal_of(inspect_plugin(directory.write("cut.so", bytes.substr(0, 999))));
  CHECK(cut.error.code == ErrorCode::corrupt);
  CHECK(contains(cut.sentence, "damaged or cut off"));

  bytes[18] = 8;  // e_machine: MIPS, on whatever this is
  const Refusal machine = refusal_of(inspect_plugin(directory.write("mips.so", bytes)));
  CHECK(machine.error.code == ErrorCode::unsupported);
  CHECK(contains(machine.sentence, "is built for "));
  CHECK(contains(machine.sentence, "MIPS"));
  CHECK(contains(machine.sentence, to_string(platform::this_target())));

  const Refusal program = refusal_of(inspect_plugin("/proc/self/exe"));
  CHECK(program.error.code == ErrorCode::unsupported);

  const Refusal future = refusal_of(inspect_plugin(plugin_path("future")));
  CHECK(future.error.code == ErrorCode::unsupported);
  CHECK(contains(future.sentence, "is built for plugin ABI 0.7, this Limpet speaks 0.1"));

  const Refusal vague = refusal_of(inspect_plugin(plugin_path("vague")));
  CHECK(vague.error.code == ErrorCode::corrupt);
  CHECK(contains(vague.sentence, "tools[0].hints: is missing"));
}

TEST_CASE("discovery: a plugin is found by its id in the first directory that has it") {
  const Directory first;
  const Directory second;
  first.write("readme.txt", "no plugin");
  first.write("broken.so", "no plugin either");
  second.copy("stray", "other-name.so");
  const Inspected inspected =
      find_plugin({"/nonexistent", first.path(), second.path()}, "org.limpet.test.stray");
  REQUIRE(std::holds_alternative<PluginFile>(inspected));
  CHECK(std::get<PluginFile>(inspected).path == second.path() + "/other-name.so");

  first.copy("stray", "stray.so");
  const Inspected earlier = find_plugin({first.path(), second.path()}, "org.limpet.test.stray");
  REQUIRE(std::holds_alternative<PluginFile>(earlier));
  CHECK(std::get<PluginFile>(earlier).path == first.path() + "/stray.so");
}

TEST_CASE("discovery: what is not found names what was passed over") {
  const Directory directory;
  directory.write("broken.so", "no plugin");
  const Refusal none = refusal_of(find_plugin({directory.path()}, "org.limpet.none"));
  CHECK(none.error.code == ErrorCode::not_found);
  CHECK(contains(none.sentence, "no plugin org.limpet.none in " + directory.path()));
  CHECK(contains(none.sentence, "broken.so is not an ELF file"));
  CHECK(contains(refusal_of(find_plugin({}, "org.limpet.none")).sentence, "empty plugin path"));
}

TEST_CASE("discovery: an id that is there twice must be named by its path") {
  const Directory directory;
  directory.copy("stray", "a.so");
  directory.copy("stray", "b.so");
  const Refusal twice = refusal_of(find_plugin({directory.path()}, "org.limpet.test.stray"));
  CHECK(twice.error.code == ErrorCode::conflict);
  CHECK(contains(twice.sentence, "a.so and "));
  CHECK(contains(twice.sentence, "`path`"));
}
