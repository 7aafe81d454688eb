#include "model/event.hpp"

#include <doctest/doctest.h>

using namespace limpet;

TEST_CASE("event: a view borrows and a copy owns") {
  Event event;
  event.sequence = Sequence(7);
  event.type = "a.b";
  event.source = "s";
  event.run = RunId(3);
  event.time = WallTime{5};
  event.trace_parent = "00-1-2-01";
  event.extensions = {0xa0};
  event.data = {0x01};
  const EventView borrowed = view(event);
  CHECK(borrowed.type.data() == event.type.data());
  CHECK(borrowed.data.data() == event.data.data());

  const Event copy = own(borrowed);
  event = Event{};
  CHECK(copy.sequence == Sequence(7));
  CHECK(copy.type == "a.b");
  CHECK(copy.source == "s");
  CHECK(copy.run == RunId(3));
  CHECK(copy.time == WallTime{5});
  CHECK(copy.trace_parent == "00-1-2-01");
  CHECK(copy.extensions == ByteVector{0xa0});
  CHECK(copy.data == ByteVector{0x01});
}
