#pragma once

// The requests of the API, one function each: read the request, ask Services, answer. [main]
// Each answers its exchange exactly once, now or when the house has done what was asked.

#include "api/exchange.hpp"
#include "api/request.hpp"
#include "api/services.hpp"

namespace limpet::api {

struct Call {
  Services& services;  // outlives the call
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

void get_plugins(Call& call);
void get_tools(Call& call);
void get_agents(Call& call);
void get_status(Call& call);
void get_health(Call& call);

}  // namespace limpet::api
