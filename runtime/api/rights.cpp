#include "api/rights.hpp"

#include <algorithm>

namespace limpet::api {

namespace {

constexpr std::string_view over_socket = "uid:";
constexpr std::string_view over_tcp = "token:";

bool of_kind(std::string_view principal, std::string_view kind) {
  return principal.substr(0, kind.size()) == kind;
}

}  // namespace

std::string_view to_string(Right right) {
  switch (right) {
    case Right::read: return "read";
    case Right::submit: return "submit";
    case Right::work: return "work";
    case Right::operate: return "operate";
    case Right::answer: return "answer";
  }
  return "";
}

std::optional<Right> parse_right(std::string_view text) {
  const auto* const found = std::find_if(all_rights.begin(), all_rights.end(),
                                         [text](Right right) { return to_string(right) == text; });
  return found == all_rights.end() ? std::nullopt : std::optional(*found);
}

bool RightsTable::may(std::string_view principal, Right right) const {
  const bool tcp = of_kind(principal, over_tcp);
  if (!tcp && !of_kind(principal, over_socket) && principal != "none") return false;
  const std::string_view kind = tcp ? over_tcp : over_socket;
  bool kind_named = false;
  const PrincipalRights* found = nullptr;
  for (const PrincipalRights& entry : entries_) {
    const bool same_kind = of_kind(entry.principal, kind);
    kind_named = kind_named || same_kind;
    const bool others = same_kind && entry.principal.substr(kind.size()) == "*";
    if (entry.principal == principal || (others && found == nullptr)) found = &entry;
    if (entry.principal == principal) break;
  }
  if (found != nullptr) {
    return std::find(found->rights.begin(), found->rights.end(), right) != found->rights.end();
  }
  return !kind_named && (!tcp || right == Right::read || right == Right::submit);
}

}  // namespace limpet::api
