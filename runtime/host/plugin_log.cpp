#include "host/plugin_log.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "host/foreign.hpp"

namespace limpet::host {

namespace {

constexpr int64_t line_cost_ns = 1000000000 / limits::plugin_log_per_second;
constexpr int64_t credit_ns_max = line_cost_ns * limits::plugin_log_burst;

LogLevel level_of(limpet_log_level level) {
  switch (level) {
    case LIMPET_LOG_DEBUG: return LogLevel::debug;
    case LIMPET_LOG_INFO: return LogLevel::info;
    case LIMPET_LOG_WARNING: return LogLevel::warning;
    default: return LogLevel::error;
  }
}

}  // namespace

PluginLog::PluginLog(std::string part, Logger& logger, Mailbox& mailbox, LiveCounters& counters)
    : part_(std::move(part)),
      mailbox_(mailbox),
      counters_(counters),
      logger_(&logger),
      credit_ns_(credit_ns_max),
      refilled_(mailbox.now()) {}

bool PluginLog::admit() {
  const BootTime now = mailbox_.now();
  const int64_t gained = std::clamp<int64_t>((now - refilled_).ns, 0, credit_ns_max);
  refilled_ = now;
  credit_ns_ = std::min(credit_ns_max, credit_ns_ + gained);
  if (credit_ns_ < line_cost_ns) return false;
  credit_ns_ -= line_cost_ns;
  return true;
}

void PluginLog::line(limpet_log_level level, const char* message) {
  std::string text = take_text(message, limits::plugin_text_bytes_max);
  const std::lock_guard lock(mutex_);
  if (logger_ == nullptr) return;
  if (!admit()) {
    ++missing_;
    counters_.log_drops.add();
    return;
  }
  if (missing_ > 0) text += " (" + std::to_string(missing_) + " lines before this were dropped)";
  missing_ = 0;
  logger_->line(level_of(level), part_, text);
}

void PluginLog::close() {
  const std::lock_guard lock(mutex_);
  logger_ = nullptr;
}

}  // namespace limpet::host
