#pragma once

// The text of GET /metrics: everything that is counted and measured. Looks, never changes. [main]

#include <string>

#include "daemon/status.hpp"

namespace limpet::daemon {

[[nodiscard]] std::string metrics_text(const StatusParts& parts);

}  // namespace limpet::daemon
