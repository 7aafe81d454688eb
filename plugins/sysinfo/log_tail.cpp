#include "log_tail.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text_file.hpp"

namespace limpet::sysinfo {
namespace {

// The file's last `bytes` bytes; `whole` says whether that is all of it.
std::optional<std::string> read_end(const std::string& path, std::size_t bytes, bool& whole) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (file < 0) return std::nullopt;
  struct stat info = {};
  const bool regular = ::fstat(file, &info) == 0 && S_ISREG(info.st_mode);
  const off_t want = static_cast<off_t>(bytes);
  const off_t begin = info.st_size > want ? info.st_size - want : 0;
  std::string text(bytes, '\0');
  const ssize_t count = regular ? ::pread(file, text.data(), bytes, begin) : -1;
  ::close(file);
  if (count < 0) return std::nullopt;
  text.resize(static_cast<std::size_t>(count));
  whole = begin == 0;
  return text;
}

}  // namespace

std::optional<std::string> log_tail(const std::string& path, TailLimits limits) {
  bool whole = false;
  const auto end = read_end(path, limits.bytes, whole);
  if (!end) return std::nullopt;
  std::string_view text = *end;
  if (!whole && text.find('\n') != text.npos && text.find('\n') + 1 < text.size()) {
    text.remove_prefix(text.find('\n') + 1);
  }
  std::size_t begin = text.size();
  for (std::size_t lines = 0; begin > 0 && lines < limits.lines; lines++) {
    const std::size_t before = begin < 2 ? text.npos : text.rfind('\n', begin - 2);
    begin = before == text.npos ? 0 : before + 1;
  }
  std::string tail = printable(text.substr(begin));
  if (!tail.empty() && tail.back() != '\n') tail.push_back('\n');
  return tail;
}

}  // namespace limpet::sysinfo
