#pragma once

// The command line. [any]

#include <cstdint>
#include <string>

namespace limpet::bench {

struct Options {
  std::string verb = "all";
  std::string directory = ".";  // on the disk to be measured; everything in it is removed again
  unsigned runs = 3;
  unsigned window = 64;    // events handed over and not yet answered
  unsigned payload = 256;  // bytes of data in a record
  uint64_t events = 0;     // 0: as many as take about a second
  bool json = false;
};

// Ends the program with a sentence and status 2 if it cannot read them.
[[nodiscard]] Options parse_options(int argc, char** argv);

}  // namespace limpet::bench
