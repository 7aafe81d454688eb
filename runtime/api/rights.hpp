#pragma once

// RightsTable: which principal may do what over the API.
// Owner: the daemon, which answers Services::may() with it. Thread: [main]. Never fails.
// Limits: as many entries as the config has [[principal]]s.
//
// A principal is "uid:1000" (the socket), "token:ops" (TCP) or "none" (a socket whose kernel does
// not say who is there, as from outside of a container). "uid:*" and "token:*" are all others of
// their kind. A kind without any entry keeps its default: whoever could open the socket may do
// everything, for its file mode is a permission already; a token may read and submit.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/services.hpp"

namespace limpet::api {

inline constexpr std::array all_rights = {Right::read, Right::submit, Right::work, Right::operate,
                                          Right::answer};

// The names that config and API use. [any, no-alloc]
[[nodiscard]] std::string_view to_string(Right right);
[[nodiscard]] std::optional<Right> parse_right(std::string_view text);

struct PrincipalRights {
  std::string principal;
  std::vector<Right> rights;  // none: it may do nothing
};

class RightsTable {
 public:
  RightsTable() = default;
  explicit RightsTable(std::vector<PrincipalRights> entries) : entries_(std::move(entries)) {}

  // [main, no-alloc]
  [[nodiscard]] bool may(std::string_view principal, Right right) const;

 private:
  std::vector<PrincipalRights> entries_;
};

}  // namespace limpet::api
