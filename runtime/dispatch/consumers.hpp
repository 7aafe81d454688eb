#pragma once

// Consumers: all durable consumers of the log, by name.
// Owner: the daemon. Thread: [main]. Fails with: not_found, conflict (the name has other settings;
// an acknowledgement of what was never given), full (consumers_max), invalid (settings), io,
// corrupt. Limits: consumers_max, and those of each (consumer.hpp).
//
// What changes a consumer for good is an Edit: it is made, written into a change of the store, and
// kept once the writer has taken the change; so memory never runs ahead of a change that was
// refused, and an acknowledgement can share its transaction with what it caused.
//
//   LIMPET_TRY(Edit edit, consumers.ack("line1", events, Sequence()));
//   store::Change change = store.begin();
//   consumers.write(change, edit);
//   LIMPET_CHECK(store.submit(std::move(change)));
//   consumers.keep(std::move(edit));

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dispatch/consumer.hpp"

namespace limpet::dispatch {

struct Edit {
  enum class Kind : uint8_t { nothing, make, drop, seek, pause, settle };
  Kind kind = Kind::nothing;
  std::string name;
  ConsumerSettings settings;      // of make
  store::ConsumerRecord record;   // as it will be; of drop: none
  std::vector<Sequence> settled;  // of settle
};

class Consumers {
 public:
  // `classes` as of the config; empty: every missing sequence is told as a gap.
  Consumers(store::Store& store, std::vector<ClassTypes> classes);

  // Those that are stored. Answers the names of damaged ones, which are passed over: until somebody
  // makes them anew, they are gone. Errors: io.
  [[nodiscard]] Result<std::vector<std::string>> load();

  // One that is there with the same settings is left as it is (Kind::nothing).
  [[nodiscard]] Result<Edit> make(const ConsumerSettings& settings);
  [[nodiscard]] Result<Edit> drop(std::string_view name);
  // Where it goes on; what was outstanding is forgotten. Beyond the end: with what comes then.
  [[nodiscard]] Result<Edit> seek(std::string_view name, Sequence to);
  [[nodiscard]] Result<Edit> pause(std::string_view name, bool paused);
  // `events`, and all that were given up to `upto` inclusive; all of them or none. To acknowledge
  // once more what is acknowledged is no error.
  [[nodiscard]] Result<Edit> ack(std::string_view name, std::span<const Sequence> events,
                                 Sequence upto);
  void write(store::Change& change, const Edit& edit) const;
  void keep(Edit edit);

  // See Consumer::fetch. The visitor must not use the store.
  [[nodiscard]] Result<FetchEnd> fetch(std::string_view name, const FetchLimits& wanted,
                                       const GivenVisitor& visit);
  // They come again at `due`. Nothing is written: after a restart they come at once.
  [[nodiscard]] Result<void> nack(std::string_view name, std::span<const Sequence> events,
                                  BootTime due);

  // Positions that moved without an acknowledgement and are due to be written. write_moved puts
  // them into `change` and answers whether there were any; then kept_moved, as keep above.
  [[nodiscard]] std::optional<BootTime> write_due(BootTime now);
  [[nodiscard]] bool write_moved(store::Change& change, BootTime now);
  void kept_moved();
  // The same for all that moved, due or not: before a stop.
  [[nodiscard]] bool write_all(store::Change& change);

  // The first event that a consumer which may want one of `types` has not acknowledged: trimming a
  // class of these types goes no further. Empty `types`: any type. nullopt: nobody waits for them.
  [[nodiscard]] std::optional<Sequence> floor(std::span<const std::string> types) const;
  // The same of one of `classes`; one that is not among them could hold any type.
  [[nodiscard]] std::optional<Sequence> floor_of(uint8_t class_number) const;

  // Is something of a type that `type_pattern` matches (empty: any) gone from `from` on?
  [[nodiscard]] bool may_have_lost(std::string_view type_pattern, Sequence from) const;

  // nullptr: there is none.
  [[nodiscard]] Consumer* find(std::string_view name);
  [[nodiscard]] const Consumer* find(std::string_view name) const;
  [[nodiscard]] Result<std::vector<ConsumerStats>> stats(WallTime now) const;
  [[nodiscard]] size_t count() const { return consumers_.size(); }

 private:
  [[nodiscard]] Result<Sequence> find_start(const ConsumerSettings& settings);
  [[nodiscard]] Result<Sequence> find_last(const ConsumerSettings& settings);
  [[nodiscard]] bool write_where(store::Change& change, bool all, BootTime now);
  void add(const ConsumerSettings& settings, const store::ConsumerRecord& record);

  store::Store& store_;
  const std::vector<ClassTypes> classes_;
  std::map<std::string, std::unique_ptr<Consumer>, std::less<>> consumers_;
  std::vector<Consumer*> moved_;  // written and not yet kept
};

// A sentence, or nothing when `settings` are good. [any]
[[nodiscard]] std::optional<std::string_view> fault_of(const ConsumerSettings& settings);

}  // namespace limpet::dispatch
