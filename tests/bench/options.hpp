#pragma once

// The command line. [any]

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace limpet::bench {

struct Options {
  std::string verb = "all";
  std::string directory = ".";  // on the disk to be measured; everything in it is removed again
  unsigned runs = 3;
  unsigned window = 64;                     // events handed over and not yet answered
  unsigned payload = 256;                   // bytes of data in a record
  uint64_t events = 0;                      // 0: as many as take about a second
  unsigned workers = 4;                     // of the cycle
  std::vector<unsigned> prefetches{1, 32};  // tasks that a worker holds unacknowledged
  unsigned seconds = 20;                    // that wear watches
  std::string daemon;                       // for recover; empty: the one beside this program
  bool json = false;
};

// What a program says of itself before the options, which all have, and the verbs it takes.
struct Program {
  const char* usage;
  std::vector<std::string_view> verbs;
};
// Ends the program with a sentence and status 2 if it cannot read them.
[[nodiscard]] Options parse_options(int argc, char** argv, const Program& program);

}  // namespace limpet::bench
