#include "processes.hpp"

#include <dirent.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "text_file.hpp"

namespace limpet::sysinfo {
namespace {

struct Sample {
  uint32_t pid;
  double cpu_ticks, start_ticks, pages;
  std::string name;
};

// One line of /proc/<pid>/stat: `pid (name) state ppid ...`; the name may hold anything, so the
// last parenthesis counts. utime is the 14th field, stime 15th, starttime 22nd, rss 24th.
bool parse_stat(std::string_view text, Sample& sample) {
  const std::size_t open = text.find('('), close = text.rfind(')');
  if (open == text.npos || close == text.npos || close < open) return false;
  sample.name = printable(text.substr(open + 1, close - open - 1));
  std::string_view rest = text.substr(close + 1);
  double fields[25] = {};
  for (std::size_t field = 3; field < 25; field++) {
    const std::string_view word = next_word(rest);
    if (word.empty()) return false;
    fields[field] = to_number(word).value_or(0);
  }
  sample.cpu_ticks = fields[14] + fields[15];
  sample.start_ticks = fields[22];
  sample.pages = fields[24];
  return true;
}

std::vector<Sample> read_all(const std::string& root, Top& top) {
  std::vector<Sample> samples;
  DIR* folder = ::opendir((root + "/proc").c_str());
  if (!folder) return samples;
  while (const dirent* entry = ::readdir(folder)) {
    const std::string_view name = entry->d_name;
    Sample sample = {};
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), sample.pid);
    if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size()) continue;
    if (samples.size() == processes_max) {
      top.left_out++;
      continue;
    }
    const auto text = read_text(root + "/proc/" + std::string(name) + "/stat", 4096);
    if (text && parse_stat(*text, sample)) samples.push_back(std::move(sample));
  }
  ::closedir(folder);
  std::sort(samples.begin(), samples.end(),
            [](const Sample& a, const Sample& b) { return a.pid < b.pid; });
  return samples;
}

double uptime_seconds(const std::string& root) {
  const auto text = read_text(root + "/proc/uptime");
  std::string_view rest = text ? std::string_view(*text) : std::string_view();
  return to_number(next_word(rest)).value_or(0);
}

// The processor time of the same process before, 0 for one that is new. start_ticks tells a process
// from an earlier one with its number.
double ticks_before(const std::vector<Sample>& earlier, const Sample& now) {
  const auto found = std::lower_bound(earlier.begin(), earlier.end(), now.pid,
                                      [](const Sample& a, uint32_t pid) { return a.pid < pid; });
  const bool same =
      found != earlier.end() && found->pid == now.pid && found->start_ticks == now.start_ticks;
  return same ? found->cpu_ticks : 0;
}

void sort_and_cut(Top& top, TopQuery query) {
  const auto before = [=](const Process& a, const Process& b) {
    if (query.order == Order::by_cpu && a.cpu_percent != b.cpu_percent) {
      return a.cpu_percent > b.cpu_percent;
    }
    if (a.memory_bytes != b.memory_bytes) return a.memory_bytes > b.memory_bytes;
    return a.pid < b.pid;
  };
  const std::size_t count = std::min(query.count, top.processes.size());
  std::partial_sort(top.processes.begin(),
                    top.processes.begin() + static_cast<std::ptrdiff_t>(count), top.processes.end(),
                    before);
  top.processes.erase(top.processes.begin() + static_cast<std::ptrdiff_t>(count),
                      top.processes.end());
}

}  // namespace

Top top_processes(const std::string& root, TopQuery query) {
  Top top;
  const double ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const double page_bytes = static_cast<double>(::sysconf(_SC_PAGESIZE));
  const bool measure = query.sample_ms > 0 && query.order == Order::by_cpu;
  std::vector<Sample> earlier;
  const double began = uptime_seconds(root);
  if (measure) {
    earlier = read_all(root, top);
    top.left_out = 0;
    ::poll(nullptr, 0, static_cast<int>(query.sample_ms));
  }
  const std::vector<Sample> samples = read_all(root, top);
  const double ended = uptime_seconds(root);
  for (const Sample& sample : samples) {
    const double seconds = measure ? ended - began : ended - sample.start_ticks / ticks_per_second;
    const double ticks = sample.cpu_ticks - ticks_before(earlier, sample);
    top.processes.push_back({sample.pid, sample.name,
                             seconds > 0 ? 100 * ticks / ticks_per_second / seconds : 0,
                             static_cast<uint64_t>(sample.pages * page_bytes)});
  }
  top.looked_at = static_cast<uint32_t>(samples.size());
  sort_and_cut(top, query);
  return top;
}

}  // namespace limpet::sysinfo
