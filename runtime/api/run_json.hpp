#pragma once

// Runs as JSON. [any]

#include <string>

#include "api/services.hpp"

namespace limpet::api {

// One line of a list: everything but steps, input and output.
void append_run(std::string& out, const Run& run, Epoch epoch);

// A run as GET /v1/runs/{id} shows it. Errors: invalid (what is stored is not CBOR).
[[nodiscard]] Result<std::string> run_view_json(const RunView& view, Epoch epoch);

}  // namespace limpet::api
