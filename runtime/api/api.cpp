#include "api/api.hpp"

#include <array>
#include <optional>
#include <string_view>

#include "api/handlers.hpp"

namespace limpet::api {

namespace {

// Who may ask without any right: whoever may open the socket.
using MaybeRight = std::optional<Right>;

struct Route {
  std::string_view method;
  std::string_view path;  // "*" is one segment of any content
  MaybeRight right;
  void (*handle)(Call& call);
};

constexpr std::array<Route, 13> routes = {{
    {"POST", "v1/events", Right::submit, post_events},
    {"GET", "v1/events", Right::read, get_events},
    {"POST", "v1/runs", Right::submit, post_run},
    {"GET", "v1/runs", Right::read, list_runs},
    {"GET", "v1/runs/*", Right::read, get_run},
    {"GET", "v1/runs/*/events", Right::read, get_run_events},
    {"POST", "v1/runs/*/steps/*/resolve", Right::operate, resolve_step},
    {"POST", "v1/runs/*/cancel", Right::operate, cancel_run},
    {"GET", "v1/plugins", Right::read, get_plugins},
    {"GET", "v1/tools", Right::read, get_tools},
    {"GET", "v1/agents", Right::read, get_agents},
    {"GET", "v1/status", Right::read, get_status},
    {"GET", "healthz", std::nullopt, get_health},
}};

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

Result<std::unique_ptr<Api>> Api::create(loop::Loop& loop, Services& services,
                                         ServerOptions options) {
  std::unique_ptr<Api> api(new Api(services));
  Api* const self = api.get();
  LIMPET_TRY(self->server_,
             Server::create(loop, std::move(options), [self](Request request, Exchange exchange) {
               self->handle(std::move(request), std::move(exchange));
             }));
  services.on_commit([self] { self->server_->wake(); });
  return api;
}

Api::~Api() { services_.on_commit(nullptr); }

void Api::handle(Request request, Exchange exchange) {
  std::string allowed;
  for (const Route& route : routes) {
    if (!path_matches(route.path, request.segments)) continue;
    if (route.method != request.method) {
      allowed.append(allowed.empty() ? "" : ", ").append(route.method);
      continue;
    }
    if (route.right && !services_.may(request.principal, *route.right)) {
      return exchange.respond(problem(Problem{
          403, "denied", "`" + request.principal + "` may not do this; the config says who may."}));
    }
    Call call{services_, std::move(request), std::move(exchange)};
    return route.handle(call);
  }
  exchange.respond(allowed.empty() ? not_found(request) : wrong_method(std::move(allowed)));
}

}  // namespace limpet::api
