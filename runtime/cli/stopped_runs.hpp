#pragma once

// Runs of a store that no daemon serves, as the same objects as the API's, in CBOR; of inputs and
// outputs only the sequences of the events that carry them. [main, blocking]

#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "cli/verbs.hpp"
#include "store/stopped_store.hpp"

namespace limpet::cli {

inline constexpr uint64_t stopped_runs_default = 100;

// {"runs":[...]}, the newest first. Damaged headers are left out; `store verify` counts them.
[[nodiscard]] Result<ByteVector> stopped_runs(store::StoppedStore& store,
                                              const RunsOptions& options);

// One run with its steps. Errors: invalid (not the id of a run), not_found, corrupt.
[[nodiscard]] Result<ByteVector> stopped_run(store::StoppedStore& store, const std::string& id);

}  // namespace limpet::cli
