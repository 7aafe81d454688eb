// limpet-bench: what a disk and a board can do with Limpet, and without it. See README.md.

#include <array>

#include "tests/bench/scratch.hpp"
#include "tests/bench/workloads.hpp"

namespace {

using namespace limpet::bench;

struct Workload {
  const char* verb;
  void (*run)(const Options& options, const std::string& directory, Report& report);
};
constexpr std::array workloads{Workload{"limits", run_limits}, Workload{"append", run_append},
                               Workload{"replay", run_replay}, Workload{"cycle", run_cycle},
                               Workload{"wear", run_wear},     Workload{"recover", run_recover}};

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse_options(argc, argv);
  const Scratch scratch(options.directory);
  Report report(options.json);
  for (const Workload& workload : workloads) {
    if (options.verb != workload.verb && options.verb != "all") continue;
    workload.run(options, scratch.path(), report);
  }
  return 0;
}
