#include "store/walk.hpp"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "codec/cbor.hpp"
#include "platform/files.hpp"
#include "store/environment.hpp"
#include "store/stopped_store.hpp"

namespace limpet::store {

namespace {

constexpr size_t text_bytes_max = 256;
constexpr size_t report_bytes_max = verify_problems_max * 2 * (text_bytes_max + 8) + 128;
constexpr size_t report_fields = 9;

// A processor of a small board reads far more than 4 MiB of cached pages a second; waiting for the
// disk does not count.
uint32_t cpu_seconds_for(uint64_t file_bytes) {
  return 30 + static_cast<uint32_t>(file_bytes / (uint64_t{4} << 20));
}

std::string_view cut(std::string_view text) { return text.substr(0, text_bytes_max); }

bool write_all(int descriptor, ByteSpan bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return true;
}

ByteVector read_all(int descriptor) {
  ByteVector bytes(report_bytes_max);
  size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t count = read(descriptor, bytes.data() + size, bytes.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    size += static_cast<size_t>(count);
  }
  bytes.resize(size);
  return bytes;
}

[[noreturn]] void live_as_child(const std::function<VerifyReport()>& work, int pipe_end,
                                uint32_t cpu_seconds) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int number : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGXCPU}) {
    signal(number, SIG_DFL);
  }
  const rlimit processor = {cpu_seconds, cpu_seconds};
  setrlimit(RLIMIT_CPU, &processor);
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  _exit(write_all(pipe_end, encode_report(work())) ? 0 : 1);
}

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return status;
}

VerifyReport unreadable(std::string text) {
  VerifyReport report;
  report.tree_sound = false;
  report.problems = 1;
  report.first.push_back({"file", std::move(text)});
  return report;
}

VerifyReport verify_directory(const std::string& directory) {
  Result<StoppedStore> store = StoppedStore::open(directory, StoppedStore::Lock::held);
  return store.ok() ? verify(*store) : unreadable(to_string(store.error()));
}

}  // namespace

ByteVector encode_report(const VerifyReport& report) {
  ByteVector buffer(report_bytes_max);
  codec::CborWriter writer(buffer);
  writer.array(report_fields);
  for (const uint64_t count : {report.rows, report.events, report.runs, report.steps, report.tasks,
                               report.free_pages, report.problems}) {
    writer.uint(count);
  }
  writer.boolean(report.tree_sound);
  writer.array(report.first.size() * 2);
  for (const Problem& problem : report.first) {
    writer.text(cut(problem.key));
    writer.text(cut(problem.text));
  }
  const Result<ByteSpan> bytes = writer.finish();
  buffer.resize(bytes.ok() ? bytes->size() : 0);
  return buffer;
}

std::optional<VerifyReport> parse_report(ByteSpan bytes) {
  codec::CborReader reader(bytes);
  VerifyReport report;
  if (reader.array() != report_fields) return std::nullopt;
  for (uint64_t* const count : {&report.rows, &report.events, &report.runs, &report.steps,
                                &report.tasks, &report.free_pages, &report.problems}) {
    *count = reader.uint();
  }
  report.tree_sound = reader.boolean();
  for (size_t left = reader.array() / 2; left > 0 && reader.ok(); --left) {
    std::string key(reader.text());
    report.first.push_back({std::move(key), std::string(reader.text())});
  }
  if (!reader.finish().ok()) return std::nullopt;
  return report;
}

Result<VerifyReport> in_child(const std::function<VerifyReport()>& work, uint32_t cpu_seconds) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Error{ErrorCode::io, "store: make a pipe", errno};
  const platform::OwnedDescriptor to_read(ends[0]);
  platform::OwnedDescriptor to_write(ends[1]);
  const pid_t child = fork();
  if (child < 0) return Error{ErrorCode::io, "store: make a child to read the file", errno};
  if (child == 0) live_as_child(work, to_write.get(), cpu_seconds);
  // Otherwise the end of the child would not be the end of the pipe.
  to_write = platform::OwnedDescriptor();
  std::optional<VerifyReport> report = parse_report(read_all(to_read.get()));
  const int status = wait_for(child);
  if (report && WIFEXITED(status) && WEXITSTATUS(status) == 0) return std::move(*report);
  std::string text = "whoever reads it dies";
  if (WIFSIGNALED(status)) text += " of signal " + std::to_string(WTERMSIG(status));
  return unreadable(std::move(text));
}

Result<VerifyReport> verify_in_child(const std::string& directory) {
  LIMPET_TRY(const uint64_t file_bytes, platform::file_size(store_file(directory)));
  return in_child([&directory] { return verify_directory(directory); },
                  cpu_seconds_for(file_bytes));
}

Result<VerifyReport> verify_stopped(const std::string& directory) {
  if (!platform::file_exists(store_file(directory))) {
    return Error{ErrorCode::not_found, "store: there is no store in this directory"};
  }
  LIMPET_TRY(const platform::OwnedDescriptor lock, platform::lock_directory(directory));
  return verify_in_child(directory);
}

}  // namespace limpet::store
