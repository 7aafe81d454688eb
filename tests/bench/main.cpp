// limpet-bench: what a disk and a board can do with Limpet, and without it. See README.md.

#include "tests/bench/scratch.hpp"
#include "tests/bench/workloads.hpp"

int main(int argc, char** argv) {
  using namespace limpet::bench;
  const Options options = parse_options(argc, argv);
  const Scratch scratch(options.directory);
  Report report(options.json);
  if (options.verb == "limits" || options.verb == "all") {
    run_limits(options, scratch.path(), report);
  }
  if (options.verb == "append" || options.verb == "all") {
    run_append(options, scratch.path(), report);
  }
  return 0;
}
