#include "tests/demo/machine.hpp"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <fstream>
#include <string>

namespace limpet::demo {

namespace {

constexpr uint64_t mebibyte = uint64_t{1} << 20;
constexpr size_t page_bytes = 4096;
constexpr int busy_seconds_max = 8;

// What is left under the memory limit of a container; without one, no limit.
uint64_t container_room() {
  std::ifstream limit_file("/sys/fs/cgroup/memory.max");
  std::ifstream used_file("/sys/fs/cgroup/memory.current");
  uint64_t limit = 0;
  uint64_t used = 0;
  if (!(limit_file >> limit) || !(used_file >> used)) return UINT64_MAX;
  return limit > used ? limit - used : 0;
}

// The child's whole life.
[[noreturn]] void hold(uint64_t bytes) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NAME, "demo-load");
  auto* const memory = static_cast<volatile unsigned char*>(malloc(static_cast<size_t>(bytes)));
  if (memory == nullptr) _exit(1);
  for (uint64_t offset = 0; offset < bytes; offset += page_bytes) memory[offset] = 1;
  const time_t end = time(nullptr) + busy_seconds_max;
  volatile uint64_t spins = 0;
  while (time(nullptr) < end) spins = spins + 1;
  while (true) pause();
}

}  // namespace

double MemoryState::used_percent() const {
  const auto total = static_cast<double>(total_bytes);
  return 100 * (total - static_cast<double>(available_bytes)) / total;
}

std::optional<MemoryState> read_memory() {
  std::ifstream file("/proc/meminfo");
  MemoryState memory;
  std::string name;
  uint64_t kibibytes = 0;
  std::string unit;
  while (file >> name >> kibibytes) {
    std::getline(file, unit);
    if (name == "MemTotal:") memory.total_bytes = kibibytes * 1024;
    if (name == "MemAvailable:") memory.available_bytes = kibibytes * 1024;
  }
  if (memory.total_bytes == 0 || memory.available_bytes == 0) return std::nullopt;
  return memory;
}

uint64_t choose_load_bytes(const MemoryState& memory) {
  const uint64_t wanted = std::clamp(memory.total_bytes / 16, 48 * mebibyte, 1024 * mebibyte);
  const uint64_t spare = std::min(memory.available_bytes, container_room()) / 2;
  return std::min(wanted, spare);
}

Load::Load(uint64_t bytes) : pid_(fork()) {
  if (pid_ == 0) hold(bytes);
}

Load::~Load() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

}  // namespace limpet::demo
