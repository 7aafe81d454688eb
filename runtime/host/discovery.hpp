#pragma once

// Finding plugins and reading what they say of themselves, without running any of their code: what
// `limpet plugin inspect`, `limpet check` and Host::load begin with. [any, blocking]
// Fails with a Refusal: not_found (no file, no such id), io, unsupported (not ELF, another machine,
// another ABI, a newer C library, no manifest), corrupt (damaged file or manifest), conflict (the
// id is there twice). Limits: directory_entries_max files looked at in a directory.

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "host/host.hpp"
#include "host/manifest.hpp"
#include "platform/elf_note.hpp"

namespace limpet::host {

struct PluginFile {
  std::string path;
  std::string manifest_text;  // as the note has it
  Manifest manifest;
  platform::ElfInfo elf;
};

using Inspected = std::variant<PluginFile, Refusal>;

// Reads the file at `path` and checks all that can be checked without running it.
[[nodiscard]] Inspected inspect_plugin(const std::string& path);

// The plugin with this id: in the first of the directories that has it. Files there that are no
// plugins, or broken ones, are passed over, but named when nothing is found.
[[nodiscard]] Inspected find_plugin(const std::vector<std::string>& directories,
                                    std::string_view id);

// "0.2" does not fit, as a sentence; empty: it fits.
[[nodiscard]] std::string abi_problem(uint16_t major, uint16_t minor);

}  // namespace limpet::host
