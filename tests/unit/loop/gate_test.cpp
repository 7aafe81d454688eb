#include "loop/gate.hpp"

#include <doctest/doctest.h>

#include <memory>

using limpet::loop::Gate;

TEST_CASE("gate: closing reports at once when nobody is inside") {
  Gate gate;
  bool idle = false;
  gate.close([&] { idle = true; });
  CHECK(idle);
  CHECK_FALSE(gate.enter());
}

TEST_CASE("gate: closing waits for the last one inside, and lets nobody in") {
  auto gate = std::make_unique<Gate>();
  Gate::Pass first = gate->enter();
  Gate::Pass second = gate->enter();
  CHECK(first);
  int idle = 0;
  // The owner may destroy the gate from there.
  gate->close([&] {
    ++idle;
    gate.reset();
  });
  CHECK_FALSE(gate->enter());
  first.release();
  first.release();
  CHECK(idle == 0);
  Gate::Pass moved = std::move(second);
  CHECK(gate->inside() == 1);
  moved.release();
  CHECK(idle == 1);
}
