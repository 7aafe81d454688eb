#include "host/discovery.hpp"

#include <limpet/plugin.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace limpet::host {

namespace {

constexpr size_t directory_entries_max = 1024;
constexpr platform::ElfNoteName manifest_note{LIMPET_NOTE_NAME, LIMPET_NOTE_TYPE_MANIFEST};

Refusal refuse(ErrorCode code, const std::string& path, std::string_view sentence) {
  return {Error{code, "host: inspect plugin"}, std::string(path).append(" ").append(sentence)};
}

Refusal refuse_unreadable(const std::string& path, const Error& error) {
  switch (error.code) {
    case ErrorCode::not_found: return {error, path + " does not exist"};
    case ErrorCode::unsupported: return {error, path + " is not an ELF file"};
    case ErrorCode::corrupt:
      return {error, path + " is damaged or cut off: its ELF headers do not fit its size"};
    default:
      return {error,
              path + " cannot be read: " + std::generic_category().message(error.system_error)};
  }
}

// What is wrong with a readable ELF file before its manifest is looked at; empty: nothing.
std::string target_problem(const platform::ElfInfo& elf) {
  const platform::ElfTarget here = platform::this_target();
  if (!(elf.target == here)) {
    return "is built for " + to_string(elf.target) + ", this machine is " + to_string(here);
  }
  if (!elf.shared_object) return "is not a shared object";
  const std::string wanted = platform::newest_version(elf.needs, "GLIBC");
  const std::string present = platform::c_library_version();
  if (!wanted.empty() && !present.empty() && platform::version_older(present, wanted)) {
    return "needs glibc " + wanted + ", this system has " + present;
  }
  if (!elf.note) return "has no Limpet manifest: it is no plugin, or was built by hand";
  return {};
}

// The .so files of a directory by name; an unreadable directory has none.
std::vector<std::string> list_objects(const std::string& directory) {
  namespace fs = std::filesystem;
  std::vector<std::string> paths;
  std::error_code error;
  fs::directory_iterator entry(directory, error);
  while (!error && entry != fs::directory_iterator() && paths.size() < directory_entries_max) {
    const std::string name = entry->path().filename().string();
    if (name.ends_with(".so") && name.front() != '.') paths.push_back(directory + "/" + name);
    entry.increment(error);
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += ", ";
    text += part;
  }
  return text;
}

}  // namespace

std::string abi_problem(uint16_t major, uint16_t minor) {
  if (limpet_abi_fits(major, minor) != 0) return {};
  const auto dotted = [](unsigned a, unsigned b) {
    return std::to_string(a) + "." + std::to_string(b);
  };
  return "is built for plugin ABI " + dotted(major, minor) + ", this Limpet speaks " +
         dotted(LIMPET_ABI_MAJOR, LIMPET_ABI_MINOR);
}

Inspected inspect_plugin(const std::string& path) {
  Result<platform::ElfInfo> elf = platform::read_elf_file(path, manifest_note);
  if (!elf) return refuse_unreadable(path, elf.error());
  const std::string wrong_target = target_problem(*elf);
  if (!wrong_target.empty()) return refuse(ErrorCode::unsupported, path, wrong_target);
  auto parsed = parse_manifest(*elf->note);
  if (const auto* problem = std::get_if<std::string>(&parsed)) {
    return refuse(ErrorCode::corrupt, path, "has a manifest that cannot be used: " + *problem);
  }
  PluginFile file{path, *elf->note, std::get<Manifest>(std::move(parsed)), *std::move(elf)};
  const std::string wrong_abi = abi_problem(file.manifest.abi_major, file.manifest.abi_minor);
  if (!wrong_abi.empty()) return refuse(ErrorCode::unsupported, path, wrong_abi);
  return file;
}

Inspected find_plugin(const std::vector<std::string>& directories, std::string_view id) {
  std::vector<std::string> refused;
  for (const std::string& directory : directories) {
    std::vector<PluginFile> found;
    for (const std::string& path : list_objects(directory)) {
      Inspected inspected = inspect_plugin(path);
      if (auto* refusal = std::get_if<Refusal>(&inspected)) {
        refused.push_back(std::move(refusal->sentence));
      } else if (std::get<PluginFile>(inspected).manifest.id == id) {
        found.push_back(std::get<PluginFile>(std::move(inspected)));
      }
    }
    if (found.size() > 1) {
      return Refusal{Error{ErrorCode::conflict, "host: find plugin"},
                     std::string(id) + " is there twice: " + found[0].path + " and " +
                         found[1].path + "; name one of them by `path`"};
    }
    if (found.size() == 1) return std::move(found.front());
  }
  std::string sentence = "no plugin " + std::string(id) + " in " +
                         (directories.empty() ? "an empty plugin path" : joined(directories));
  if (!refused.empty()) sentence += " (not usable: " + joined(refused) + ")";
  return Refusal{Error{ErrorCode::not_found, "host: find plugin"}, std::move(sentence)};
}

}  // namespace limpet::host
