#pragma once
#include <cstdint>
#include <string>
#include <vector>

// The processes of the machine. Thread: [any, blocking]; no state.
// Limits: processes_max are looked at; the rest is counted.
namespace limpet::sysinfo {

constexpr std::size_t processes_max = 8192;

struct Process {
  uint32_t pid;
  std::string name;       // printable
  double cpu_percent;     // of one processor
  uint64_t memory_bytes;  // resident
};

enum class Order { by_cpu, by_memory };

struct Top {
  std::vector<Process> processes;
  uint32_t looked_at = 0;
  uint32_t left_out = 0;
};

struct TopQuery {
  Order order = Order::by_cpu;
  std::size_t count = 5;
  uint64_t sample_ms = 0;  // measure that long; 0: the average since each process began
};

// Reads <root>/proc twice, `sample_ms` apart. Processes that end in between are left out.
Top top_processes(const std::string& root, TopQuery query);

}  // namespace limpet::sysinfo
