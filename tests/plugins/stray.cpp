// A plugin that does everything a plugin may do, and most of what it must not, one tool each. What
// a test wants of a tool it says in the arguments; what happened inside, other tools tell.

#include "stray.hpp"

#include <cstring>
#include <stdexcept>

namespace stray {

namespace {

Stray& stray_of(const limpet_plugin* self) { return *static_cast<Stray*>(self->plugin_data); }

limpet_status refuse_as_config_says(Stray& stray, limpet_bytes config, const char* function) {
  const std::string mode = text_at(config, "mode");
  if (mode == std::string("refuse_") + function) {
    stray.host->set_error(stray.host, "the config says so");
    return LIMPET_INVALID;
  }
  if (mode == std::string("throw_") + function) throw std::runtime_error("as the config says");
  return LIMPET_OK;
}

limpet_status check(const limpet_plugin* self, limpet_bytes config) {
  return refuse_as_config_says(stray_of(self), config, "check");
}

limpet_status activate(const limpet_plugin* self, limpet_bytes config) {
  Stray& stray = stray_of(self);
  const auto get = [&](const char* id) { return stray.host->get_extension(stray.host, id); };
  stray.host_tools = static_cast<const limpet_host_tools*>(get(LIMPET_EXT_TOOLS));
  stray.host_sources = static_cast<const limpet_host_sources*>(get(LIMPET_EXT_SOURCES));
  stray.host_timer = static_cast<const limpet_host_timer*>(get(LIMPET_EXT_TIMER));
  stray.host_log = static_cast<const limpet_host_log*>(get(LIMPET_EXT_LOG));
  stray.host_agents = static_cast<const limpet_host_agents*>(get(LIMPET_EXT_AGENTS));
  if (get("limpet.unheard-of/1") != nullptr) return LIMPET_INTERNAL;
  return refuse_as_config_says(stray, config, "activate");
}

void deactivate(const limpet_plugin*) {}
void destroy(const limpet_plugin* self) { leave(&stray_of(self)); }

// Agents: the event's `data` says how to decide.
limpet_status turn(const limpet_plugin* self, const limpet_turn* turn, limpet_buffer* out) {
  Stray& stray = stray_of(self);
  const std::string how = text_at(turn->event, "data");
  if (how == "fail") {
    stray.host->set_error(stray.host, "cannot decide");
    return LIMPET_INTERNAL;
  }
  if (how == "throw") throw std::runtime_error("no decision");
  if (how == "read") {
    return stray.host_agents->read(stray.host, turn->id, turn->state_version, out);
  }
  if (how == "catalog") return stray.host_agents->catalog(stray.host, turn->id, "stray.*", out);
  if (how == "read_other") return stray.host_agents->read(stray.host, turn->id + 1, 1, out);
  if (how == "garbage") {
    *out = moved({0xa1, 0x01});
  } else if (how == "text") {
    *out = moved({0x61, 'x'});
  } else if (how == "gigabyte") {
    *out = moved({0xa0});
    out->size = 1u << 30;
  } else {
    *out = moved({0xa1, 0x67, 'v', 'e', 'r', 's', 'i', 'o', 'n', 0x03});
  }
  return LIMPET_OK;
}

limpet_status start(const limpet_plugin* self, limpet_bytes position) {
  Stray& stray = stray_of(self);
  stray.position.assign(reinterpret_cast<const char*>(position.data), position.size);
  return LIMPET_OK;
}

void stop(const limpet_plugin*) {}

void settled(const limpet_plugin* self, uint64_t token, limpet_status status) {
  stray_of(self).settlements += std::to_string(token) + ":" + std::to_string(status) + " ";
}

void on_timer(const limpet_plugin* self, uint32_t id) {
  stray_of(self).ticks += std::to_string(id) + " ";
}

constexpr limpet_plugin_agents agents = {3, 2, turn};
constexpr limpet_plugin_sources sources = {start, stop, settled};
constexpr limpet_plugin_timer timer = {on_timer};

const void* get_extension(const limpet_plugin*, const char* id) {
  if (strcmp(id, LIMPET_EXT_TOOLS) == 0) return &tools;
  if (strcmp(id, LIMPET_EXT_AGENTS) == 0) return &agents;
  if (strcmp(id, LIMPET_EXT_SOURCES) == 0) return &sources;
  if (strcmp(id, LIMPET_EXT_TIMER) == 0) return &timer;
  return nullptr;
}

limpet_status create(const limpet_host* host, const limpet_plugin** out) {
  Stray* const stray = enter();
  stray->host = host;
  stray->face = limpet_plugin{sizeof(limpet_plugin),
                              LIMPET_ABI_MAJOR,
                              LIMPET_ABI_MINOR,
                              stray,
                              check,
                              activate,
                              deactivate,
                              destroy,
                              get_extension};
  *out = &stray->face;
  return LIMPET_OK;
}

}  // namespace

}  // namespace stray

LIMPET_DEFINE_ENTRY(stray::create);
