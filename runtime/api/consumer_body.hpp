#pragma once

// The body of PUT /v1/consumers/{name} as settings. [main]

#include <optional>

#include "api/request.hpp"
#include "api/response.hpp"
#include "dispatch/consumer_types.hpp"
#include "model/ids.hpp"

namespace limpet::api {

// The refusal, if `settings` could not be read. Absent members keep what `settings` has.
[[nodiscard]] std::optional<Response> read_consumer(const Request& request, Epoch epoch,
                                                    dispatch::ConsumerSettings& settings);

}  // namespace limpet::api
