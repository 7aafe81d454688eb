#pragma once

// What is known of a queue, as a JSON object: of GET /v1/queues and GET /v1/status. [any]

#include <string>

#include "dispatch/queue_types.hpp"

namespace limpet::daemon {

void append_queue(std::string& out, const dispatch::QueueStats& stats);

}  // namespace limpet::daemon
