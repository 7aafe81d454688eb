// The recorder: a library for LD_PRELOAD that writes down what a program does to the files of one
// directory, and can make one of those calls fail. Owner: the loader. Thread: any; one lock is held
// from the beginning of a call to the end of its record, so the trace is in the order of effects.
//
// The functions carry their C names by an asm label: libc's headers declare them with types and
// exception specifications that differ by word size, and with 64-bit offsets they rename them.

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "tests/crash/recorder/format.hpp"

namespace limpet::testing {
namespace {

constexpr size_t descriptors_max = 1024;

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

using Open = int(const char*, int, ...);
using OpenAt = int(int, const char*, int, ...);
using Write = ssize_t(int, const void*, size_t);
using WriteAt = ssize_t(int, const void*, size_t, int64_t);
using Seek = int64_t(int, int64_t, int);
using Resize = int(int, int64_t);
using Allocate = int(int, int, int64_t, int64_t);
using OnDescriptor = int(int);
using Rename = int(const char*, const char*);
using OnPath = int(const char*);
using Map = void*(void*, size_t, int, int, int, int64_t);
using SyncMap = int(void*, size_t, int);

enum class Fate { done, refused, half };

struct OpenFile {
  uint32_t handle = 0;  // 0: not watched
  bool synchronous = false;
  bool shared_memory = false;  // a file that is meant to be mapped: LMDB's reader table
};

class Recorder {
 public:
  Recorder() {
    const char* directory = std::getenv(directory_variable);
    const char* trace = std::getenv(trace_variable);
    if (directory == nullptr || trace == nullptr) return;
    directory_ = directory;
    trace_ = real<Open>("open64")(trace, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (trace_ < 0) die("no trace file");
    if (const char* failure = std::getenv(failure_variable)) read_plan(failure);
  }

  std::mutex& mutex() { return mutex_; }

  [[nodiscard]] bool watches(const char* path) const {
    const std::string_view name(path);
    return trace_ >= 0 && name.starts_with(directory_) &&
           (name.size() == directory_.size() || name[directory_.size()] == '/');
  }
  [[nodiscard]] bool watches(int descriptor) const { return file(descriptor).handle != 0; }
  [[nodiscard]] const OpenFile& file(int descriptor) const {
    static constexpr OpenFile none{};
    const auto index = static_cast<size_t>(descriptor);
    return descriptor < 0 || index >= files_.size() ? none : files_[index];
  }

  void opened(int descriptor, const char* path, int flags) {
    if (static_cast<size_t>(descriptor) >= files_.size()) die("too many descriptors");
    OpenFile& file = files_[static_cast<size_t>(descriptor)];
    file.handle = ++handles_;
    file.synchronous = (flags & O_DSYNC) != 0;
    file.shared_memory = std::string_view(path).ends_with("-lock");
    append({RecordKind::open, file.handle, 0, 0, flags}, path);
  }
  void closed(int descriptor) {
    if (watches(descriptor)) files_[static_cast<size_t>(descriptor)] = {};
  }

  // Of the next call that changes a watched file.
  Fate next_fate(bool allocates = false) {
    ++calls_;
    if (plan_ == "allocate") return allocates ? Fate::refused : Fate::done;
    const bool hit = fail_at_ != 0 && (plan_ == "ever" ? calls_ >= fail_at_ : calls_ == fail_at_);
    if (!hit) return Fate::done;
    return plan_ == "half" ? Fate::half : Fate::refused;
  }
  [[nodiscard]] int error() const { return error_; }
  [[nodiscard]] int64_t calls() const { return calls_; }

  void append(RecordHead head, std::string_view data) {
    head.size = static_cast<uint32_t>(data.size());
    std::string bytes(reinterpret_cast<const char*>(&head), sizeof head);
    bytes += data;
    const ssize_t written = real<Write>("write")(trace_, bytes.data(), bytes.size());
    if (written != static_cast<ssize_t>(bytes.size())) die("the trace cannot be written");
  }
  [[nodiscard]] bool active() const { return trace_ >= 0; }

 private:
  [[noreturn]] static void die(const char* why) {
    std::fprintf(stderr, "recorder: %s\n", why);
    std::_Exit(99);
  }

  void read_plan(const std::string& text) {
    const size_t first = text.find(':');
    const size_t second = text.find(':', first + 1);
    if (second == std::string::npos) die("the failure is not number:errno:how");
    fail_at_ = std::strtoll(text.c_str(), nullptr, 10);
    error_ = std::atoi(text.c_str() + first + 1);
    plan_ = text.substr(second + 1);
  }

  std::mutex mutex_;
  std::string directory_;
  int trace_ = -1;
  std::array<OpenFile, descriptors_max> files_{};
  uint32_t handles_ = 0;
  int64_t calls_ = 0;
  int64_t fail_at_ = 0;
  int error_ = 0;
  std::string plan_;
};

// Never destroyed: programs still write while they exit.
Recorder& recorder() {
  static Recorder& only = *new Recorder;
  return only;
}

int refuse() {
  errno = recorder().error();
  return -1;
}

int open_recorded(int directory, const char* path, int flags, unsigned mode) {
  const std::lock_guard lock(recorder().mutex());
  const int descriptor = real<OpenAt>("openat64")(directory, path, flags, mode);
  if (descriptor >= 0 && recorder().watches(path)) recorder().opened(descriptor, path, flags);
  return descriptor;
}

ssize_t perform_write(int descriptor, std::string_view bytes, int64_t offset) {
  if (offset < 0) return real<Write>("write")(descriptor, bytes.data(), bytes.size());
  return real<WriteAt>("pwrite64")(descriptor, bytes.data(), bytes.size(), offset);
}

// offset < 0: where the descriptor stands.
ssize_t write_recorded(int descriptor, std::string_view bytes, int64_t offset) {
  Recorder& to = recorder();
  const std::lock_guard lock(to.mutex());
  const OpenFile file = to.file(descriptor);
  if (file.handle == 0) return perform_write(descriptor, bytes, offset);
  const int64_t at = offset >= 0 ? offset : real<Seek>("lseek64")(descriptor, 0, SEEK_CUR);
  const Fate fate = to.next_fate();
  RecordHead head{RecordKind::write, file.handle, file.synchronous ? record_synchronous : 0, 0, at};
  if (fate == Fate::refused && !file.synchronous) {
    to.append({RecordKind::refused, file.handle, 0, 0, to.calls()}, "write");
    return refuse();
  }
  // A synchronous write that fails has reached the page cache, as a failed sync's pages have.
  if (fate == Fate::refused) head.flags |= record_failed;
  if (fate == Fate::half) {
    bytes = bytes.substr(0, bytes.size() / 2);
    to.append({RecordKind::refused, file.handle, 0, 0, to.calls()}, "half of a write");
  }
  const ssize_t written = perform_write(descriptor, bytes, offset);
  if (written > 0) to.append(head, bytes.substr(0, static_cast<size_t>(written)));
  return fate == Fate::refused ? refuse() : written;
}

ssize_t write_pieces(int descriptor, const iovec* pieces, int count, int64_t offset) {
  std::string bytes;
  for (int index = 0; index < count; ++index) {
    bytes.append(static_cast<const char*>(pieces[index].iov_base), pieces[index].iov_len);
  }
  return write_recorded(descriptor, bytes, offset);
}

int sync_recorded(int descriptor, const char* name) {
  Recorder& to = recorder();
  const std::lock_guard lock(to.mutex());
  const uint32_t handle = to.file(descriptor).handle;
  if (handle == 0) return real<OnDescriptor>(name)(descriptor);
  if (to.next_fate() == Fate::refused) {
    to.append({RecordKind::sync, handle, record_failed, 0, to.calls()}, "");
    return refuse();
  }
  const int code = real<OnDescriptor>(name)(descriptor);
  to.append({RecordKind::sync, handle, code == 0 ? 0 : record_failed, 0, to.calls()}, "");
  return code;
}

int resize_recorded(int descriptor, int64_t size) {
  Recorder& to = recorder();
  const std::lock_guard lock(to.mutex());
  const uint32_t handle = to.file(descriptor).handle;
  if (handle == 0) return real<Resize>("ftruncate64")(descriptor, size);
  if (to.next_fate() == Fate::refused) {
    to.append({RecordKind::refused, handle, 0, 0, to.calls()}, "ftruncate");
    return refuse();
  }
  const int code = real<Resize>("ftruncate64")(descriptor, size);
  if (code == 0) to.append({RecordKind::resize, handle, 0, 0, size}, "");
  return code;
}

int allocate_recorded(int descriptor, int mode, int64_t offset, int64_t size) {
  Recorder& to = recorder();
  const std::lock_guard lock(to.mutex());
  const uint32_t handle = to.file(descriptor).handle;
  if (handle == 0) return real<Allocate>("fallocate64")(descriptor, mode, offset, size);
  if (to.next_fate(true) == Fate::refused) {
    to.append({RecordKind::refused, handle, 0, 0, to.calls()}, "fallocate");
    return refuse();
  }
  const int code = real<Allocate>("fallocate64")(descriptor, mode, offset, size);
  if (code == 0) to.append({RecordKind::allocate, handle, 0, 0, offset + size}, "");
  if (code == 0 && mode != 0) to.append({RecordKind::unmodelled, handle, 0, 0, 0}, "fallocate");
  return code;
}

void* map_recorded(void* address, size_t size, int protection, int flags, int descriptor,
                   int64_t offset) {
  Recorder& to = recorder();
  const std::lock_guard lock(to.mutex());
  const OpenFile& file = to.file(descriptor);
  const bool writes = (flags & MAP_SHARED) != 0 && (protection & PROT_WRITE) != 0;
  if (file.handle != 0 && writes && !file.shared_memory) {
    to.append({RecordKind::unmodelled, file.handle, 0, 0, 0}, "mmap for writing");
  }
  return real<Map>("mmap64")(address, size, protection, flags, descriptor, offset);
}

unsigned mode_of(int flags, va_list arguments) {
  return (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(arguments, unsigned) : 0;
}

}  // namespace
}  // namespace limpet::testing

using namespace limpet::testing;

#define LIMPET_RECORDS(name) __asm__(name) __attribute__((visibility("default")))

extern "C" {

void record_marker(uint32_t kind, uint64_t number) LIMPET_RECORDS("limpet_record_marker");
int record_open(const char* path, int flags, ...) LIMPET_RECORDS("open");
int record_open64(const char* path, int flags, ...) LIMPET_RECORDS("open64");
int record_openat(int directory, const char* path, int flags, ...) LIMPET_RECORDS("openat");
int record_openat64(int directory, const char* path, int flags, ...) LIMPET_RECORDS("openat64");
int record_close(int descriptor) LIMPET_RECORDS("close");
ssize_t record_write(int descriptor, const void* data, size_t size) LIMPET_RECORDS("write");
ssize_t record_pwrite(int descriptor, const void* data, size_t size, long offset)
    LIMPET_RECORDS("pwrite");
ssize_t record_pwrite64(int descriptor, const void* data, size_t size, int64_t offset)
    LIMPET_RECORDS("pwrite64");
ssize_t record_writev(int descriptor, const iovec* pieces, int count) LIMPET_RECORDS("writev");
ssize_t record_pwritev(int descriptor, const iovec* pieces, int count, long offset)
    LIMPET_RECORDS("pwritev");
ssize_t record_pwritev64(int descriptor, const iovec* pieces, int count, int64_t offset)
    LIMPET_RECORDS("pwritev64");
int record_ftruncate(int descriptor, long size) LIMPET_RECORDS("ftruncate");
int record_ftruncate64(int descriptor, int64_t size) LIMPET_RECORDS("ftruncate64");
int record_fallocate(int descriptor, int mode, long offset, long size) LIMPET_RECORDS("fallocate");
int record_fallocate64(int descriptor, int mode, int64_t offset, int64_t size)
    LIMPET_RECORDS("fallocate64");
int record_posix_fallocate(int descriptor, long offset, long size)
    LIMPET_RECORDS("posix_fallocate");
int record_posix_fallocate64(int descriptor, int64_t offset, int64_t size)
    LIMPET_RECORDS("posix_fallocate64");
int record_fsync(int descriptor) LIMPET_RECORDS("fsync");
int record_fdatasync(int descriptor) LIMPET_RECORDS("fdatasync");
int record_msync(void* address, size_t size, int flags) LIMPET_RECORDS("msync");
void* record_mmap(void* address, size_t size, int protection, int flags, int descriptor,
                  long offset) LIMPET_RECORDS("mmap");
void* record_mmap64(void* address, size_t size, int protection, int flags, int descriptor,
                    int64_t offset) LIMPET_RECORDS("mmap64");
int record_rename(const char* from, const char* to) LIMPET_RECORDS("rename");
int record_unlink(const char* path) LIMPET_RECORDS("unlink");

void record_marker(uint32_t kind, uint64_t number) {
  const std::lock_guard lock(recorder().mutex());
  if (!recorder().active()) return;
  recorder().append({RecordKind::marker, kind, 0, 0, static_cast<int64_t>(number)}, "");
}

int record_open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const unsigned mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_recorded(AT_FDCWD, path, flags, mode);
}

int record_open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const unsigned mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_recorded(AT_FDCWD, path, flags, mode);
}

int record_openat(int directory, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const unsigned mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_recorded(directory, path, flags, mode);
}

int record_openat64(int directory, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const unsigned mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_recorded(directory, path, flags, mode);
}

int record_close(int descriptor) {
  const std::lock_guard lock(recorder().mutex());
  recorder().closed(descriptor);
  return real<OnDescriptor>("close")(descriptor);
}

ssize_t record_write(int descriptor, const void* data, size_t size) {
  return write_recorded(descriptor, {static_cast<const char*>(data), size}, -1);
}
ssize_t record_pwrite(int descriptor, const void* data, size_t size, long offset) {
  return write_recorded(descriptor, {static_cast<const char*>(data), size}, offset);
}
ssize_t record_pwrite64(int descriptor, const void* data, size_t size, int64_t offset) {
  return write_recorded(descriptor, {static_cast<const char*>(data), size}, offset);
}
ssize_t record_writev(int descriptor, const iovec* pieces, int count) {
  return write_pieces(descriptor, pieces, count, -1);
}
ssize_t record_pwritev(int descriptor, const iovec* pieces, int count, long offset) {
  return write_pieces(descriptor, pieces, count, offset);
}
ssize_t record_pwritev64(int descriptor, const iovec* pieces, int count, int64_t offset) {
  return write_pieces(descriptor, pieces, count, offset);
}

int record_ftruncate(int descriptor, long size) { return resize_recorded(descriptor, size); }
int record_ftruncate64(int descriptor, int64_t size) { return resize_recorded(descriptor, size); }

int record_fallocate(int descriptor, int mode, long offset, long size) {
  return allocate_recorded(descriptor, mode, offset, size);
}
int record_fallocate64(int descriptor, int mode, int64_t offset, int64_t size) {
  return allocate_recorded(descriptor, mode, offset, size);
}
// It answers the error instead of setting errno. Where the file system cannot, libc writes zeros;
// here it just cannot.
int record_posix_fallocate(int descriptor, long offset, long size) {
  return allocate_recorded(descriptor, 0, offset, size) == 0 ? 0 : errno;
}
int record_posix_fallocate64(int descriptor, int64_t offset, int64_t size) {
  return allocate_recorded(descriptor, 0, offset, size) == 0 ? 0 : errno;
}

int record_fsync(int descriptor) { return sync_recorded(descriptor, "fsync"); }
int record_fdatasync(int descriptor) { return sync_recorded(descriptor, "fdatasync"); }

int record_msync(void* address, size_t size, int flags) {
  const std::lock_guard lock(recorder().mutex());
  if (recorder().active()) recorder().append({RecordKind::unmodelled, 0, 0, 0, 0}, "msync");
  return real<SyncMap>("msync")(address, size, flags);
}

void* record_mmap(void* address, size_t size, int protection, int flags, int descriptor,
                  long offset) {
  return map_recorded(address, size, protection, flags, descriptor, offset);
}
void* record_mmap64(void* address, size_t size, int protection, int flags, int descriptor,
                    int64_t offset) {
  return map_recorded(address, size, protection, flags, descriptor, offset);
}

int record_rename(const char* from, const char* to) {
  const std::lock_guard lock(recorder().mutex());
  const int code = real<Rename>("rename")(from, to);
  if (code == 0 && recorder().watches(from)) {
    std::string names(from);
    names.push_back('\0');
    names.append(to);
    recorder().append({RecordKind::rename, 0, 0, 0, 0}, names);
  }
  return code;
}

int record_unlink(const char* path) {
  const std::lock_guard lock(recorder().mutex());
  const int code = real<OnPath>("unlink")(path);
  if (code == 0 && recorder().watches(path)) {
    recorder().append({RecordKind::remove, 0, 0, 0, 0}, path);
  }
  return code;
}

}  // extern "C"
