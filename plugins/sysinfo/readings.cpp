#include "readings.hpp"

#include <dirent.h>

#include <algorithm>

#include "disk.hpp"
#include "text_file.hpp"

namespace limpet::sysinfo {
namespace {

double number_of(std::string_view word) { return to_number(word).value_or(0); }

// The processors of /proc/stat; one where it does not say.
double count_cpus(const std::string& root) {
  const auto text = read_text(root + "/proc/stat");
  std::string_view rest = text ? std::string_view(*text) : std::string_view();
  double cpus = 0;
  while (!rest.empty()) {
    const std::string_view line = next_line(rest);
    if (line.size() > 3 && line.starts_with("cpu") && line[3] >= '0' && line[3] <= '9') cpus++;
  }
  return std::max(cpus, 1.0);
}

// The line `name:   123 kB` of /proc/meminfo in bytes, or nothing.
std::optional<double> meminfo_bytes(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view line = next_line(text);
    if (next_word(line) == name) return number_of(next_word(line)) * 1024;
  }
  return std::nullopt;
}

// `some avg10=0.00 avg60=0.12 ...`: the number after `key=` in the line that begins with `kind`.
std::optional<double> pressure_of(std::string_view text, std::string_view kind,
                                  std::string_view key) {
  while (!text.empty()) {
    std::string_view line = next_line(text);
    if (next_word(line) != kind) continue;
    for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) {
      if (word.starts_with(key) && word.size() > key.size() && word[key.size()] == '=') {
        return to_number(word.substr(key.size() + 1));
      }
    }
  }
  return std::nullopt;
}

std::vector<std::string> thermal_zones(const std::string& folder) {
  std::vector<std::string> names;
  DIR* entries = ::opendir(folder.c_str());
  if (!entries) return names;
  while (const dirent* entry = ::readdir(entries)) {
    const std::string_view name = entry->d_name;
    if (name.starts_with("thermal_zone") && names.size() < zones_max) names.emplace_back(name);
  }
  ::closedir(entries);
  std::sort(names.begin(), names.end());
  return names;
}

struct Interface {
  std::string name;
  double rx_bytes, rx_errors, rx_dropped, tx_bytes, tx_errors, tx_dropped;
};

// `eth0: 1 2 3 ...`: eight numbers received, then eight sent. The loopback is nobody's concern.
std::optional<Interface> parse_interface(std::string_view line) {
  const std::size_t colon = line.rfind(':');
  if (colon == line.npos) return std::nullopt;
  std::string_view name = line.substr(0, colon);
  name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
  line.remove_prefix(colon + 1);
  double columns[12] = {};
  for (double& column : columns) column = number_of(next_word(line));
  if (name.empty() || name == "lo") return std::nullopt;
  return Interface{printable(name), columns[0],  columns[2], columns[3],
                   columns[8],      columns[10], columns[11]};
}

}  // namespace

std::vector<Reading> Readings::sample(uint64_t now_ns) {
  std::vector<Reading> out;
  missing_.clear();
  sample_load(out);
  sample_memory(out);
  for (const char* what : {"cpu", "io", "memory"}) sample_pressure(what, out);
  sample_disks(out);
  sample_thermal(out);
  sample_net(now_ns, out);
  return out;
}

void Readings::sample_load(std::vector<Reading>& out) {
  const auto text = read_text(root_ + "/proc/loadavg");
  if (!text) return missing_.push_back("load");
  std::string_view rest = *text;
  const double one = number_of(next_word(rest));
  const double five = number_of(next_word(rest));
  const double fifteen = number_of(next_word(rest));
  const double cpus = count_cpus(root_);
  out.push_back(
      {"load", one / cpus, {{"load1", one}, {"load5", five}, {"load15", fifteen}, {"cpus", cpus}}});
}

