#pragma once

// Tasks and dead letters as JSON, and their ids as they stand in paths and bodies. [any]

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/queue_services.hpp"
#include "model/ids.hpp"

namespace limpet::api {

// "2026-07-13T08:24:56Z"; "" for 0.
[[nodiscard]] std::string time_text_of_ms(uint64_t ms);

// Appends one object. Errors: invalid (a payload that is not CBOR); `out` is then of no use.
[[nodiscard]] Result<void> append_task(std::string& out, const TaskView& task, Epoch epoch);

enum class Payload : uint8_t { hidden, shown };
[[nodiscard]] Result<void> append_dead(std::string& out, const DeadView& dead, Epoch epoch,
                                       Payload payload);

// The task of that id in this store; none(): an id of another store, so whoever holds it has an old
// lease; nullopt: not an id.
[[nodiscard]] std::optional<Sequence> parse_task_id(std::string_view text, Epoch epoch);

}  // namespace limpet::api
