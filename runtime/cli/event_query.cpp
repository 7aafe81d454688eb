#include "cli/event_query.hpp"

#include <chrono>

#include "cli/http_client.hpp"
#include "codec/rfc3339.hpp"
#include "config/units.hpp"

namespace limpet::cli {

namespace {

class Query {
 public:
  void add(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    text_.append(text_.empty() ? "?" : "&").append(name).append("=").append(percent_encode(value));
  }
  void add(std::string_view name, const std::optional<uint64_t>& value) {
    if (value) add(name, std::to_string(*value));
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// Empty for empty; nullopt: neither a time nor a duration.
std::optional<std::string> since_of(const std::string& text) {
  if (text.empty() || codec::parse_rfc3339(text)) return text;
  const std::optional<Duration> ago = config::parse_duration(text);
  if (!ago) return std::nullopt;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const int64_t now_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  const int64_t since_ns = now_ns > ago->ns ? now_ns - ago->ns : 0;
  return codec::to_rfc3339(WallTime{static_cast<uint64_t>(since_ns)});
}

}  // namespace

std::optional<std::string> events_target(const EventsOptions& options) {
  const std::optional<std::string> since = since_of(options.since);
  if (!since) return std::nullopt;
  Query query;
  query.add("from", options.from);
  query.add("to", options.to);
  query.add("limit", options.limit);
  query.add("type", options.type);
  query.add("subject", options.subject);
  query.add("correlation", options.correlation);
  query.add("since", *since);
  query.add("pace", options.pace);
  query.add("speed", options.speed);
  if (options.follow) query.add("follow", std::string_view("true"));
  const bool filtered = !(options.type + options.subject + options.correlation).empty();
  if (!options.run.empty() && !filtered) {
    return "/v1/runs/" + percent_encode(options.run) + "/events" + query.text();
  }
  query.add("run", options.run);
  return "/v1/events" + query.text();
}

}  // namespace limpet::cli
