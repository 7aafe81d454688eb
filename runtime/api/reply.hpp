#pragma once

// The usual answers: a refusal as its problem, a value as JSON. [main]

#include <functional>
#include <string>
#include <utility>
#include <variant>

#include "api/exchange.hpp"
#include "api/services.hpp"

namespace limpet::api {

// `json` with 200.
inline void reply_json(const Exchange& exchange, std::string json) {
  Response response;
  response.body = std::move(json);
  exchange.respond(std::move(response));
}

// A completion that answers with what `json` makes of the value.
template <class T, class Json>
[[nodiscard]] Done<T> reply_with(const Exchange& exchange, Json json) {
  return [exchange, json = std::move(json)](Answer<T> answer) {
    if (const auto* const refusal = std::get_if<Refusal>(&answer)) {
      return exchange.respond(problem(*refusal));
    }
    reply_json(exchange, json(std::get<T>(answer)));
  };
}

// The same for what has nothing to say but that it was done.
[[nodiscard]] inline Done<std::monostate> reply_done(const Exchange& exchange, std::string json) {
  return reply_with<std::monostate>(
      exchange, [json = std::move(json)](const std::monostate&) { return json; });
}

}  // namespace limpet::api
