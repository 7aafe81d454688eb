#include "daemon/doctor.hpp"

#include "daemon/setup.hpp"
#include "platform/clock.hpp"
#include "platform/file_system.hpp"
#include "platform/files.hpp"
#include "platform/machine_id.hpp"
#include "store/environment.hpp"
#include "store/inspect.hpp"
#include "store/lmdb_layout.hpp"
#include "store/marker.hpp"
#include "store/starts.hpp"
#include "store/stopped_store.hpp"
#include "store/walk.hpp"

namespace limpet::daemon {

namespace {

constexpr uint32_t unclean_starts_max = 3;  // in the store's window: then the daemon starts paused

std::string in_mib(uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

class Examiner {
 public:
  Examiner(const Options& options, Thorough thorough) : options_(options), thorough_(thorough) {}

  Examination run() {
    config();
    clock();
    if (settings_.store.path.empty()) return std::move(result_);
    exists_ = platform::file_exists(store::store_file(settings_.store.path));
    disk();
    marker();
    if (exists_) store();
    starts();
    set_aside();
    return std::move(result_);
  }

 private:
  void add(const char* part, FindingLevel level, std::string text, std::string advice) {
    result_.findings.push_back({part, level, std::move(text), std::move(advice)});
  }
  void well(const char* part, std::string text) {
    add(part, FindingLevel::well, std::move(text), "");
  }
  void note(const char* part, std::string text, std::string advice) {
    add(part, FindingLevel::note, std::move(text), std::move(advice));
  }
  void problem(const char* part, std::string text, std::string advice) {
    add(part, FindingLevel::problem, std::move(text), std::move(advice));
  }

  void config();
  void clock();
  void disk();
  void disk_room(const platform::FileSystemFacts& facts);
  void marker();
  void store();
  void store_content(store::StoppedStore& stopped);
  void starts();
  void set_aside();

  const Options& options_;
  const Thorough thorough_;
  config::Settings settings_;
  bool exists_ = false;
  Examination result_;
};

void Examiner::config() {
  Setup setup = load_setup(options_);
  settings_ = std::move(setup.settings);
  for (std::string& one : setup.problems) problem("config", std::move(one), "correct the config");
  if (!setup.problems.empty()) return;
  // Loads the plugins and has them check theirs.
  if (check(options_).exit_code == 0) return well("config", "the config is good");
  problem("config", "a plugin or an agent of the config would not start",
          "`limpet check` says which and why");
}

void Examiner::clock() {
  if (platform::SystemClock().wall() >= platform::plausible_wall_time) {
    return well("clock", "the clock is set");
  }
  problem("clock", "the clock has not been set since the board started",
          "set it, or wait for the time server; until then schedules wait and events carry a time "
          "that is wrong");
}

void Examiner::disk() {
  std::string place = settings_.store.path;
  Result<platform::FileSystemFacts> facts = platform::file_system_facts(place);
  while (!facts.ok() && facts.error().code == ErrorCode::not_found && place.size() > 1) {
    const size_t slash = place.find_last_of('/');
    place = slash == std::string::npos ? "." : slash == 0 ? "/" : place.substr(0, slash);
    facts = platform::file_system_facts(place);
    if (place == ".") break;
  }
  if (!facts.ok()) {
    return problem("disk", "cannot look at " + place + ": " + to_string(facts.error()),
                   "look at the disk and its permissions");
  }
  const size_t before = result_.findings.size();
  if (facts->read_only) {
    problem("disk", "the file system of " + place + " is read-only",
            "failing flash often turns read-only: look at the kernel's log, mount it read-write");
  }
  if (facts->kind == platform::FileSystemKind::network) {
    problem("disk", place + " is on a network file system", "a store needs a local disk");
  } else if (facts->kind == platform::FileSystemKind::memory) {
    note("disk", place + " is in memory: a reboot takes the store away", "");
  } else if (facts->kind == platform::FileSystemKind::copy_on_write) {
    note("disk", place + " is on a copy-on-write file system: each write needs new room there",
         "keep room free, or turn copy-on-write off for that directory");
  }
  disk_room(*facts);
  if (result_.findings.size() == before) {
    well("disk", in_mib(facts->free_bytes) + " free for " + settings_.store.path);
  }
}

// The store takes its room at once, so what its file has already is not needed again.
void Examiner::disk_room(const platform::FileSystemFacts& facts) {
  const uint64_t whole =
      settings_.store.max_bytes + store::reserve_bytes(settings_.store.max_bytes);
  const Result<uint64_t> file_bytes = platform::file_size(store::store_file(settings_.store.path));
  const uint64_t has = file_bytes.ok() ? *file_bytes : 0;
  if (has > whole + store::store_page_bytes) {  // the file ends with a whole page
    problem("disk", "store.mdb has " + in_mib(has) + ", more than store.max_bytes allows",
            "raise store.max_bytes, or run `limpet store compact`");
  } else if (whole - has > facts.free_bytes) {
    problem("disk",
            "the store would take " + in_mib(whole - has) + " more and " +
                in_mib(facts.free_bytes) + " are free",
            "make room, or lower store.max_bytes");
  }
}

void Examiner::marker() {
  const Result<std::optional<store::Marker>> marker = store::read_marker(settings_.store.path);
  if (!marker.ok()) {
    return problem("store", to_string(marker.error()), "look at LIMPET-STORE; restore a backup");
  }
  const Result<void> allowed =
      store::check_marker({marker->has_value(), exists_, settings_.store.create});
  if (!allowed.ok()) return problem("store", to_string(allowed.error()), "");
  if (!exists_) return well("store", "there is no store yet; the first start makes it");
  const Result<std::string> machine = platform::machine_id();
  const std::string written = marker->has_value() ? (*marker)->machine_id : "";
  if (marker->has_value() && (*marker)->epoch_due) {
    note("store", "it is a copy, or was repaired: the next start begins a new epoch", "");
  } else if (machine.ok() && !written.empty() && written != *machine) {
    note("store", "it was written on another machine: the next start begins a new epoch", "");
  }
}

void Examiner::store() {
  auto stopped = store::StoppedStore::open(settings_.store.path, store::StoppedStore::Lock::take);
  if (stopped.ok()) return store_content(*stopped);
  result_.store_in_use = stopped.error().code == ErrorCode::busy;
  if (result_.store_in_use) return well("store", "a daemon uses it");
  problem("store", to_string(stopped.error()), std::string(error_advice(stopped.error().code)));
}

void Examiner::store_content(store::StoppedStore& stopped) {
  const Result<store::Inspection> found = store::inspect(stopped);
  if (!found.ok()) {
    return problem("store", to_string(found.error()), "run `limpet store verify`");
  }
  const std::string events = std::to_string(found->hot.events) + " events, " +
                             in_mib(found->used_bytes) + " of " +
                             in_mib(settings_.store.max_bytes) + " used";
  if (found->used_bytes / 95 >= settings_.store.max_bytes / 100) {
    problem("store", "it is full: " + events,
            "raise store.max_bytes, or keep events for less time");
  } else {
    well("store", "it opens: " + events);
  }
  if (thorough_ == Thorough::no) return;
  const Result<store::VerifyReport> report = store::verify_in_child(settings_.store.path);
  if (!report.ok()) return problem("store", to_string(report.error()), "");
  if (report->good())
    return well("store", "all " + std::to_string(report->rows) + " rows are good");
  problem("store",
          std::to_string(report->problems) + " problems; the first: " + report->first.front().key +
              ": " + report->first.front().text,
          report->tree_sound ? "back it up; `limpet store verify` shows more"
                             : "restore a backup, or let the daemon set it aside");
}

void Examiner::starts() {
  std::vector<store::Start> found = store::read_starts(settings_.store.path);
  if (result_.store_in_use && !found.empty()) found.pop_back();  // that of the daemon that runs
  if (found.empty()) return well("starts", "the last one ended in order");
  const uint64_t now_ms = platform::SystemClock().wall().ns / 1000000;
  const uint32_t recent = store::count_recent(found, now_ms);
  const std::string text = std::to_string(found.size()) + " did not end in order, " +
                           std::to_string(recent) + " of them in the last ten minutes";
  if (recent < unclean_starts_max) return note("starts", text, "look for kills and power cuts");
  problem("starts", text,
          "the daemon starts paused: find out what ends it, then resume the queues");
}

void Examiner::set_aside() {
  const Result<uint64_t> bytes =
      platform::file_size(store::store_file(settings_.store.path) + store::damaged_file_suffix);
  if (!bytes.ok()) return;
  note("store", "a damaged file was set aside as store.mdb.damaged, " + in_mib(*bytes),
       "move it to where there is room if its events matter, else delete it");
}

}  // namespace

Examination examine(const Options& options, Thorough thorough) {
  return Examiner(options, thorough).run();
}

}  // namespace limpet::daemon
