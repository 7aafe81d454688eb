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
constexpr std::array workloads{Workload{"limits", run_limits},  Workload{"append", run_append},
                               Workload{"replay", run_replay},  Workload{"cycle", run_cycle},
                               Workload{"scale", run_scale},    Workload{"wear", run_wear},
                               Workload{"recover", run_recover}};

const Program program{
    "usage: limpet-bench [limits|append|replay|cycle|scale|wear|recover|all] [options]\n"
    "\n"
    "  limits   what the disk and LMDB can do: append and sync, commits, scan\n"
    "  append   events through the store, each answered when it is on disk\n"
    "  replay   events read back from the start\n"
    "  cycle    tasks: enqueue, lease, acknowledge, each answered when it is on disk\n"
    "  scale    an operation of a queue with a million tasks against a thousand\n"
    "  wear     bytes that a few events a second cost a flash, and how long it lasts\n"
    "  recover  a daemon killed and started again: time to its first answer, memory\n",
    {"limits", "append", "replay", "cycle", "scale", "wear", "recover", "all"}};

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse_options(argc, argv, program);
  const Scratch scratch(options.directory);
  Report report(options.json);
  for (const Workload& workload : workloads) {
    if (options.verb != workload.verb && options.verb != "all") continue;
    workload.run(options, scratch.path(), report);
  }
  return 0;
}