void Readings::sample_memory(std::vector<Reading>& out) {
  const std::string text = read_text(root_ + "/proc/meminfo").value_or("");
  const auto total = meminfo_bytes(text, "MemTotal:");
  const auto available = meminfo_bytes(text, "MemAvailable:");
  if (!total || !available || *total <= 0) return missing_.push_back("memory");
  out.push_back({"memory",
                 100 * (*total - *available) / *total,
                 {{"total_bytes", *total},
                  {"available_bytes", *available},
                  {"swap_total_bytes", meminfo_bytes(text, "SwapTotal:").value_or(0)},
                  {"swap_free_bytes", meminfo_bytes(text, "SwapFree:").value_or(0)}}});
}

void Readings::sample_pressure(const char* what, std::vector<Reading>& out) {
  const std::string subject = std::string("pressure.") + what;
  const std::string text = read_text(root_ + "/proc/pressure/" + what).value_or("");
  const auto some = pressure_of(text, "some", "avg10");
  if (!some) return missing_.push_back(subject);
  out.push_back({subject,
                 *some,
                 {{"some_avg10", *some},
                  {"some_avg60", pressure_of(text, "some", "avg60").value_or(0)},
                  {"full_avg10", pressure_of(text, "full", "avg10").value_or(0)},
                  {"full_avg60", pressure_of(text, "full", "avg60").value_or(0)}}});
}

void Readings::sample_disks(std::vector<Reading>& out) {
  for (const std::string& path : disks_) {
    const auto usage = disk_usage(root_ + path);
    if (!usage) {
      missing_.push_back("disk/" + path);
      continue;
    }
    out.push_back({"disk/" + path,
                   usage->used_percent,
                   {{"total_bytes", static_cast<double>(usage->total_bytes)},
                    {"available_bytes", static_cast<double>(usage->available_bytes)},
                    {"inodes_used_percent", usage->inodes_used_percent}}});
  }
}

void Readings::sample_thermal(std::vector<Reading>& out) {
  const std::string folder = root_ + "/sys/class/thermal";
  const std::size_t before = out.size();
  for (const std::string& zone : thermal_zones(folder)) {
    const std::string text = read_text(folder + "/" + zone + "/temp").value_or("");
    std::string_view rest = text;
    if (const auto millidegrees = to_number(next_word(rest))) {
      out.push_back({"thermal/" + zone, *millidegrees / 1000, {}});
    }
  }
  if (out.size() == before) missing_.push_back("thermal");
}

void Readings::sample_net(uint64_t now_ns, std::vector<Reading>& out) {
  const auto text = read_text(root_ + "/proc/net/dev");
  if (!text) return missing_.push_back("net");
  const double seconds = static_cast<double>(now_ns - traffic_ns_) / 1e9;
  std::vector<Traffic> traffic;
  std::string_view rest = *text;
  while (!rest.empty() && traffic.size() < interfaces_max) {
    const auto now = parse_interface(next_line(rest));
    if (!now) continue;
    const double bytes = now->rx_bytes + now->tx_bytes;
    const auto earlier = std::find_if(traffic_.begin(), traffic_.end(),
                                      [&](const Traffic& one) { return one.name == now->name; });
    // A counter that went back was reset with its driver, or wrapped: there is no rate to tell.
    if (traffic_ns_ != 0 && seconds > 0 && earlier != traffic_.end() && bytes >= earlier->bytes) {
      out.push_back({"net/" + now->name,
                     (bytes - earlier->bytes) / seconds,
                     {{"rx_bytes", now->rx_bytes},
                      {"tx_bytes", now->tx_bytes},
                      {"rx_errors", now->rx_errors},
                      {"tx_errors", now->tx_errors},
                      {"rx_dropped", now->rx_dropped},
                      {"tx_dropped", now->tx_dropped}}});
    }
    traffic.push_back({now->name, bytes});
  }
  traffic_ = std::move(traffic);
  traffic_ns_ = now_ns;
}

}  // namespace limpet::sysinfo
