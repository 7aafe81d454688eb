#pragma once

// Run ids as they stand in paths and parameters. [main]

#include <optional>
#include <string_view>

#include "api/handlers.hpp"
#include "model/ids.hpp"

namespace limpet::api {

// "7k2m9qxc-1042" of this epoch; nullopt: another form, or a run of another store.
[[nodiscard]] std::optional<RunId> parse_run_id(std::string_view text, Epoch epoch);

// The run that the path /v1/runs/{id}... names, if there is one; else 404 has been answered.
[[nodiscard]] std::optional<RunId> find_run(Call& call);

// "No run `7k2m9qxc-1042`." as an answer.
[[nodiscard]] Response no_such_run(const Call& call);

}  // namespace limpet::api
