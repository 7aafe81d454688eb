#include "platform/files.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace limpet::platform {

namespace {

Error io_error(const char* where) {
  return Error{errno == ENOENT ? ErrorCode::not_found : ErrorCode::io, where, errno};
}

std::string parent_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<void> sync_directory(const std::string& path) {
  const OwnedDescriptor directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return io_error("files: open directory");
  if (fsync(directory.get()) != 0) return io_error("files: sync directory");
  return {};
}

Result<void> write_all(int descriptor, ByteSpan content) {
  while (!content.empty()) {
    const ssize_t written = write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return io_error("files: write");
    content = content.subspan(static_cast<size_t>(written));
  }
  return {};
}

}  // namespace

OwnedDescriptor::~OwnedDescriptor() {
  if (descriptor_ >= 0) close(descriptor_);
}

Result<void> make_directories(const std::string& path) {
  if (path.empty()) return Error{ErrorCode::invalid, "files: empty directory name"};
  for (size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
    const std::string prefix = path.substr(0, end);
    if (mkdir(prefix.c_str(), 0750) != 0 && errno != EEXIST) {
      return io_error("files: make directory");
    }
  }
  if (mkdir(path.c_str(), 0750) != 0 && errno != EEXIST) return io_error("files: make directory");
  return {};
}

Result<OwnedDescriptor> lock_directory(const std::string& path) {
  OwnedDescriptor directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return io_error("files: open directory");
  if (flock(directory.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return Error{ErrorCode::busy, "files: another process uses this directory"};
    }
    return io_error("files: lock directory");
  }
  return directory;
}

Result<std::string> read_file(const std::string& path, size_t bytes_max) {
  const OwnedDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return io_error("files: open");
  std::string content;
  char buffer[4096];
  while (true) {
    const ssize_t count = read(file.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return io_error("files: read");
    if (count == 0) return content;
    content.append(buffer, static_cast<size_t>(count));
    if (content.size() > bytes_max) return Error{ErrorCode::too_large, "files: file too large"};
  }
}

Result<void> replace_file(const std::string& path, ByteSpan content) {
  const std::string temporary = path + ".new";
  {
    const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
    const OwnedDescriptor file(open(temporary.c_str(), flags, 0640));
    if (!file) return io_error("files: create");
    LIMPET_CHECK(write_all(file.get(), content));
    if (fsync(file.get()) != 0) return io_error("files: sync");
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) return io_error("files: rename");
  return sync_parent_directory(path);
}

Result<void> sync_parent_directory(const std::string& path) {
  return sync_directory(parent_of(path));
}

bool file_exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

Result<uint64_t> file_size(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return io_error("files: stat");
  return static_cast<uint64_t>(status.st_size);
}

Result<void> preallocate(const std::string& path, uint64_t bytes) {
  const OwnedDescriptor file(open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file) return io_error("files: open");
  if (fallocate(file.get(), 0, 0, static_cast<off_t>(bytes)) != 0) {
    if (errno == EOPNOTSUPP || errno == ENOSYS) {
      return Error{ErrorCode::unsupported, "files: preallocate"};
    }
    return io_error("files: preallocate");
  }
  if (fsync(file.get()) != 0) return io_error("files: sync");
  return {};
}

Result<void> set_close_on_exec(int descriptor) {
  const int flags = fcntl(descriptor, F_GETFD);
  if (flags < 0 || fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC) != 0) {
    return io_error("files: set close-on-exec");
  }
  return {};
}

}  // namespace limpet::platform
