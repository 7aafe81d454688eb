// The queues, killed. A child is producer and four workers in one process, and tells of every
// answer through a pipe; it is killed after a random number of reports, or kills itself at a named
// point. The parent keeps its own book of what it was told, and looks into the store after each
// life.

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>

#include "codec/cbor.hpp"
#include "codec/cbor_value.hpp"
#include "dispatch/queues.hpp"
#include "tests/crash/fast_directory.hpp"
#include "tests/crash/seed.hpp"
#include "tests/model/row_audit.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/quiet_logger.hpp"

using namespace limpet;
using namespace limpet::dispatch;
using limpet::testing::Chance;
using limpet::testing::RowAudit;

namespace {

constexpr unsigned kills = 60;
constexpr uint64_t repeats = 6;  // numbers that a new life sends again, answered or not
constexpr uint32_t groups = 3;
constexpr size_t workers = 4;
constexpr size_t leases_a_worker = 3;
constexpr Duration lease_length = milliseconds(400);
constexpr std::array<const char*, 6> points{nullptr, "store.before_commit", "store.between_changes",
                                            nullptr, "store.after_commit",  "store.before_answer"};

store::OpenOptions options_in(const std::string& directory) {
  store::OpenOptions options;
  options.directory = directory;
  options.max_bytes = uint64_t{16} << 20;
  options.new_epoch = Epoch(42);
  return options;
}

std::vector<QueueSettings> settings() {
  QueueSettings queue;
  queue.name = "jobs";
  queue.attempts_max = 3;
  queue.backoff.list = {milliseconds(50), milliseconds(500)};
  queue.dedup_window = seconds(3600);
  return {queue};
}

enum class Told : uint32_t {
  tried,     // an enqueue was submitted
  enqueued,  // and answered
  leased,
  acking,  // an ack was submitted
  acked,   // and answered
  returned,
  died,  // and that is on disk
};

struct Report {
  Told told = Told::tried;
  uint32_t group = 0;  // 0: none
  uint64_t number = 0;
  uint64_t task = 0;
  uint64_t token = 0;
  uint64_t boot_ns = 0;
  uint64_t ends_ns = 0;
};

struct LifeOptions {
  std::string directory;
  uint64_t first_number = 0;
  uint64_t life = 0;
  uint32_t seed = 0;
};

// The child's whole life. It leaves by being killed, or by _exit with a code that says where.
class Life {
 public:
  Life(const LifeOptions& options, int pipe)
      : pipe_(pipe), number_(options.first_number), engine_(options.seed) {
    clock_.advance(seconds(static_cast<int64_t>(options.life)));
    auto opened =
        store::Store::open(options_in(options.directory), {clock_, logger_, nullptr, Duration{}});
    if (!opened.ok()) _exit(10);
    store_ = std::move(opened).value();
    queues_ = std::make_unique<Queues>(
        Queues::Wiring{*store_, clock_, "limpet/test", options.seed, {}, {}});
    if (!queues_->load(settings()).ok()) _exit(11);
  }

  [[noreturn]] void run() {
    const uint64_t again = std::min(repeats, number_);
    for (uint64_t number = number_ - again; number < number_; ++number) enqueue(number);
    while (true) {
      clock_.advance(milliseconds(static_cast<int64_t>(dice(20))));
      if (dice(3) != 0) enqueue(number_++);
      for (std::vector<Leased>& worker : workers_) work(worker);
      turn();
    }
  }

 private:
  struct Leased {
    LeaseRef ref;
    Report report;
  };

  uint64_t dice(uint64_t below) { return engine_() % below; }

  void tell(const Report& report) {
    if (write(pipe_, &report, sizeof report) != sizeof report) _exit(20);
  }

  // What happens to the change is told when it is on disk; sometimes that is waited for at once.
  void submit(store::Change change, std::vector<Report> answers) {
    change.on_done([this, answers = std::move(answers)](const Result<void>& result) {
      if (!result.ok()) _exit(12);
      for (const Report& answer : answers) tell(answer);
    });
    if (!store_->submit(std::move(change)).ok()) _exit(13);
    queues_->submitted();
  }

