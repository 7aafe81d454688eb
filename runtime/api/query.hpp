#pragma once

// QueryReader: takes the parameters of a request by name; whatever is left over, and the first
// value that does not fit, becomes one sentence for the person.
// Owner: the handler; borrows the request. Thread: [main].
//
//   QueryReader query(request);
//   query.number("limit", limit); query.text("type", type);
//   if (auto sentence = query.refusal()) return exchange.respond(invalid(*sentence));

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/request.hpp"
#include "base/time.hpp"

namespace limpet::api {

class QueryReader {
 public:
  explicit QueryReader(const Request& request) : request_(request) {}

  // Each leaves `to` as it is when the parameter is absent.
  void text(std::string_view name, std::string& to);
  void number(std::string_view name, std::optional<uint64_t>& to);
  void flag(std::string_view name, std::optional<bool>& to);      // true, 1 or nothing; false or 0
  void factor(std::string_view name, std::optional<double>& to);  // 0.01 to 100
  void time(std::string_view name, std::optional<WallTime>& to);  // RFC 3339
  void refuse(std::string sentence);                              // unless there is one already

  [[nodiscard]] std::optional<std::string> refusal() const;

 private:
  [[nodiscard]] const std::string* find(std::string_view name);

  const Request& request_;
  std::vector<std::string_view> known_;
  std::optional<std::string> sentence_;
};

// A whole number without sign, or nullopt. [any, no-alloc]
[[nodiscard]] std::optional<uint64_t> parse_number(std::string_view text);

}  // namespace limpet::api
