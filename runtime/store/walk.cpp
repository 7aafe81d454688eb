#include "store/walk.hpp"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "platform/files.hpp"
#include "store/environment.hpp"
#include "store/verify.hpp"

namespace limpet::store {

namespace {

// What the child sends, in one write.
struct Message {
  uint32_t verdict;
  uint32_t text_bytes;
  uint64_t rows;
  uint64_t problems;
  std::array<char, walk_text_bytes_max> text;
};
static_assert(sizeof(Message) <= 512);  // PIPE_BUF at least: it comes whole or not at all

// A processor of a small board reads far more than 4 MiB of cached pages a second; waiting for the
// disk does not count.
uint32_t walk_cpu_seconds(uint64_t file_bytes) {
  return 30 + static_cast<uint32_t>(file_bytes / (uint64_t{4} << 20));
}

[[noreturn]] void live_as_child(const std::function<WalkResult()>& work, int pipe_end,
                                uint32_t cpu_seconds) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int number : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGXCPU}) {
    signal(number, SIG_DFL);
  }
  const rlimit processor = {cpu_seconds, cpu_seconds};
  setrlimit(RLIMIT_CPU, &processor);
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  const WalkResult result = work();
  Message message{};
  message.verdict = static_cast<uint32_t>(result.verdict);
  message.rows = result.rows;
  message.problems = result.problems;
  message.text_bytes = static_cast<uint32_t>(std::min(result.first.size(), walk_text_bytes_max));
  std::memcpy(message.text.data(), result.first.data(), message.text_bytes);
  const ssize_t written = write(pipe_end, &message, sizeof message);
  _exit(written == ssize_t{sizeof message} ? 0 : 1);
}

// False: the child ended without a message.
bool receive(int pipe_end, Message& message_out) {
  ssize_t count = 0;
  do {
    count = read(pipe_end, &message_out, sizeof message_out);
  } while (count < 0 && errno == EINTR);
  return count == ssize_t{sizeof message_out} && message_out.verdict <= 2 &&
         message_out.text_bytes <= walk_text_bytes_max;
}

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return status;
}

WalkResult dead(int status) {
  WalkResult result;
  result.problems = 1;
  result.first = "the process that read the file died";
  if (WIFSIGNALED(status)) result.first += " of signal " + std::to_string(WTERMSIG(status));
  return result;
}

}  // namespace

WalkResult walk(const std::string& directory) {
  WalkResult result;
  Result<StoppedStore> store = StoppedStore::open(directory, StoppedStore::Lock::held);
  if (!store.ok()) {
    result.problems = 1;
    result.first = to_string(store.error());
    return result;
  }
  const VerifyReport report = verify(*store);
  result.rows = report.rows;
  result.problems = report.problems;
  if (!report.first.empty()) {
    result.first = report.first.front().key + ": " + report.first.front().text;
  }
  result.verdict = report.good() ? WalkVerdict::sound : WalkVerdict::damaged;
  if (!report.tree_sound) result.verdict = WalkVerdict::broken;
  return result;
}

Result<WalkResult> in_child(const std::function<WalkResult()>& work, uint32_t cpu_seconds) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Error{ErrorCode::io, "store: make a pipe", errno};
  const platform::OwnedDescriptor to_read(ends[0]);
  platform::OwnedDescriptor to_write(ends[1]);
  const pid_t child = fork();
  if (child < 0) return Error{ErrorCode::io, "store: make a child to read the file", errno};
  if (child == 0) live_as_child(work, to_write.get(), cpu_seconds);
  // Otherwise the end of the child would not be the end of the pipe.
  to_write = platform::OwnedDescriptor();
  Message message{};
  const bool received = receive(to_read.get(), message);
  const int status = wait_for(child);
  if (!received || !WIFEXITED(status) || WEXITSTATUS(status) != 0) return dead(status);
  WalkResult result;
  result.verdict = static_cast<WalkVerdict>(message.verdict);
  result.rows = message.rows;
  result.problems = message.problems;
  result.first.assign(message.text.data(), message.text_bytes);
  return result;
}

Result<WalkResult> walk_in_child(const std::string& directory) {
  LIMPET_TRY(const uint64_t file_bytes, platform::file_size(store_file(directory)));
  return in_child([&directory] { return walk(directory); }, walk_cpu_seconds(file_bytes));
}

}  // namespace limpet::store
