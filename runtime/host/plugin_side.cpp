// The functions that plugins call: each finds its instance, counts what breaks a rule, and hands
// on. No exception may pass: these are called from C. What allocates and fails aborts, as
// everywhere.

#include <limpet/ext/draft/agents.h>
#include <limpet/ext/draft/log.h>
#include <limpet/ext/draft/sources.h>
#include <limpet/ext/draft/timer.h>
#include <limpet/ext/draft/tools.h>

#include <cstring>

#include "host/instance.hpp"

namespace limpet::host {

namespace {

// The instance, if it may be spoken to: create() must have returned.
Instance* instance_of(const limpet_host* host) {
  auto* const instance = static_cast<Instance*>(host->host_data);
  if (instance->callable()) return instance;
  instance->counters().violations.add();
  return nullptr;
}

void finish(const limpet_host* host, uint64_t id, limpet_result* result) noexcept {
  if (Instance* instance = instance_of(host)) instance->calls().finish(id, result);
}

limpet_status progress(const limpet_host* host, uint64_t id, uint32_t permille,
                       const char* text) noexcept {
  Instance* const instance = instance_of(host);
  if (instance == nullptr) return LIMPET_WRONG_STATE;
  return instance->calls().progress(id, permille, text);
}

// Nobody watches pieces of results yet; FULL says "skip it", which is what a plugin should do.
limpet_status partial(const limpet_host* host, uint64_t, limpet_bytes) noexcept {
  return instance_of(host) == nullptr ? LIMPET_WRONG_STATE : LIMPET_FULL;
}

// The manifest's tools are all the tools there are; a plugin that has others says so in vain.
void changed(const limpet_host* host) noexcept {
  Instance* const instance = instance_of(host);
  if (instance != nullptr) {
    instance->log().line(LIMPET_LOG_WARNING,
                         "tools that change are not supported; the manifest's stay");
  }
}

limpet_status emit(const limpet_host* host, uint64_t token, limpet_bytes event,
                   limpet_bytes position) noexcept {
  Instance* const instance = instance_of(host);
  if (instance == nullptr) return LIMPET_WRONG_STATE;
  std::string problem;
  const limpet_status status = instance->emissions().emit(token, event, position, problem);
  if (status == LIMPET_INVALID) {
    instance->log().line(LIMPET_LOG_WARNING, ("an event was refused: " + problem).c_str());
  }
  return status;
}

limpet_status start_timer(const limpet_host* host, uint64_t period_ns, uint32_t id) noexcept {
  Instance* const instance = instance_of(host);
  return instance == nullptr ? LIMPET_WRONG_STATE : instance->timers().start(period_ns, id);
}

void stop_timer(const limpet_host* host, uint32_t id) noexcept {
  if (Instance* instance = instance_of(host)) instance->timers().stop(id);
}

void log_line(const limpet_host* host, limpet_log_level level, const char* message) noexcept {
  if (Instance* instance = instance_of(host)) instance->log().line(level, message);
}

// The open turn, or a broken rule.
TurnWindow::View turn_of(const limpet_host* host, uint64_t turn) {
  Instance* const instance = instance_of(host);
  if (instance == nullptr) return {};
  const TurnWindow::View view = instance->window().look(turn);
  if (!view.open) instance->counters().violations.add();
  return view;
}

limpet_status read_event(const limpet_host* host, uint64_t turn, uint64_t sequence,
                         limpet_buffer* event_out) noexcept {
  const TurnWindow::View view = turn_of(host, turn);
  if (!view.open) return LIMPET_WRONG_STATE;
  if (event_out == nullptr) return LIMPET_INVALID;
  if (view.reader == nullptr) return LIMPET_NOT_FOUND;
  std::optional<ByteVector> event = view.reader->read(Sequence(sequence));
  if (!event) return LIMPET_NOT_FOUND;
  *event_out = give_bytes(*std::move(event));
  return LIMPET_OK;
}

limpet_status read_catalog(const limpet_host* host, uint64_t turn, const char* pattern,
                           limpet_buffer* tools_out) noexcept {
  const TurnWindow::View view = turn_of(host, turn);
  if (!view.open) return LIMPET_WRONG_STATE;
  if (tools_out == nullptr || pattern == nullptr) return LIMPET_INVALID;
  ByteVector none = {0x80};  // the empty array
  *tools_out = give_bytes(view.reader != nullptr ? view.reader->catalog(pattern) : std::move(none));
  return LIMPET_OK;
}

constexpr limpet_host_tools host_tools = {finish, progress, partial, changed};
constexpr limpet_host_sources host_sources = {emit};
constexpr limpet_host_timer host_timer = {start_timer, stop_timer};
constexpr limpet_host_log host_log = {log_line};
constexpr limpet_host_agents host_agents = {read_event, read_catalog};

const void* get_extension(const limpet_host* host, const char* extension_id) noexcept {
  if (instance_of(host) == nullptr || extension_id == nullptr) return nullptr;
  const std::string_view id = extension_id;
  if (id == LIMPET_EXT_TOOLS) return &host_tools;
  if (id == LIMPET_EXT_SOURCES) return &host_sources;
  if (id == LIMPET_EXT_TIMER) return &host_timer;
  if (id == LIMPET_EXT_LOG) return &host_log;
  if (id == LIMPET_EXT_AGENTS) return &host_agents;
  return nullptr;
}

// The one function whose use inside create() is counted but heard: its text helps the person.
void set_error(const limpet_host* host, const char* message) noexcept {
  auto* const instance = static_cast<Instance*>(host->host_data);
  if (!instance->callable()) instance->counters().violations.add();
  instance->texts().set(message);
}

}  // namespace

limpet_host make_face(const char* name) {
  limpet_host face{};
  face.struct_size = sizeof face;
  face.abi_major = LIMPET_ABI_MAJOR;
  face.abi_minor = LIMPET_ABI_MINOR;
  face.name = name;
  face.version = LIMPET_VERSION;
  face.get_extension = get_extension;
  face.set_error = set_error;
  return face;
}

}  // namespace limpet::host
