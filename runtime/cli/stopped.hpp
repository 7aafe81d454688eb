#pragma once

// Stopped: the store as a verb sees it when no daemon serves it. Reading verbs fall back to it, so
// that a device that does not start can still be looked at.
// Owner: the verb. Thread: [main], blocking. Fails by the optional/Exit it answers, after it has
// printed why on err.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cli/context.hpp"
#include "cli/verbs.hpp"
#include "store/stopped_store.hpp"

namespace limpet::cli {

// Where the store is: --data, else what the config says, else the default place.
[[nodiscard]] std::string find_data(const Globals& globals);

// Does somebody hold the store, or do the options name nothing but a socket? Then the socket is
// where to ask. Prints nothing.
[[nodiscard]] bool is_served(const Context& context);
// Is there a store that nobody holds, and nobody who listens? Prints nothing.
[[nodiscard]] bool is_stopped(const Context& context);

// Opens it. nullopt: it is in use, not there or damaged; exit_out says how to end.
[[nodiscard]] std::optional<store::StoppedStore> open_stopped(const Context& context,
                                                              Exit& exit_out);
// What went wrong at `directory`, in words; retry_later when a daemon uses it.
Exit fail_at(const Context& context, const std::string& directory, const Error& error);

// The same object as the API's status, as far as a stopped store knows it, as CBOR.
[[nodiscard]] Result<ByteVector> stopped_status(store::StoppedStore& store);

// Calls `visit` with each event that the options ask for, as a line of JSON, until it says false.
using LineVisitor = std::function<bool(std::string_view line)>;
[[nodiscard]] Exit read_stopped(const Context& context, const EventsOptions& options,
                                const LineVisitor& visit);

}  // namespace limpet::cli
