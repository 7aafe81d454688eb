#include "tests/tidy/layers.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

namespace limpet::tidy {
namespace {

struct Layer {
  std::string_view folder;
  std::string_view may_include;  // folder names between blanks; every folder may include itself
  enum class System { none, sources, allowed } system;  // headers of the operating system
};

// From the bottom up. "sdk" is plugins/sdk/include, "plugin" any other folder of plugins/.
constexpr std::array layers{
    Layer{"sdk", " ", Layer::System::none},
    Layer{"base", " ", Layer::System::sources},
    Layer{"model", " base ", Layer::System::none},
    Layer{"platform", " base ", Layer::System::allowed},
    Layer{"codec", " base model ", Layer::System::none},
    Layer{"config", " base model ", Layer::System::none},
    Layer{"loop", " base platform ", Layer::System::allowed},
    Layer{"store", " base model codec platform ", Layer::System::sources},
    Layer{"admit", " base model codec store ", Layer::System::none},
    Layer{"dispatch", " base model store ", Layer::System::none},
    Layer{"run", " base model codec ", Layer::System::none},
    Layer{"host", " base model codec config loop platform sdk ", Layer::System::sources},
    Layer{"link", " base model codec loop store ", Layer::System::none},
    Layer{"api", " base model codec loop store admit dispatch run host link ",
          Layer::System::sources},
    Layer{"cli", " base model codec config store host daemon ", Layer::System::sources},
    Layer{"daemon",
          " base model platform codec config loop store admit dispatch run host link api sdk ",
          Layer::System::sources},
    Layer{"plugin", " sdk ", Layer::System::allowed},
};

struct Library {
  std::string_view name;
  std::string_view headers;  // what an include begins with, between blanks
  std::string_view folders;  // whose .cpp files may include it
};

constexpr std::array libraries{
    Library{"Asio", " asio.hpp asio/ ", " loop "},
    Library{"LMDB", " lmdb.h ", " store "},
    Library{"libcbor", " cbor.h cbor/ ", " codec "},
    Library{"nlohmann/json", " nlohmann/ ", " codec api cli "},
    Library{"valijson", " valijson/ ", " codec "},
    Library{"RE2", " re2/ ", " codec "},
    Library{"toml++", " toml++/ ", " config "},
    Library{"http_parser", " http_parser.h ", " api "},
    Library{"CLI11", " CLI/ ", " cli "},
    Library{"systemd", " systemd/ ", " platform "},
};

constexpr std::string_view c_headers =
    " assert.h complex.h ctype.h errno.h fenv.h float.h inttypes.h iso646.h limits.h locale.h"
    " math.h setjmp.h signal.h stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h"
    " stdlib.h stdnoreturn.h string.h tgmath.h threads.h time.h uchar.h wchar.h wctype.h ";

constexpr std::string_view system_headers =
    " unistd.h fcntl.h poll.h dlfcn.h pthread.h sched.h spawn.h pwd.h grp.h dirent.h elf.h link.h"
    " syslog.h termios.h getopt.h netdb.h ifaddrs.h glob.h fnmatch.h semaphore.h ucontext.h"
    " execinfo.h mntent.h libgen.h strings.h endian.h byteswap.h cxxabi.h malloc.h features.h ";

constexpr std::array system_folders{"sys/", "linux/", "netinet/", "arpa/", "net/", "asm/", "gnu/"};

bool lists(std::string_view names, std::string_view name) {
  return names.find(" " + std::string(name) + " ") != std::string_view::npos;
}

const Layer* layer_named(std::string_view name) {
  const auto* found = std::ranges::find(layers, name, &Layer::folder);
  return found == layers.end() ? nullptr : found;
}

// "store" for runtime/store/log.cpp; nullptr for what the table says nothing about.
const Layer* layer_of(std::string_view path) {
  if (path.starts_with("plugins/sdk/include/")) return layer_named("sdk");
  if (path.starts_with("plugins/")) return layer_named("plugin");
  if (path.starts_with("platform/")) return layer_named("platform");
  if (!path.starts_with("runtime/")) return nullptr;
  path.remove_prefix(std::string_view("runtime/").size());
  return layer_named(path.substr(0, path.find('/')));
}

struct Include {
  std::string_view path;
  bool quoted = false;
};

std::optional<Include> include_in(std::string_view line) {
  const auto skip = [&line] {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  };
  skip();
  if (!line.starts_with('#')) return std::nullopt;
  line.remove_prefix(1);
  skip();
  if (!line.starts_with("include")) return std::nullopt;
  line.remove_prefix(std::string_view("include").size());
  skip();
  if (line.empty() || (line.front() != '"' && line.front() != '<')) return std::nullopt;
  const bool quoted = line.front() == '"';
  const std::size_t end = line.find(quoted ? '"' : '>', 1);
  if (end == std::string_view::npos) return std::nullopt;
  return Include{line.substr(1, end - 1), quoted};
}

// The name of the folder of ours that an include leads to, or empty.
std::string_view folder_of(std::string_view path) {
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return {};
  const std::string_view first = path.substr(0, slash);
  if (first == "limpet") return "sdk";
  if (first == "runtime") return folder_of(path.substr(slash + 1));
  if (first == "plugins") return "plugin";
  if (first == "tests") return "tests";
  return layer_named(first) != nullptr && first != "sdk" && first != "plugin" ? first
                                                                              : std::string_view{};
}

const Library* library_of(std::string_view path) {
  for (const Library& library : libraries) {
    std::string_view headers = library.headers;
    while (headers.size() > 1) {
      headers.remove_prefix(1);
      const std::string_view header = headers.substr(0, headers.find(' '));
      if (header.ends_with('/') ? path.starts_with(header) : path == header) return &library;
      headers.remove_prefix(header.size());
    }
  }
  return nullptr;
}

bool is_system(std::string_view path) {
  return lists(system_headers, path) || std::ranges::any_of(system_folders, [path](const char* it) {
           return path.starts_with(it);
         });
}

bool is_standard(std::string_view path) {
  return path.find_first_of("./") == std::string_view::npos || lists(c_headers, path);
}

std::string judge_library(const Library& library, const Layer& layer, std::string_view file) {
  // The SDK's C++ values may offer conversions to the library that most authors have anyway.
  if (library.name == "nlohmann/json" && file.starts_with("plugins/sdk/include/limpet/cpp/")) {
    return {};
  }
  if (layer.folder == "plugin") return {};  // a plugin's libraries are its own business
  if (!lists(library.folders, layer.folder)) {
    return std::string(library.name) + " is not for this folder";
  }
  return file.ends_with(".cpp") ? std::string{}
                                : std::string(library.name) + " may be included in .cpp files only";
}

// "frame.hpp" or "../frame.hpp": found beside the file, so it must not lead out of the layer.
std::string judge_relative(std::string_view path, const Layer& layer, std::string_view file) {
  const std::filesystem::path folder = std::filesystem::path(file).parent_path();
  const std::string target = (folder / path).lexically_normal().generic_string();
  return layer_of(target) == &layer ? std::string{} : "leads out of " + std::string(layer.folder);
}

// The header that `path` implements, if it is one of `paths`; else empty.
std::string own_header(std::string_view path, const std::set<std::string_view>& paths) {
  if (!path.ends_with(".cpp") || layer_of(path) == nullptr) return {};
  std::string header(path.substr(0, path.size() - 3));
  header += "hpp";
  if (paths.contains(header)) return header;
  const std::size_t linux_folder = header.find("/linux/");
  if (linux_folder == std::string::npos) return {};
  header.erase(linux_folder, std::string_view("/linux").size());
  return paths.contains(header) ? header : std::string{};
}

std::string_view first_include(std::string_view code) {
  for (const std::string_view line : lines_of(code)) {
    if (const std::optional<Include> include = include_in(line)) return include->path;
  }
  return {};
}

// Why `layer` may not include this, or empty.
std::string judge(const Include& include, const Layer& layer, std::string_view file) {
  if (const std::string_view folder = folder_of(include.path); !folder.empty()) {
    if (folder == layer.folder || lists(layer.may_include, folder)) return {};
    return std::string(layer.folder) + " may not include " + std::string(folder);
  }
  if (include.quoted) return judge_relative(include.path, layer, file);
  if (const Library* library = library_of(include.path)) {
    return judge_library(*library, layer, file);
  }
  if (is_standard(include.path) || layer.folder == "plugin") return {};
  if (!is_system(include.path)) return "a library that the layer table does not know";
  if (layer.system == Layer::System::none) {
    return std::string(layer.folder) + " reaches the operating system through platform only";
  }
  return layer.system == Layer::System::allowed || file.ends_with(".cpp")
             ? std::string{}
             : "the operating system's headers stay in .cpp files here";
}

}  // namespace

Findings check_layers(const Source& source) {
  Findings findings;
  if (!is_cpp(source.path)) return findings;
  const Layer* layer = layer_of(source.path);
  if (layer == nullptr) {
    if (source.path.starts_with("runtime/")) {
      findings.push_back({source.path, 0, "this folder is not in the layer table"});
    }
    return findings;
  }
  const std::string code = blanked(source.text, Keep::strings);
  std::size_t number = 0;
  for (const std::string_view line : lines_of(code)) {
    ++number;
    const std::optional<Include> include = include_in(line);
    if (!include) continue;
    const std::string reason = judge(*include, *layer, source.path);
    if (!reason.empty()) {
      findings.push_back({source.path, number, std::string(include->path) + ": " + reason});
    }
  }
  return findings;
}

Findings check_own_header_first(std::span<const Source> sources) {
  Findings findings;
  std::set<std::string_view> paths;
  for (const Source& source : sources) paths.insert(source.path);
  for (const Source& source : sources) {
    const std::string header = own_header(source.path, paths);
    if (header.empty()) continue;
    const std::string code = blanked(source.text, Keep::strings);
    const std::string_view first = first_include(code);
    if (header != first && !header.ends_with("/" + std::string(first))) {
      findings.push_back({source.path, 0, "does not include " + header + " first"});
    }
  }
  return findings;
}

}  // namespace limpet::tidy
