#pragma once

// Consumers on a real store, whose log is trimmed by hand.

#include <memory>
#include <string>
#include <vector>

#include "dispatch/consumers.hpp"
#include "tests/unit/store/store_fixture.hpp"

namespace limpet::testing {

struct ConsumersFixture : StoreFixture {
  std::vector<dispatch::ClassTypes> classes;
  std::unique_ptr<dispatch::Consumers> consumers;

  void begin() {
    consumers.reset();
    open();
    consumers = std::make_unique<dispatch::Consumers>(*store, classes);
    const auto damaged = consumers->load();
    REQUIRE(damaged.ok());
    CHECK(damaged->empty());
  }

  Result<void> apply(Result<dispatch::Edit> edit) {
    if (!edit.ok()) return edit.error();
    store::Change change = store->begin();
    consumers->write(change, *edit);
    LIMPET_CHECK(store->submit(std::move(change)));
    consumers->keep(std::move(edit).value());
    store->drain();
    return {};
  }
  // "all" with the defaults, changed by `change`.
  template <class Change>
  void make(Change change) {
    dispatch::ConsumerSettings settings;
    settings.name = "c";
    change(settings);
    REQUIRE(apply(consumers->make(settings)).ok());
  }
  void make() {
    make([](dispatch::ConsumerSettings&) {});
  }
  Result<void> ack(std::vector<uint64_t> events, uint64_t upto = 0) {
    std::vector<Sequence> sequences;
    for (const uint64_t event : events) sequences.emplace_back(event);
    return apply(consumers->ack("c", sequences, Sequence(upto)));
  }

  // Sequences, "!" before one that is given again, "[a,b)" for a gap.
  std::string fetch(uint32_t events_max = 100, std::string_view name = "c") {
    std::string seen;
    const auto end = consumers->fetch(
        name, {events_max, clock.boot()}, [&](const EventView& event, uint32_t delivery) {
          if (!seen.empty()) seen += " ";
          if (delivery > 1) seen += "!";
          if (event.type == event_type::log_gap) {
            const std::string id(event.id);
            const size_t dash = id.rfind('-');
            seen += "[" + id.substr(4, dash - 4) + "," + id.substr(dash + 1) + ")";
          } else {
            seen += std::to_string(event.sequence.value());
          }
          return true;
        });
    REQUIRE(end.ok());
    last = *end;
    return seen;
  }
  dispatch::ConsumerStats stats() {
    const auto all = consumers->stats(clock.wall());
    REQUIRE(all.ok());
    REQUIRE(all->size() == 1);
    return all->front();
  }

  void append_at(std::string_view type, WallTime time, std::string_view subject = {}) {
    EventView event;
    event.type = type;
    event.source = "limpet/test";
    event.subject = subject;
    event.time = time;
    store::Change change = store->begin();
    REQUIRE(change.append(event).ok());
    REQUIRE(store->submit(std::move(change)).ok());
    store->drain();
  }
  void append_many(std::string_view type, int count) {
    store::Change change = store->begin();
    EventView event;
    event.type = type;
    event.source = "limpet/test";
    for (int index = 0; index < count; ++index) REQUIRE(change.append(event).ok());
    REQUIRE(store->submit(std::move(change)).ok());
    store->drain();
  }
  // As a trimmer does: the rows go, and the class's first is behind them.
  void trim(uint64_t from, uint64_t to, uint8_t number = 0) {
    store::Change change = store->begin();
    for (uint64_t sequence = from; sequence < to; ++sequence) {
      change.erase(store::log_key(Sequence(sequence), 0));
    }
    change.hot().classes[number].first = Sequence(to);
    REQUIRE(store->submit(std::move(change)).ok());
    store->drain();
  }
  void damage(uint64_t sequence) {
    store::Change change = store->begin();
    change.put(store::log_key(Sequence(sequence), 0), as_bytes("not an event"));
    REQUIRE(store->submit(std::move(change)).ok());
    store->drain();
  }

  dispatch::FetchEnd last;
};

}  // namespace limpet::testing
