// GET /v1/status, /v1/plugins, /v1/tools, /v1/agents, /healthz.

#include "api/handlers.hpp"
#include "api/json_writer.hpp"

namespace limpet::api {

namespace {

void respond_json(const Call& call, std::string json) {
  Response response;
  response.body = std::move(json);
  call.exchange.respond(std::move(response));
}

}  // namespace

void get_plugins(Call& call) { respond_json(call, call.services.plugins_json()); }
void get_tools(Call& call) { respond_json(call, call.services.tools_json()); }
void get_agents(Call& call) { respond_json(call, call.services.agents_json()); }
void get_status(Call& call) { respond_json(call, call.services.status_json()); }

void get_health(Call& call) {
  const Health health = call.services.health();
  if (!health.ok) {
    return call.exchange.respond(problem(Problem{503, "unhealthy", health.detail, 1000}));
  }
  respond_json(call, R"({"status":"ok"})");
}

}  // namespace limpet::api
