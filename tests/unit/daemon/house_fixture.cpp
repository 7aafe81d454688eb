#include "tests/unit/daemon/house_fixture.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "codec/cbor.hpp"
#include "codec/records.hpp"
#include "tests/unit/daemon/row_check.hpp"

namespace limpet::testing {

dispatch::Queues::Wiring Life::wiring(Life& life) {
  return {*life.store,
          life.house.clock,
          life.house.source,
          1,
          [&life](const EventView& event) { daemon::follow_event(life.house, event); },
          {}};
}

daemon::House& Life::wired(Life& life) {
  life.house.queues = &life.queues;
  life.house.tools = &life.tools;
  return life.house;
}

bool HouseFixture::open() {
  auto opened = store::Store::open(options, {clock, logger, [this] { pass_gate(); }, Duration{}});
  if (!opened.ok()) return false;
  triggers = std::make_unique<admit::Triggers>(wanted_triggers);
  // Only the parts that outlive a life are taken from here.
  daemon::Runs no_runs(**opened);
  admit::Dedup no_dedup;
  daemon::House parts{**opened, no_runs, no_dedup, *triggers, agents, clock, logger, "limpet/test"};
  life = std::make_unique<Life>(std::move(opened).value(), std::move(parts), host, wanted_queues);
  return life->dedup.load(*life->store).ok() && life->queues.load(wanted_queues.queues).ok() &&
         life->schedules.load().ok();
}

void HouseFixture::crash() {
  if (life != nullptr) wait_writer();
  host.forget_open();
  life.reset();
}

void HouseFixture::hold_writer() {
  wait_writer();
  writer_gate.lock();
  // One more change brings the writer to the gate, if it is not there yet.
  static_cast<void>(life->store->submit(life->store->begin()));
  while (!writer_waits) std::this_thread::yield();
}

void HouseFixture::pass_gate() {
  if (!writer_gate.try_lock()) {
    writer_waits = true;
    writer_gate.lock();
    writer_waits = false;
  }
  writer_gate.unlock();
}

void HouseFixture::release_writer() { writer_gate.unlock(); }

bool HouseFixture::restart() {
  crash();
  return open();
}

void HouseFixture::wait_writer() const {
  while (life->store->info().writer.pending_changes > 0) std::this_thread::yield();
}

// LMDB's descriptors of the data file become read-only, as on a dying disk.
void HouseFixture::break_disk() {
  wait_writer();
  const std::string file = options.directory + "/store.mdb";
  std::vector<int> descriptors;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    if (std::filesystem::read_symlink(entry.path(), error) == file) {
      descriptors.push_back(std::stoi(entry.path().filename().string()));
    }
  }
  const int read_only = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  for (const int descriptor : descriptors) ::dup2(read_only, descriptor);
  ::close(read_only);
}

bool HouseFixture::step() {
  const uint64_t before = life->store->info().writer.changes;
  life->store->drain();
  life->queue_house.pump();
  life->runs.sweep();
  life->timers.pump();
  life->schedules.pump();
  life->turns.pump();
  life->calls.pump();
  life->store->drain();
  return life->store->info().writer.changes != before;
}

bool HouseFixture::settle() {
  constexpr int rounds_max = 20000;
  for (int round = 0; round < rounds_max; ++round) {
    if (!step()) return true;
  }
  return false;
}

std::shared_ptr<Ingest> HouseFixture::ingest(std::vector<Event> events) {
  auto result = std::make_shared<Ingest>();
  life->intake.ingest(std::move(events), "uid:1000", [result](api::Answer<api::Ingested> answer) {
    result->answered = true;
    if (auto* ok = std::get_if<api::Ingested>(&answer)) result->ok = *ok;
    if (auto* refused = std::get_if<api::Refusal>(&answer)) result->refused = *refused;
  });
  return result;
}

std::shared_ptr<Ingest> HouseFixture::ingest(std::string_view type, std::string_view subject) {
  return ingest(std::vector<Event>{make_event(type, subject)});
}

std::vector<Event> HouseFixture::log() const {
  std::vector<Event> events;
  const auto snapshot = life->store->reader().snapshot();
  if (!snapshot.ok()) return events;
  static_cast<void>(snapshot->events(Sequence(1), 1000000, [&](const EventView& event) {
    events.push_back(own(event));
    return true;
  }));
  return events;
}

std::vector<Event> HouseFixture::log(std::string_view type) const {
  std::vector<Event> events = log();
  std::erase_if(events, [type](const Event& event) { return event.type != type; });
  return events;
}

std::vector<Run> HouseFixture::runs() const {
  std::vector<Run> runs;
  const auto snapshot = life->store->reader().snapshot();
  if (!snapshot.ok()) return runs;
  const store::Key prefix('n');
  static_cast<void>(snapshot->scan(prefix, prefix, [&](ByteSpan key, ByteSpan value) {
    const auto row = store::parse_run_key(key);
    if (row && row->ordinal.none()) {
      auto run = codec::decode_run(value);
      if (run.ok()) runs.push_back(std::move(run).value());
    }
    return true;
  }));
  return runs;
}

std::vector<Step> HouseFixture::steps(RunId run) const {
  std::vector<Step> steps;
  const auto snapshot = life->store->reader().snapshot();
  if (!snapshot.ok()) return steps;
  const store::Key from = store::run_key(run, Ordinal(1));
  const store::Key prefix = store::Key('n').u64(run.value());
  static_cast<void>(snapshot->scan(from, prefix, [&](ByteSpan key, ByteSpan value) {
    const auto row = store::parse_run_key(key);
    if (!row || row->ordinal.value() >= store::state_ordinal_first) return false;
    auto step = codec::decode_step(value);
    if (step.ok()) steps.push_back(std::move(step).value());
    return true;
  }));
  return steps;
}

ByteVector HouseFixture::state_of(const Run& run) const {
  ByteVector state;
  const auto snapshot = life->store->reader().snapshot();
  if (!snapshot.ok()) return state;
  for (uint32_t part = 0; part < run.state_parts; ++part) {
    const auto bytes = snapshot->get(store::run_state_key(run.id, part));
    if (bytes.ok() && *bytes) state.insert(state.end(), (*bytes)->begin(), (*bytes)->end());
  }
  return state;
}

std::string HouseFixture::faults() const { return check_rows(*life->store); }

Event make_event(std::string_view type, std::string_view subject, std::string_view id) {
  Event event;
  event.type = type;
  event.source = "test";
  event.subject = subject;
  event.id = id;
  return event;
}

std::string member(const Event& event, std::string_view key) {
  codec::CborReader reader(event.data);
  const size_t members = reader.map();
  for (size_t index = 0; index < members && reader.ok(); ++index) {
    const bool wanted = reader.text() == key;
    const auto kind = reader.peek();
    if (wanted && kind == codec::CborKind::text) return std::string(reader.text());
    if (wanted && kind == codec::CborKind::uint) return std::to_string(reader.uint());
    reader.skip();
  }
  return {};
}

}  // namespace limpet::testing
