#pragma once

// The workloads; each prints its figures and leaves `directory` as it was. [main]

#include <string>

#include "tests/bench/options.hpp"
#include "tests/bench/report.hpp"

namespace limpet::bench {

void run_limits(const Options& options, const std::string& directory, Report& report);
void run_append(const Options& options, const std::string& directory, Report& report);
void run_replay(const Options& options, const std::string& directory, Report& report);
void run_cycle(const Options& options, const std::string& directory, Report& report);
void run_scale(const Options& options, const std::string& directory, Report& report);
void run_wear(const Options& options, const std::string& directory, Report& report);
void run_recover(const Options& options, const std::string& directory, Report& report);

// One run of replay.
[[nodiscard]] Figures measure_replay(const Options& options, uint64_t events,
                                     const std::string& directory);

}  // namespace limpet::bench
