#include "api/api.hpp"

#include <array>
#include <optional>
#include <string_view>

#include "api/handlers.hpp"

namespace limpet::api {

namespace {

// Who may ask without any right: whoever may open the socket.
using MaybeRight = std::optional<Right>;

// What must be there behind a route.
enum class Needs : uint8_t { house, queues, consumers };

struct Route {
  std::string_view method;
  std::string_view path;  // "*" is one segment of any content
  MaybeRight right;
  void (*handle)(Call& call);
  Needs needs = Needs::house;
  bool takes_query = false;  // of queues and consumers: others refuse parameters
};

// The first that fits is taken: fixed names come before "*".
constexpr std::array<Route, 41> routes = {{
    {"POST", "v1/events", Right::submit, post_events},
    {"GET", "v1/events", Right::read, get_events},
    {"POST", "v1/runs", Right::submit, post_run},
    {"GET", "v1/runs", Right::read, list_runs},
    {"GET", "v1/runs/*", Right::read, get_run},
    {"GET", "v1/runs/*/events", Right::read, get_run_events},
    {"POST", "v1/runs/*/steps/*/resolve", Right::operate, resolve_step},
    {"POST", "v1/runs/*/cancel", Right::operate, cancel_run},

    {"GET", "v1/queues", Right::read, get_queues, Needs::queues},
    {"POST", "v1/queues/*/tasks", Right::submit, post_tasks, Needs::queues},
    {"POST", "v1/queues/*/lease", Right::work, lease_tasks, Needs::queues},
    {"POST", "v1/queues/*/pause", Right::operate, pause_queue, Needs::queues},
    {"POST", "v1/queues/*/resume", Right::operate, resume_queue, Needs::queues},
    {"POST", "v1/queues/*/drain", Right::operate, drain_queue, Needs::queues},
    {"POST", "v1/tasks/ack", Right::work, ack_tasks, Needs::queues},
    {"POST", "v1/tasks/nack", Right::work, nack_tasks, Needs::queues},
    {"POST", "v1/tasks/*/ack", Right::work, ack_task, Needs::queues},
    {"POST", "v1/tasks/*/nack", Right::work, nack_task, Needs::queues},
    {"POST", "v1/tasks/*/extend", Right::work, extend_task, Needs::queues},
    {"GET", "v1/dead", Right::read, list_dead, Needs::queues, true},
    {"DELETE", "v1/dead", Right::operate, drop_dead_many, Needs::queues, true},
    {"POST", "v1/dead/redrive", Right::operate, redrive_many, Needs::queues},
    {"GET", "v1/dead/*", Right::read, get_dead, Needs::queues},
    {"DELETE", "v1/dead/*", Right::operate, drop_dead_one, Needs::queues},
    {"POST", "v1/dead/*/redrive", Right::operate, redrive_one, Needs::queues},

    {"GET", "v1/consumers", Right::read, get_consumers, Needs::consumers},
    {"PUT", "v1/consumers/*", Right::operate, put_consumer, Needs::consumers},
    {"DELETE", "v1/consumers/*", Right::operate, delete_consumer, Needs::consumers},
    {"POST", "v1/consumers/*/fetch", Right::work, fetch_events, Needs::consumers},
    {"POST", "v1/consumers/*/ack", Right::work, ack_events, Needs::consumers},
    {"POST", "v1/consumers/*/nack", Right::work, nack_events, Needs::consumers},
    {"POST", "v1/consumers/*/pause", Right::operate, pause_consumer, Needs::consumers},
    {"POST", "v1/consumers/*/resume", Right::operate, resume_consumer, Needs::consumers},
    {"POST", "v1/consumers/*/seek", Right::operate, seek_consumer, Needs::consumers},

    {"GET", "v1/plugins", Right::read, get_plugins},
    {"GET", "v1/tools", Right::read, get_tools},
    {"GET", "v1/agents", Right::read, get_agents},
    {"GET", "v1/status", Right::read, get_status},
    {"GET", "v1/whoami", std::nullopt, get_whoami},
    {"GET", "healthz", std::nullopt, get_health},
    {"GET", "metrics", Right::read, get_metrics},
}};

bool is_there(Needs needs, const ServiceSet& services) {
  switch (needs) {
    case Needs::house: return true;
    case Needs::queues: return services.queues != nullptr;
    case Needs::consumers: return services.consumers != nullptr;
  }
  return false;
}

bool path_matches(std::string_view path, const std::vector<std::string>& segments) {
  for (const std::string& segment : segments) {
    if (path.empty()) return false;
    const size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part != "*" && part != segment) return false;
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  return path.empty() && !segments.empty();
}

std::string path_text(const Request& request) {
  std::string text;
  for (const std::string& segment : request.segments) text.append("/").append(segment);
  return text.empty() ? "/" : text;
}

Response not_found(const Request& request) {
  return problem(Problem{404, "not-found", "There is nothing at `" + path_text(request) + "`."});
}

Response wrong_method(std::string allowed) {
  Response response = problem(Problem{405, "method", "This path takes " + allowed + "."});
  response.headers.push_back({"Allow", std::move(allowed)});
  return response;
}

}  // namespace

Result<std::unique_ptr<Api>> Api::create(loop::Loop& loop, ServiceSet services,
                                         ServerOptions options) {
  std::unique_ptr<Api> api(new Api(services));
  Api* const self = api.get();
  LIMPET_TRY(self->server_,
             Server::create(loop, std::move(options), [self](Request request, Exchange exchange) {
               self->handle(std::move(request), std::move(exchange));
             }));
  services.house.on_commit([self] { self->server_->wake(); });
  return api;
}

Api::~Api() { services_.house.on_commit(nullptr); }

void Api::handle(Request request, Exchange exchange) {
  std::string allowed;
  for (const Route& route : routes) {
    if (!path_matches(route.path, request.segments)) continue;
    if (route.method != request.method) {
      allowed.append(allowed.empty() ? "" : ", ").append(route.method);
      continue;
    }
    if (!is_there(route.needs, services_)) {
      return exchange.respond(problem(Problem{404, "not-found", "This is not in this build."}));
    }
    if (route.right && !services_.house.may(request.principal, *route.right)) {
      return exchange.respond(problem(Problem{
          403, "denied", "`" + request.principal + "` may not do this; the config says who may."}));
    }
    // A `max` that belongs into the body must not be dropped in silence.
    if (route.needs != Needs::house && !route.takes_query && !request.query.empty()) {
      return exchange.respond(invalid("This path takes no parameters."));
    }
    Call call{services_.house, services_.queues, services_.consumers, std::move(request),
              std::move(exchange)};
    return route.handle(call);
  }
  exchange.respond(allowed.empty() ? not_found(request) : wrong_method(std::move(allowed)));
}

}  // namespace limpet::api
