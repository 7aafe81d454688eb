#pragma once

// A store in a directory of its own, with a clock that stands still.

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "codec/cbor_value.hpp"
#include "store/store.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/quiet_logger.hpp"
#include "tests/support/temporary_directory.hpp"

namespace limpet::testing {

struct StoreFixture {
  TemporaryDirectory directory;
  ManualClock clock;
  QuietLogger logger;
  store::OpenOptions options{directory.path() + "/data", 1 << 20, true, "", Epoch(42)};
  std::unique_ptr<store::Store> store;

  Result<void> try_open() {
    store.reset();
    auto opened = store::Store::open(options, {clock, logger, nullptr, Duration{}});
    if (!opened.ok()) return opened.error();
    store = std::move(opened).value();
    return {};
  }
  void open() { REQUIRE(try_open().ok()); }

  // Appends one event durably; returns its sequence.
  Sequence append(std::string_view type, ByteSpan data = {}) {
    EventView event;
    event.type = type;
    event.source = "limpet/test";
    event.data = data;
    store::Change change = store->begin();
    const Result<Sequence> sequence = change.append(event);
    REQUIRE(sequence.ok());
    bool durable = false;
    change.on_done([&durable](const Result<void>& result) { durable = result.ok(); });
    REQUIRE(store->submit(std::move(change)).ok());
    store->drain();
    REQUIRE(durable);
    return *sequence;
  }

  std::vector<Event> read_all() {
    std::vector<Event> events;
    auto snapshot = store->reader().snapshot();
    REQUIRE(snapshot.ok());
    const auto read = snapshot->events(Sequence(1), 100000, [&](const EventView& event) {
      events.push_back(own(event));
      return true;
    });
    REQUIRE(read.ok());
    CHECK(read->corrupt == 0);
    return events;
  }
};

}  // namespace limpet::testing
