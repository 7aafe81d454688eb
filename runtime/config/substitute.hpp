#pragma once

// Variables and secrets put into the texts of a config. Private to this folder. [any], blocking
// where a file is read.

#include <string>
#include <string_view>
#include <variant>

#include "config/load.hpp"

namespace limpet::config {

struct SubstituteProblem {
  std::string message;
};
using Substituted = std::variant<std::string, SubstituteProblem>;

// `text` with ${NAME} and ${NAME:-otherwise} replaced.
[[nodiscard]] Substituted substitute(std::string_view text, const Environment& environment);

// The file's content where `text` is "file:PATH" (a URL's "file://" is not); else the text itself.
// Relative to `folder`.
[[nodiscard]] Substituted read_secret(const std::string& text, const std::string& folder,
                                      const Environment& environment);

// `path` from the folder of the file in which it stands.
[[nodiscard]] std::string resolve_path(const std::string& path, const std::string& folder);

}  // namespace limpet::config
