#include "api/task_json.hpp"

#include "api/json_writer.hpp"
#include "codec/json.hpp"
#include "codec/rfc3339.hpp"

namespace limpet::api {

namespace {

constexpr uint64_t ns_per_ms = 1'000'000;

Result<void> append_payload(JsonObject& object, std::string& out, ByteSpan payload) {
  object.member("payload");
  if (!payload.empty()) return codec::append_json(out, payload);
  out.append("null");
  return {};
}

}  // namespace

std::string time_text_of_ms(uint64_t ms) {
  if (ms == 0) return "";
  constexpr uint64_t ms_max = UINT64_MAX / ns_per_ms;
  return codec::to_rfc3339(WallTime{(ms < ms_max ? ms : ms_max) * ns_per_ms});
}

Result<void> append_task(std::string& out, const TaskView& task, Epoch epoch) {
  JsonObject object(out);
  object.text("id", qualified_id(epoch, task.task.value()));
  object.text("token", std::to_string(task.token));
  object.number("attempt", task.attempt);
  LIMPET_CHECK(append_payload(object, out, task.payload));
  object.number("priority", task.priority);
  object.text_or_null("group", task.group);
  object.text_or_null("tenant", task.tenant);
  object.text_or_null("principal", task.principal);
  object.text_or_null("correlationid", task.correlation);
  object.text("enqueued", codec::to_rfc3339(task.enqueued));
  object.text_or_null("expires", time_text_of_ms(task.expires_ms));
  object.text_or_null("lease_until", time_text_of_ms(task.lease_until_ms));
  object.end();
  return {};
}

Result<void> append_dead(std::string& out, const DeadView& dead, Epoch epoch, Payload payload) {
  JsonObject object(out);
  object.text("id", qualified_id(epoch, dead.task.value()));
  object.text("queue", dead.queue);
  object.text("reason", dead.reason);
  object.text_or_null("error", dead.error);
  object.number("attempts", dead.attempts);
  object.number("deaths", dead.deaths);
  object.text_or_null("group", dead.group);
  object.text_or_null("tenant", dead.tenant);
  object.text("enqueued", codec::to_rfc3339(dead.enqueued));
  object.text_or_null("first_death", time_text_of_ms(dead.first_death_ms));
  object.text_or_null("last_death", time_text_of_ms(dead.last_death_ms));
  if (payload == Payload::shown) LIMPET_CHECK(append_payload(object, out, dead.payload));
  object.end();
  return {};
}

std::optional<Sequence> parse_task_id(std::string_view text, Epoch epoch) {
  const std::optional<QualifiedId> id = parse_qualified_id(text);
  if (!id || id->number == 0) return std::nullopt;
  return id->epoch == epoch ? Sequence(id->number) : Sequence();
}

}  // namespace limpet::api
