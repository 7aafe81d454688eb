// limpet plugin: list what runs, inspect a file without running it.

#include "cli/item.hpp"
#include "cli/remote.hpp"
#include "cli/table.hpp"
#include "cli/verbs.hpp"
#include "codec/json.hpp"
#include "host/discovery.hpp"

namespace limpet::cli {

namespace {

void print_plugin(std::ostream& out, const host::PluginFile& file) {
  const host::Manifest& manifest = file.manifest;
  out << manifest.id << " " << manifest.version << "\n";
  if (!manifest.description.empty()) out << manifest.description << "\n";
  out << "file: " << file.path << " (" << platform::to_string(file.elf.target) << ")\n";
  out << "abi: " << manifest.abi_major << "." << manifest.abi_minor << "\n";
  const std::string glibc = platform::newest_version(file.elf.needs, "GLIBC");
  if (!glibc.empty()) out << "needs: glibc " << glibc << "\n";
  for (const host::ManifestAgent& agent : manifest.agents) out << "agent: " << agent.name << "\n";
  for (const std::string& type : manifest.source_types) out << "emits: " << type << "\n";
  if (manifest.tools.empty()) return;
  out << "\n";
  Table tools({"TOOL", "READ ONLY", "IDEMPOTENT", "DESTRUCTIVE", "TIMEOUT", "DESCRIPTION"});
  const auto yes = [](bool value) { return std::string(value ? "yes" : "no"); };
  for (const host::ManifestTool& tool : manifest.tools) {
    tools.row({tool.name, yes(tool.hints.read_only), yes(tool.hints.idempotent),
               yes(tool.hints.destructive), std::to_string(tool.timeout_ms) + " ms",
               tool.description});
  }
  tools.print(out);
}

}  // namespace

Exit list_plugins(const Context& context) {
  Remote remote(context);
  const std::optional<std::string> answer = remote.get("/v1/plugins");
  if (!answer) return remote.exit();
  const auto parsed = codec::json_to_cbor(*answer);
  if (context.globals.json || !parsed) {
    context.out << *answer << "\n";
    return Exit::ok;
  }
  // A list, or an object that holds one.
  const ByteSpan list = is_array(*parsed) ? ByteSpan(*parsed) : member(*parsed, "plugins");
  Table table({"NAME", "ID", "VERSION", "STATE", "CALLS", "ERRORS", "ERROR"});
  for_each_item(list, [&](ByteSpan plugin) {
    const auto cell = [plugin](std::string_view name) { return display(member(plugin, name)); };
    table.row({cell("name"), cell("id"), cell("version"), cell("state"), cell("calls"),
               cell("errors"), cell("error")});
  });
  table.print(context.out);
  return Exit::ok;
}

Exit inspect_plugin(const Context& context, const std::string& file) {
  const host::Inspected inspected = host::inspect_plugin(file);
  if (const auto* const refusal = std::get_if<host::Refusal>(&inspected)) {
    return fail(context, refusal->sentence);
  }
  const host::PluginFile& plugin = std::get<host::PluginFile>(inspected);
  if (context.globals.json) {
    context.out << plugin.manifest_text << "\n";
  } else {
    print_plugin(context.out, plugin);
  }
  return Exit::ok;
}

}  // namespace limpet::cli
