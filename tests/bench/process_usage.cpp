#include "tests/bench/process_usage.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace limpet::bench {

namespace {

std::string path_of(pid_t process, const char* file) {
  return "/proc/" + std::to_string(process) + "/" + file;
}

// The number behind `name` in a file of "name: number" lines.
uint64_t number_in(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string word;
    uint64_t value = 0;
    if (words >> word && word == name && words >> value) return value;
  }
  return 0;
}

// Ticks of user and system time: the 14th and 15th words; the second may hold blanks.
uint64_t cpu_ticks(pid_t process) {
  std::ifstream file(path_of(process, "stat"));
  std::string line;
  std::getline(file, line);
  const size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream words(line.substr(name_end + 1));
  std::string skipped;
  for (int word = 3; word < 14; ++word) words >> skipped;
  uint64_t user = 0;
  uint64_t system = 0;
  words >> user >> system;
  return user + system;
}

}  // namespace

ProcessUsage process_usage(pid_t process) {
  const auto ticks_per_second = static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  return {cpu_ticks(process) * (1000000000 / ticks_per_second),
          number_in(path_of(process, "io"), "write_bytes:"),
          number_in(path_of(process, "status"), "VmHWM:") * 1024};
}

uint64_t device_written_bytes(const std::string& directory) {
  constexpr uint64_t sector_bytes = 512;
  struct stat found {};
  if (stat(directory.c_str(), &found) != 0) return 0;
  std::ifstream file("/sys/dev/block/" + std::to_string(major(found.st_dev)) + ":" +
                     std::to_string(minor(found.st_dev)) + "/stat");
  uint64_t value = 0;
  for (int word = 1; word <= 7; ++word) file >> value;  // the seventh: sectors written
  return file ? value * sector_bytes : 0;
}

uint64_t anonymous_bytes(pid_t process) {
  return number_in(path_of(process, "smaps_rollup"), "Anonymous:") * 1024;
}

}  // namespace limpet::bench
