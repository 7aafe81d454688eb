#pragma once

// The ids of the house and their text forms. [any, no-alloc except to_string]
//
//   Epoch     one store's life; new after a restore, an import, a cloned card: "7k2m9qxc"
//   Sequence  an event's place in the log, from 1, without gaps; (epoch, sequence) is its name
//   RunId     the sequence of the run's `limpet.run.created` event; text "7k2m9qxc-1042"
//   Ordinal   a step's number within its run, from 1

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/strong_id.hpp"

namespace limpet {

using Sequence = StrongId<struct SequenceTag, uint64_t>;
using RunId = StrongId<struct RunIdTag, uint64_t>;
using Ordinal = StrongId<struct OrdinalTag, uint32_t>;
using Epoch = StrongId<struct EpochTag, uint64_t>;              // 40 bits: eight base-32 characters
using Incarnation = StrongId<struct IncarnationTag, uint32_t>;  // +1 at every opening of the store

inline constexpr uint64_t epoch_mask = (uint64_t{1} << 40) - 1;

[[nodiscard]] std::string to_string(Epoch epoch);
[[nodiscard]] std::optional<Epoch> parse_epoch(std::string_view text);

// "7k2m9qxc-1042": the form of run ids, event ids and task ids outside the process.
[[nodiscard]] std::string qualified_id(Epoch epoch, uint64_t number);
struct QualifiedId {
  Epoch epoch;
  uint64_t number;
};
[[nodiscard]] std::optional<QualifiedId> parse_qualified_id(std::string_view text);

// "run/step/ordinal": the idempotency key of a tool call, the same for every attempt.
[[nodiscard]] std::string call_key(Epoch epoch, RunId run, std::string_view step, Ordinal ordinal);

}  // namespace limpet