  void enqueue(uint64_t number) {
    const ByteVector payload = codec::cbor_item(codec::CborScalar(number));
    const std::string key = "number-" + std::to_string(number);
    Report report{Told::tried, static_cast<uint32_t>(number % (groups + 2)), number, 0, 0, 0, 0};
    if (report.group > groups) report.group = 0;
    const std::string group = report.group == 0 ? "" : "g" + std::to_string(report.group);
    NewTask task;
    task.payload = payload;
    task.priority = static_cast<uint8_t>(number % 3);
    task.group = group;
    task.key = key;
    task.run = RunId(1);  // deaths of runs' tasks are told
    task.step = Ordinal(1);
    store::Change change = store_->begin();
    const Result<Enqueued> done = queues_->enqueue(change, "jobs", task);
    if (!done.ok()) _exit(14);
    report.task = done->task.value();
    tell(report);
    report.told = Told::enqueued;
    submit(std::move(change), {report});
  }

  void work(std::vector<Leased>& mine) {
    if (mine.size() < leases_a_worker && dice(2) == 0) lease(mine);
    if (mine.empty() || dice(2) == 0) return;
    const size_t index = dice(mine.size());
    const Leased leased = mine[index];
    mine.erase(mine.begin() + static_cast<std::ptrdiff_t>(index));
    if (dice(12) == 0) return;  // this worker says nothing more
    settle(leased);
  }

  void lease(std::vector<Leased>& mine) {
    const size_t room = leases_a_worker - mine.size();
    const LeaseOptions options{room, SIZE_MAX, lease_length};
    const auto given = queues_->lease("jobs", options, [&](const LeasedTask& task) {
      Leased leased{{task.task, task.token}, {}};
      leased.report.told = Told::leased;
      leased.report.group = task.group.empty() ? 0 : static_cast<uint32_t>(task.group.back() - '0');
      leased.report.number = codec::CborReader(task.payload).uint();
      leased.report.task = task.task.value();
      leased.report.token = task.token.value();
      leased.report.boot_ns = clock_.boot().ns;
      leased.report.ends_ns = (clock_.boot() + task.lease).ns;
      tell(leased.report);
      mine.push_back(leased);
    });
    if (!given.ok()) _exit(15);
  }

  void settle(const Leased& leased) {
    store::Change change = store_->begin();
    Report report = leased.report;
    const bool acks = dice(4) != 0;
    Nack nack;
    nack.failure = static_cast<Failure>(dice(8) == 0 ? 1 : 2 * dice(2));
    if (dice(3) == 0) nack.delay = milliseconds(static_cast<int64_t>(dice(100)));
    const Result<Settled> done =
        acks ? queues_->ack(change, leased.ref, {}) : queues_->nack(change, leased.ref, nack);
    if (!done.ok()) {
      // Its lease has run out; else that is a fault.
      if (clock_.boot().ns < report.ends_ns) _exit(16);
      queues_->dropped();
      return;
    }
    report.told = acks ? Told::acking : Told::returned;
    tell(report);
    report.told = acks ? Told::acked : Told::died;
    std::vector<Report> answers;
    if (acks || done->dead) answers.push_back(report);
    submit(std::move(change), std::move(answers));
  }

  // What the daemon's loop does between its callers.
  void turn() {
    if (dice(4) == 0) {
      store_->drain();
    } else {
      store_->deliver();
    }
    queues_->deliver();
    const auto alarm = queues_->next_alarm();
    if (!alarm || *alarm > store_->now_ms()) return;
    std::vector<Report> deaths;
    store::Change change = store_->begin();
    const Result<size_t> built =
        queues_->run_due(change, [&](const Settled& settled) -> Result<void> {
          deaths.push_back({Told::died, 0, 0, settled.task.value(), 0, 0, 0});
          return {};
        });
    if (!built.ok()) _exit(17);
    if (*built == 0) return queues_->dropped();
    submit(std::move(change), std::move(deaths));
  }

  const int pipe_;
  uint64_t number_;
  std::minstd_rand engine_;
  testing::ManualClock clock_;
  testing::QuietLogger logger_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Queues> queues_;
  std::array<std::vector<Leased>, workers> workers_;
};

// What the parent was told, and what must be true then.
class Book {
 public:
  void begin_life() {
    leases_.clear();
    acking_in_doubt_.insert(acking_.begin(), acking_.end());
    acking_.clear();
  }

  void take(const Report& report) {
    switch (report.told) {
      case Told::tried: numbers_ = std::max(numbers_, report.number + 1); break;
      case Told::enqueued: enqueued(report); break;
      case Told::leased: leased(report); break;
      case Told::acking:
        acking_.insert(report.task);
        leases_.erase(report.task);
        break;
      case Told::acked:
        acking_.erase(report.task);
        acked_.insert(report.task);
        break;
      case Told::returned: leases_.erase(report.task); break;
      case Told::died: died_.insert(report.task); break;
    }
  }

