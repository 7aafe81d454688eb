#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "config.hpp"

// Readings: what the machine's state is now, subject by subject.
// Owner: the plugin. Thread: one at a time [serial]. What a machine does not have gives no reading.
// Limits: zones_max thermal zones, interfaces_max interfaces, paths_max disks; more are left out.
namespace limpet::sysinfo {

constexpr std::size_t zones_max = 32;
constexpr std::size_t interfaces_max = 32;

// One subject's numbers; `value` is the one that thresholds look at.
struct Reading {
  std::string subject;
  double value;
  std::vector<std::pair<const char*, double>> more;
};

class Readings {
 public:
  explicit Readings(const Config& config) : root_(config.root), disks_(config.disks) {}

  // All readings at `now_ns` of a clock that only grows. Rates (net/...) need two samples: the
  // first gives none.
  //   load              value: load1 / cpus; load1 load5 load15 cpus
  //   memory            value: used percent; total_bytes available_bytes swap_total_bytes ...
  //   pressure.<what>   value: some_avg10, percent of time; some_avg60 full_avg10 full_avg60
  //   disk/<path>       value: used percent; total_bytes available_bytes inodes_used_percent
  //   thermal/<zone>    value: degrees Celsius
  //   net/<interface>   value: bytes per second, both ways; rx_bytes tx_bytes rx_errors ...
  std::vector<Reading> sample(uint64_t now_ns);

  // Subjects (`thermal` and `net` as a whole) that the last sample had nothing for.
  const std::vector<std::string>& missing() const { return missing_; }

 private:
  struct Traffic {
    std::string name;
    double bytes;
  };

  void sample_load(std::vector<Reading>& out);
  void sample_memory(std::vector<Reading>& out);
  void sample_pressure(const char* what, std::vector<Reading>& out);
  void sample_disks(std::vector<Reading>& out);
  void sample_thermal(std::vector<Reading>& out);
  void sample_net(uint64_t now_ns, std::vector<Reading>& out);

  std::string root_;                // constant
  std::vector<std::string> disks_;  // constant
  std::vector<std::string> missing_;
  std::vector<Traffic> traffic_;  // at traffic_ns_
  uint64_t traffic_ns_ = 0;       // 0: not read yet
};

}  // namespace limpet::sysinfo
