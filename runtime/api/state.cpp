// GET /v1/status, /v1/plugins, /v1/tools, /v1/agents, /v1/whoami, /healthz, /metrics.

#include "api/handlers.hpp"
#include "api/json_writer.hpp"
#include "api/metrics_text.hpp"
#include "api/reply.hpp"
#include "api/rights.hpp"

namespace limpet::api {

void get_plugins(Call& call) { reply_json(call.exchange, call.services.plugins_json()); }
void get_tools(Call& call) { reply_json(call.exchange, call.services.tools_json()); }
void get_agents(Call& call) { reply_json(call.exchange, call.services.agents_json()); }
void get_status(Call& call) { reply_json(call.exchange, call.services.status_json()); }

void get_health(Call& call) {
  const Health health = call.services.health();
  if (!health.ok) {
    return call.exchange.respond(problem(Problem{503, "unhealthy", health.detail, 1000}));
  }
  reply_json(call.exchange, R"({"status":"ok"})");
}

void get_metrics(Call& call) {
  Response response;
  response.content_type = media_metrics;
  response.body = call.services.metrics_text();
  call.exchange.respond(std::move(response));
}

void get_whoami(Call& call) {
  const std::string& principal = call.request.principal;
  std::string json;
  JsonObject object(json);
  object.text("principal", principal);
  object.member("rights");
  JsonArray rights(json);
  for (const Right right : all_rights) {
    if (!call.services.may(principal, right)) continue;
    rights.item();
    json.append("\"").append(to_string(right)).append("\"");
  }
  rights.end();
  object.end();
  reply_json(call.exchange, std::move(json));
}

}  // namespace limpet::api
