#pragma once

// ServiceSet: what stands behind the API, by part. Borrowed; outlives the Api. [main]

#include "api/consumer_services.hpp"
#include "api/queue_services.hpp"
#include "api/services.hpp"

namespace limpet::api {

struct ServiceSet {
  // Implicit on purpose: a house without queues and consumers is a house.
  ServiceSet(Services& the_house, QueueServices* the_queues = nullptr,
             ConsumerServices* the_consumers = nullptr)
      : house(the_house), queues(the_queues), consumers(the_consumers) {}

  Services& house;
  QueueServices* queues;        // null: its paths answer 404
  ConsumerServices* consumers;  // null: its paths answer 404
};

}  // namespace limpet::api
