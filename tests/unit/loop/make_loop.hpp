#pragma once

// A loop for one test, and how long a test waits before it gives up.

#include <doctest/doctest.h>

#include <memory>

#include "loop/loop.hpp"

namespace limpet::testing {

inline constexpr Duration patience = seconds(10);

[[nodiscard]] inline std::unique_ptr<loop::Loop> make_loop(loop::LoopOptions options = {}) {
  auto created = loop::Loop::create(options);
  REQUIRE(created);
  return std::move(created).value();
}

}  // namespace limpet::testing
