#include "host/entry.hpp"

#include <cstddef>

#include "host/discovery.hpp"
#include "platform/dynlib.hpp"

namespace limpet::host {

namespace {

constexpr uint32_t entry_size_min =
    offsetof(limpet_entry_point, create) + sizeof(limpet_entry_point::create);

Refusal refuse(ErrorCode code, const std::string& name, std::string_view sentence) {
  return {Error{code, "host: load plugin"}, std::string(name).append(": ").append(sentence)};
}

const std::string& label(const InstanceSettings& settings) {
  if (!settings.name.empty()) return settings.name;
  return settings.id.empty() ? settings.path : settings.id;
}

// The origin of a linked-in plugin with this id; nullopt: there is none.
std::optional<InstanceOrigin> find_static(const HostOptions& options,
                                          const InstanceSettings& settings) {
  for (const limpet_entry_point* entry : options.static_plugins) {
    if (entry->struct_size < entry_size_min || entry->manifest == nullptr) continue;
    const std::string_view text(entry->manifest, entry->manifest_size);
    auto parsed = parse_manifest(text);
    if (!std::holds_alternative<Manifest>(parsed)) continue;
    if (std::get<Manifest>(parsed).id != settings.id) continue;
    return InstanceOrigin{
        settings, std::get<Manifest>(std::move(parsed)), std::string(text), {}, entry};
  }
  return std::nullopt;
}

}  // namespace

std::variant<InstanceOrigin, Refusal> find_origin(const HostOptions& options,
                                                  const InstanceSettings& settings) {
  if (settings.path.empty() && settings.id.empty()) {
    return refuse(ErrorCode::invalid, label(settings), "needs an `id` or a `path`");
  }
  std::optional<InstanceOrigin> origin;
  if (settings.path.empty()) origin = find_static(options, settings);
  if (!origin) {
    Inspected inspected = settings.path.empty() ? find_plugin(options.directories, settings.id)
                                                : inspect_plugin(settings.path);
    if (auto* refusal = std::get_if<Refusal>(&inspected)) {
      return Refusal{refusal->error, label(settings) + ": " + refusal->sentence};
    }
    PluginFile file = std::get<PluginFile>(std::move(inspected));
    origin = InstanceOrigin{settings, std::move(file.manifest), std::move(file.manifest_text),
                            std::move(file.path), nullptr};
  }
  if (!settings.id.empty() && origin->manifest.id != settings.id) {
    return refuse(ErrorCode::conflict, label(settings),
                  settings.path + " is " + origin->manifest.id + ", not " + settings.id);
  }
  if (origin->settings.name.empty()) origin->settings.name = origin->manifest.default_name();
  if (!instance_name_valid(origin->settings.name)) {
    return refuse(ErrorCode::invalid, origin->settings.name,
                  "is no name for a plugin: up to 32 of a-z, 0-9, '_' and '-'");
  }
  return *std::move(origin);
}

std::string entry_problem(const limpet_entry_point& entry, const InstanceOrigin& origin) {
  std::string abi = abi_problem(entry.abi_major, entry.abi_minor);
  if (!abi.empty()) return abi;
  if (entry.struct_size < entry_size_min) {
    return "has an entry point of " + std::to_string(entry.struct_size) + " bytes, not " +
           std::to_string(entry_size_min);
  }
  if (entry.create == nullptr) return "has no create function";
  const Manifest& manifest = origin.manifest;
  if (manifest.abi_major != entry.abi_major || manifest.abi_minor != entry.abi_minor) {
    return "has a manifest for another plugin ABI than its code";
  }
  // Built by hand, the code carries no second copy.
  if (entry.manifest == nullptr) return {};
  if (std::string_view(entry.manifest, entry.manifest_size) != origin.manifest_text) {
    return "has code that was built with another manifest than the one in its note";
  }
  return {};
}

std::optional<Refusal> open_entry(InstanceOrigin& origin) {
  const std::string& name = origin.settings.name;
  if (origin.entry == nullptr) {
    std::string problem;
    const auto library = platform::open_library(origin.path, problem);
    if (!library) {
      return refuse(ErrorCode::plugin, name, origin.path + " cannot be loaded: " + problem);
    }
    origin.entry = static_cast<const limpet_entry_point*>(library->symbol("limpet_entry"));
    if (origin.entry == nullptr) {
      return refuse(ErrorCode::unsupported, name, origin.path + " does not export limpet_entry");
    }
  }
  const std::string problem = entry_problem(*origin.entry, origin);
  if (problem.empty()) return std::nullopt;
  const std::string& place = origin.path.empty() ? origin.manifest.id : origin.path;
  return refuse(ErrorCode::unsupported, name, place + " " + problem);
}

}  // namespace limpet::host