  // What is in the store after a life, against what was told.
  void compare(const RowAudit& audit) {
    for (const auto& [task, number] : tasks_) {
      const bool live = audit.live.contains(task);
      const bool dead = audit.dead.contains(task);
      if (acked_.contains(task)) {
        if (live || dead) fault("an acknowledged task is still there", task);
      } else if (acking_.contains(task) || acking_in_doubt_.contains(task)) {
        if (!live && !dead) acked_.insert(task);  // it was on disk, and nobody could say so
      } else if (!live && !dead) {
        fault("an acknowledged enqueue is lost", task);
      }
      if (died_.contains(task) && !dead) fault("a dead letter is lost", task);
      if (passed_.contains(task) && live) fault("a group is out of order", task);
    }
    for (const auto& [task, row] : audit.dead) died_.insert(task);
  }

  [[nodiscard]] uint64_t numbers() const { return numbers_; }
  [[nodiscard]] const std::set<uint64_t>& acked() const { return acked_; }
  [[nodiscard]] const std::set<uint64_t>& died() const { return died_; }
  [[nodiscard]] const std::map<uint64_t, uint64_t>& tasks() const { return tasks_; }
  [[nodiscard]] size_t leases() const { return lease_count_; }
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  void fault(const std::string& what, uint64_t task) {
    if (fault_.empty()) fault_ = what + ": task " + std::to_string(task);
  }

  void enqueued(const Report& report) {
    const auto known = by_number_.emplace(report.number, report.task).first->second;
    if (known != report.task) fault("a repeat became a second task", report.task);
    tasks_.emplace(report.task, report.number);
    if (report.group != 0) members_[report.group].insert(report.task);
  }

  void leased(const Report& report) {
    ++lease_count_;
    if (report.number >= numbers_) fault("a task that nobody sent", report.task);
    if (report.token <= token_last_) fault("a lease token comes again", report.task);
    token_last_ = report.token;
    if (acked_.contains(report.task)) fault("an acknowledged task comes again", report.task);
    if (acking_.contains(report.task)) fault("a task comes while it is acked", report.task);
    if (died_.contains(report.task)) fault("a dead task comes again", report.task);
    if (passed_.contains(report.task)) fault("a group is out of order", report.task);
    const auto known = by_number_.find(report.number);
    if (known != by_number_.end() && known->second != report.task) {
      fault("a number comes under another id", report.task);
    }
    const auto live = leases_.find(report.task);
    if (live != leases_.end() && report.boot_ns < live->second.ends_ns) {
      fault("two leases of one task at once", report.task);
    }
    leases_[report.task] = report;
    if (report.group != 0) check_group(report);
  }

  // All of the group that were there before are done with, on disk. A worker may see that a moment
  // before the one who settled them is told; then it must stay true whatever happens next.
  void check_group(const Report& report) {
    for (const uint64_t task : members_[report.group]) {
      if (task >= report.task) return;
      if (!acked_.contains(task) && !died_.contains(task)) passed_.insert(task);
    }
  }

  uint64_t numbers_ = 0;
  uint64_t token_last_ = 0;
  size_t lease_count_ = 0;
  std::map<uint64_t, uint64_t> by_number_;          // answered enqueues
  std::map<uint64_t, uint64_t> tasks_;              // the same by task
  std::map<uint32_t, std::set<uint64_t>> members_;  // of groups
  std::map<uint64_t, Report> leases_;               // of this life
  std::set<uint64_t> acking_;
  std::set<uint64_t> acking_in_doubt_;  // of earlier lives
  std::set<uint64_t> acked_;
  std::set<uint64_t> died_;
  std::set<uint64_t> passed_;  // a later one of their group was leased: they are done with
  std::string fault_;
};

struct Child {
  pid_t pid = -1;
  int reports = -1;
};

Child start_life(const LifeOptions& options, const std::string& point) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const Child child{fork(), ends[0]};
  REQUIRE(child.pid >= 0);
  if (child.pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(ends[0]);
    if (!point.empty()) setenv("LIMPET_CRASH_POINT", point.c_str(), 1);
    Life(options, ends[1]).run();
  }
  close(ends[1]);
  return child;
}

