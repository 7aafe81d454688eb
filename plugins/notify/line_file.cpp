#include "line_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limpet/cpp/host.hpp>

namespace limpet::notify {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }
  bool valid() const { return number_ >= 0; }

 private:
  int number_;
};

std::string reason(const char* what, int error) {
  return std::string(what) + ": " + std::strerror(error);
}

// A new name is on disk only when its folder is.
void sync_folder(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.valid()) ::fsync(descriptor.number());
}

int open_to_append(const std::string& path) {
  const int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOCTTY;
  const int number = ::open(path.c_str(), flags);
  if (number >= 0 || errno != ENOENT) return number;
  const int created = ::open(path.c_str(), flags | O_CREAT, 0640);
  if (created >= 0) sync_folder(path);
  return created;
}

// Does the file end in the middle of a line?
bool is_torn(int descriptor) {
  const off_t size = ::lseek(descriptor, 0, SEEK_END);
  char last = '\n';
  return size > 0 && ::pread(descriptor, &last, 1, size - 1) == 1 && last != '\n';
}

// The line without its end.
std::string line_of(std::string_view key, std::string_view text) {
  std::string line(key);
  line.push_back('\t');
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    line.push_back(byte < 0x20 || byte == 0x7f ? ' ' : character);
  }
  return line;
}

// Looks for one line in a file that comes in pieces.
class Search {
 public:
  Search(std::string line, std::size_t key_size, bool at_line_start)
      : line_(std::move(line)), key_size_(key_size), matches_(at_line_start) {}

  void feed(std::string_view piece) {
    for (const char character : piece) {
      if (character == '\n') {
        end_line();
      } else if (matches_ && matched_ < line_.size() && character == line_[matched_]) {
        matched_++;
      } else {
        near_ = near_ || (matches_ && matched_ > key_size_);
        matches_ = false;
      }
    }
  }

  bool whole() const { return whole_; }
  // A line has the key but not the whole text, or the file ends in what may have become the line.
  bool torn() const { return near_ || (matches_ && matched_ > 0); }

 private:
  void end_line() {
    if (matches_ && matched_ == line_.size()) whole_ = true;
    near_ = near_ || (matches_ && matched_ > key_size_);
    matches_ = true;
    matched_ = 0;
  }

  std::string line_;
  std::size_t key_size_;
  bool matches_;  // the line so far
  std::size_t matched_ = 0;
  bool whole_ = false;
  bool near_ = false;
};

}  // namespace

Append LineFile::append(std::string_view key, std::string_view text) const {
  const Descriptor file(open_to_append(path_));
  if (!file.valid()) return {Written::nothing, reason("cannot open the file", errno)};
  std::string line(is_torn(file.number()) ? 1 : 0, '\n');
  line.append(line_of(key, text)).push_back('\n');
  ssize_t count = -1;
  do {
    count = ::write(file.number(), line.data(), line.size());
  } while (count < 0 && errno == EINTR);
  if (count < 0) {
    const int error = errno;
    const bool untouched = error == ENOSPC || error == EDQUOT || error == EFBIG;
    return {untouched ? Written::nothing : Written::unknown, reason("cannot write", error)};
  }
  if (static_cast<std::size_t>(count) < line.size()) {
    return {Written::unknown, "the line was written in part"};
  }
  if (::fdatasync(file.number()) != 0) {
    return {Written::unknown, reason("written, but perhaps not on disk", errno)};
  }
  return {Written::durable, {}};
}

Found LineFile::find(std::string_view key, std::string_view text) const {
  const Descriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!file.valid() && errno == ENOENT) return Found::no;
  const off_t size = file.valid() ? ::lseek(file.number(), 0, SEEK_END) : -1;
  if (size < 0) throw sdk::Failure(LIMPET_IO, reason("cannot open the file", errno));
  const off_t tail = static_cast<off_t>(tail_bytes_max);
  const bool all = size <= tail;
  off_t at = all ? 0 : size - tail;
  Search search(line_of(key, text), key.size(), all);
  char piece[16384];
  while (at < size) {
    const ssize_t count = ::pread(file.number(), piece, sizeof piece, at);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw sdk::Failure(LIMPET_IO, reason("cannot read the file", errno));
    if (count == 0) break;
    search.feed({piece, static_cast<std::size_t>(count)});
    at += count;
  }
  if (search.whole()) return Found::yes;
  return search.torn() || !all ? Found::unknown : Found::no;
}

}  // namespace limpet::notify
