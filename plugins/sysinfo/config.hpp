#pragma once
#include <cstdint>
#include <limpet/cpp/value.hpp>
#include <string>
#include <vector>

// The plugin's config, checked. Fails with limpet::sdk::Failure, which names the key.
namespace limpet::sysinfo {

constexpr std::size_t paths_max = 32;
constexpr std::size_t path_bytes_max = 1024;

struct Config {
  std::string root;
  uint64_t interval_ms = 10000;
  uint64_t sample_ms = 250;
  std::vector<std::string> disks;
  std::vector<std::string> log_paths;
};

Config read_config(sdk::View config);

}  // namespace limpet::sysinfo
