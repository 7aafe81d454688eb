#pragma once

// Prints figures: a table for people, or one JSON object a line. Owner: main. [main]

#include <string>
#include <vector>

#include "tests/bench/measure.hpp"

namespace limpet::bench {

class Report {
 public:
  explicit Report(bool json) : json_(json) {}

  // The same figures of each run; prints median, minimum and maximum. REQUIRES: runs not empty.
  void add(const std::string& workload, const Params& params, const std::vector<Figures>& runs);

 private:
  void print_json(const std::string& workload, const Params& params, const Figure& named,
                  const Spread& spread) const;
  const bool json_;
};

}  // namespace limpet::bench
