// The files that limpet_add_plugin() builds, as somebody finds them who knows only plugin.h: what
// they export, and the manifest, read from the file and from the loaded datum.
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <elf.h>
#include <limpet/plugin.h>
#include <link.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

constexpr const char* plugin_files[] = {LIMPET_TEST_PLUGINS};

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Just enough of an ELF reader, for files that we built ourselves.
class Elf {
 public:
  explicit Elf(std::string bytes) : bytes_(std::move(bytes)) {
    REQUIRE(bytes_.size() > sizeof(ElfW(Ehdr)));
    std::memcpy(&header_, bytes_.data(), sizeof header_);
    for (unsigned i = 0; i < header_.e_shnum; i++) {
      sections_.push_back(at<ElfW(Shdr)>(header_.e_shoff + i * sizeof(ElfW(Shdr))));
    }
  }

  std::vector<std::string> exported() const {
    std::vector<std::string> names;
    for (const ElfW(Shdr) & section : sections_) {
      if (section.sh_type != SHT_DYNSYM) continue;
      for (ElfW(Off) i = 0; i < section.sh_size; i += sizeof(ElfW(Sym))) {
        const auto symbol = at<ElfW(Sym)>(section.sh_offset + i);
        if (symbol.st_shndx == SHN_UNDEF || symbol.st_name == 0) continue;
        names.emplace_back(&bytes_[sections_[section.sh_link].sh_offset + symbol.st_name]);
      }
    }
    return names;
  }

  // The descriptor of the note, or nothing.
  std::string manifest() const {
    for (const ElfW(Shdr) & section : sections_) {
      const char* name = &bytes_[sections_[header_.e_shstrndx].sh_offset + section.sh_name];
      if (std::string(name) != LIMPET_NOTE_SECTION) continue;
      CHECK(section.sh_type == SHT_NOTE);
      CHECK(section.sh_addralign == 4);
      const auto note = at<ElfW(Nhdr)>(section.sh_offset);
      CHECK(note.n_type == LIMPET_NOTE_TYPE_MANIFEST);
      CHECK(note.n_namesz == sizeof LIMPET_NOTE_NAME);
      CHECK(std::string(&bytes_[section.sh_offset + sizeof note]) == LIMPET_NOTE_NAME);
      const std::size_t begin = sizeof note + (note.n_namesz + 3) / 4 * 4;
      CHECK(section.sh_size == begin + (note.n_descsz + 3) / 4 * 4);
      return bytes_.substr(section.sh_offset + begin, note.n_descsz);
    }
    return {};
  }

 private:
  template <typename T>
  T at(std::size_t offset) const {
    T value;
    REQUIRE(offset + sizeof value <= bytes_.size());
    std::memcpy(&value, &bytes_[offset], sizeof value);
    return value;
  }

  std::string bytes_;
  ElfW(Ehdr) header_ = {};
  std::vector<ElfW(Shdr)> sections_;
};

}  // namespace

TEST_CASE("plugin file: it exports its entry and nothing else") {
  for (const char* path : plugin_files) {
    CAPTURE(path);
    CHECK(Elf(read_file(path)).exported() == std::vector<std::string>{"limpet_entry"});
  }
}

TEST_CASE("plugin file: the manifest in the note is one line of JSON, the same as the entry's") {
  for (const char* path : plugin_files) {
    CAPTURE(path);
    const std::string manifest = Elf(read_file(path)).manifest();
    REQUIRE(manifest.size() > 2);
    CHECK(manifest.front() == '{');
    CHECK(manifest.back() == '}');
    CHECK(manifest.find('\n') == std::string::npos);
    CHECK(manifest.find("\"id\"") != std::string::npos);

    void* handle = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
    REQUIRE_MESSAGE(handle != nullptr, ::dlerror());
    const auto* entry = static_cast<const limpet_entry_point*>(::dlsym(handle, "limpet_entry"));
    REQUIRE(entry != nullptr);
    CHECK(entry->struct_size == sizeof(limpet_entry_point));
    CHECK(limpet_abi_fits(entry->abi_major, entry->abi_minor));
    CHECK(std::string(entry->manifest, entry->manifest_size) == manifest);
    // Never unloaded: as the host does it.
  }
}

TEST_CASE("plugin file: create and destroy need no callable host") {
  const limpet_host host = {sizeof host, LIMPET_ABI_MAJOR, LIMPET_ABI_MINOR, nullptr, "test",
                            "0",         nullptr,          nullptr};
  for (const char* path : plugin_files) {
    CAPTURE(path);
    void* handle = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
    REQUIRE(handle != nullptr);
    const auto* entry = static_cast<const limpet_entry_point*>(::dlsym(handle, "limpet_entry"));
    const limpet_plugin* plugin = nullptr;
    REQUIRE(entry->create(&host, &plugin) == LIMPET_OK);
    REQUIRE(plugin != nullptr);
    CHECK(plugin->struct_size == sizeof(limpet_plugin));
    plugin->destroy(plugin);
  }
}
