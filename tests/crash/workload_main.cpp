// The workload as a program, for the recorder: crash_workload DIRECTORY CHANGES WINDOW [early].

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/crash/recorder/format.hpp"
#include "tests/crash/workload.hpp"

using namespace limpet::testing;

int main(int count, char** arguments) {
  if (count < 4) {
    std::fprintf(stderr, "usage: crash_workload DIRECTORY CHANGES WINDOW [early]\n");
    return 2;
  }
  using Marker = void(uint32_t, uint64_t);
  auto* const marker = reinterpret_cast<Marker*>(dlsym(RTLD_DEFAULT, marker_function));
  if (marker == nullptr) {
    std::fprintf(stderr, "crash_workload: the recorder is not loaded\n");
    return 3;
  }
  const auto tell = [marker](MarkerKind kind) {
    return [marker, kind](uint64_t number) { marker(static_cast<uint32_t>(kind), number); };
  };
  const WorkloadPlan plan{arguments[1], std::strtoull(arguments[2], nullptr, 10),
                          std::strtoul(arguments[3], nullptr, 10),
                          count > 4 && std::strcmp(arguments[4], "early") == 0};
  tell(MarkerKind::started)(0);
  const WorkloadEnd end =
      run_workload(plan, {tell(MarkerKind::submitted), tell(MarkerKind::acknowledged)});
  return static_cast<int>(end);
}
