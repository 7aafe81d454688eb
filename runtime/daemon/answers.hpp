#pragma once

// From results of the house to answers of the API. [main]

#include <functional>
#include <utility>

#include "api/services.hpp"
#include "base/result.hpp"

namespace limpet::daemon {

// When it is worth coming back.
inline constexpr uint32_t busy_retry_ms = 100;   // a few commits
inline constexpr uint32_t full_retry_ms = 5000;  // something must leave first

[[nodiscard]] inline api::Refusal refusal_of(const Error& error) {
  const uint32_t retry_ms = error.code == ErrorCode::busy   ? busy_retry_ms
                            : error.code == ErrorCode::full ? full_retry_ms
                                                            : 0;
  return {error, error.where == nullptr ? "" : error.where, retry_ms};
}

// For on_done of a change: `value` once it is on disk, else why not.
template <class T>
[[nodiscard]] std::function<void(const Result<void>&)> answer_with(api::Done<T> done, T value) {
  return [done = std::move(done), value = std::move(value)](const Result<void>& result) {
    if (result.ok()) {
      done(value);
    } else {
      done(refusal_of(result.error()));
    }
  };
}

}  // namespace limpet::daemon
