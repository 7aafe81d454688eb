#pragma once

// The requests of the API, one function each: read the request, ask the services, answer. [main]
// Each answers its exchange exactly once, now or when the house has done what was asked.

#include "api/exchange.hpp"
#include "api/request.hpp"
#include "api/service_set.hpp"

namespace limpet::api {

struct Call {
  Services& services;           // outlives the call, as the two below
  QueueServices* queues;        // not null where a handler of the queues is called
  ConsumerServices* consumers;  // the same for those of the consumers
  Request request;
  Exchange exchange;
};

void post_events(Call& call);
void get_events(Call& call);

void post_run(Call& call);
void list_runs(Call& call);
void get_run(Call& call);
void get_run_events(Call& call);
void resolve_step(Call& call);
void cancel_run(Call& call);

void post_tasks(Call& call);
void lease_tasks(Call& call);
void ack_task(Call& call);
void nack_task(Call& call);
void ack_tasks(Call& call);
void nack_tasks(Call& call);
void extend_task(Call& call);

void get_queues(Call& call);
void pause_queue(Call& call);
void resume_queue(Call& call);
void drain_queue(Call& call);

void list_dead(Call& call);
void get_dead(Call& call);
void redrive_one(Call& call);
void redrive_many(Call& call);
void drop_dead_one(Call& call);
void drop_dead_many(Call& call);

void get_consumers(Call& call);
void put_consumer(Call& call);
void delete_consumer(Call& call);
void fetch_events(Call& call);
void ack_events(Call& call);
void nack_events(Call& call);
void pause_consumer(Call& call);
void resume_consumer(Call& call);
void seek_consumer(Call& call);

void get_plugins(Call& call);
void get_tools(Call& call);
void get_agents(Call& call);
void get_status(Call& call);
void get_health(Call& call);
void get_metrics(Call& call);
void get_whoami(Call& call);

}  // namespace limpet::api