// Kills the child after so many reports, and reads what it still had to say.
bool end_life(const Child& child, uint32_t reports_wanted, Book& book) {
  uint32_t reports = 0;
  if (reports_wanted == 0) kill(child.pid, SIGKILL);
  Report report;
  while (read(child.reports, &report, sizeof report) == sizeof report) {
    book.take(report);
    if (++reports == reports_wanted) kill(child.pid, SIGKILL);
  }
  close(child.reports);
  int status = 0;
  REQUIRE(waitpid(child.pid, &status, 0) == child.pid);
  const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  if (!killed) MESSAGE("the child left by itself with status " << status);
  return killed;
}

struct OpenStore {
  testing::ManualClock clock;
  testing::QuietLogger logger;
  std::unique_ptr<store::Store> store;

  explicit OpenStore(const std::string& directory) {
    auto opened = store::Store::open(options_in(directory), {clock, logger, nullptr, Duration{}});
    if (!opened.ok()) FAIL("the store does not open: " << to_string(opened.error()));
    store = std::move(opened).value();
  }
};

void look_into_store(const std::string& directory, Book& book) {
  const OpenStore open(directory);
  const RowAudit audit = testing::check_rows(*open.store);
  REQUIRE(audit.fault == "");
  book.compare(audit);
  REQUIRE(book.fault() == "");
}

// One honest worker takes all that is left, each once and groups in order.
void finish(const std::string& directory, const Book& book, uint64_t life) {
  OpenStore open(directory);
  open.clock.advance(seconds(static_cast<int64_t>(life) + 3600));
  Queues queues({*open.store, open.clock, "limpet/test", 1, {}, {}});
  REQUIRE(queues.load(settings()).ok());
  const RowAudit before = testing::check_rows(*open.store);
  std::set<uint64_t> taken;
  std::map<std::string, uint64_t> last_of_group;
  size_t wrong = 0;
  while (true) {
    std::vector<LeaseRef> leases;
    const auto given = queues.lease("jobs", {32, SIZE_MAX, {}}, [&](const LeasedTask& task) {
      leases.push_back({task.task, task.token});
      if (!taken.insert(task.task.value()).second) ++wrong;
      uint64_t& last = last_of_group[std::string(task.group)];
      if (!task.group.empty() && task.task.value() < last) ++wrong;
      last = task.task.value();
    });
    REQUIRE(given.ok());
    if (leases.empty()) break;
    store::Change change = open.store->begin();
    for (const LeaseRef& lease : leases) REQUIRE(queues.ack(change, lease, {}).ok());
    REQUIRE(open.store->submit(std::move(change)).ok());
    queues.submitted();
    open.store->drain();
    queues.deliver();
  }
  CHECK(wrong == 0);
  CHECK(taken.size() == before.live.size());
  for (const auto& [task, number] : book.tasks()) {
    const bool once =
        taken.contains(task) || book.acked().contains(task) || before.dead.contains(task);
    if (!once) ++wrong;
  }
  CHECK(wrong == 0);
  const RowAudit after = testing::check_rows(*open.store);
  CHECK(after.fault == "");
  CHECK(after.live.empty());
}

}  // namespace

TEST_CASE("queues: kill -9 at any instant loses no acknowledged task, and none comes again") {
  Chance chance("queue crash test");
  const testing::FastDirectory directory;
  Book book;
  const unsigned wanted = testing::kills_wanted(kills);
  unsigned killed = 0;
  for (unsigned life = 0; life < wanted; ++life) {
    const char* name = points[life % points.size()];
    std::string point;
    if (name != nullptr) point = std::string(name) + ":" + std::to_string(1 + chance.up_to(60));
    CAPTURE(life);
    CAPTURE(point);
    book.begin_life();
    // The first lives end while the store is being made.
    const uint32_t reports = life < 5 ? chance.up_to(5) : 1 + chance.up_to(600);
    const LifeOptions options{directory.file("data"), book.numbers(), life, chance.up_to(1u << 30)};
    const bool was_killed = end_life(start_life(options, point), reports, book);
    CHECK(was_killed);
    killed += was_killed ? 1 : 0;
    REQUIRE(book.fault() == "");
    look_into_store(directory.file("data"), book);
  }
  finish(directory.file("data"), book, wanted);
  std::printf("queue crash test: %u kills, %zu tasks, %zu leases, %zu acked, %zu dead\n", killed,
              book.tasks().size(), book.leases(), book.acked().size(), book.died().size());
  CHECK(killed == wanted);
  CHECK(book.acked().size() > wanted);
  CHECK(book.died().size() > wanted / 10);
}
