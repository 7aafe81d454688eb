#pragma once

// A logger that keeps its lines for the test to look at.

#include <mutex>
#include <string>
#include <vector>

#include "base/log.hpp"

namespace limpet::testing {

class QuietLogger final : public Logger {
 public:
  void line(LogLevel, std::string_view part, std::string_view text) override {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::string(part).append(": ").append(text));
  }
  [[nodiscard]] std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace limpet::testing
