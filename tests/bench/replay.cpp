// replay: the log read back from its start as consumers in the process do it: short snapshots, each
// record's checksum compared, each event decoded into views. Beside it, a raw scan over the same
// keys and bytes that looks at one byte of each.

#include "codec/records.hpp"
#include "store/store.hpp"
#include "tests/bench/isolated.hpp"
#include "tests/bench/open_store.hpp"
#include "tests/bench/raw_lmdb.hpp"
#include "tests/bench/sample_event.hpp"
#include "tests/bench/scratch.hpp"
#include "tests/bench/workloads.hpp"

namespace limpet::bench {

namespace {

constexpr uint64_t events_default = 200000;
constexpr uint64_t events_per_commit = 256;

double rate(uint64_t count, uint64_t took_ns) {
  return static_cast<double>(count) * 1e9 / static_cast<double>(took_ns);
}

uint64_t max_bytes_for(const Options& options, uint64_t events) {
  return (uint64_t{64} << 20) + 2 * events * (options.payload + 160);
}

// Every event once, as a consumer would. Answers how many there were.
uint64_t read_log(store::Reader& reader) {
  uint64_t bytes = 0;
  uint64_t events = 0;
  Sequence next(1);
  while (true) {
    Result<store::Reader::Snapshot> snapshot = reader.snapshot();
    if (!snapshot.ok()) fail(to_string(snapshot.error()));
    const Result<store::EventsRead> read =
        snapshot->events(next, limits::read_records_max, [&bytes](const EventView& event) {
          bytes += event.data.size() + event.type.size();
          return true;
        });
    if (!read.ok()) fail(to_string(read.error()));
    if (read->corrupt > 0) fail("replay: a damaged event");
    if (read->visited == 0) break;
    events += read->visited;
    next = read->next;
  }
  if (events > 0 && bytes == 0) fail("replay: empty events");
  return events;
}

uint64_t time_store(const Options& options, uint64_t events, const std::string& directory) {
  OpenStore opened(directory + "/data", max_bytes_for(options, events), Duration{});
  fill_log(opened, SampleEvent(options.payload), events);
  if (read_log(opened.store().reader()) < events) fail("replay: events are missing");
  const uint64_t start = monotonic_ns();
  static_cast<void>(read_log(opened.store().reader()));
  return monotonic_ns() - start;
}

uint64_t time_raw(const Options& options, uint64_t events, const std::string& directory) {
  const SampleEvent sample(options.payload);
  EventView event = sample.view();
  event.sequence = Sequence(events);
  ByteVector record(codec::event_record_size(event));
  if (!codec::encode_event(event, record).ok()) fail("cannot encode the event");
  RawLmdb raw(directory, max_bytes_for(options, events), Sync::full);
  for (uint64_t written = 0; written < events;) {
    raw.begin();
    for (uint64_t end = std::min(events, written + events_per_commit); written < end; ++written) {
      raw.append(store::log_key(Sequence(written + 1), 0).bytes(), record);
    }
    raw.commit();
  }
  uint64_t sum = 0;
  const auto visit = [&sum](ByteSpan value) { sum += value[0]; };
  raw.scan(visit);  // the first one maps the pages
  const uint64_t start = monotonic_ns();
  if (raw.scan(visit) != events || sum == 0) fail("the scan missed rows");
  return monotonic_ns() - start;
}

}  // namespace

Figures measure_replay(const Options& options, uint64_t events, const std::string& directory) {
  const Scratch scratch(directory);
  const uint64_t raw_ns = time_raw(options, events, scratch.path());
  const uint64_t store_ns = time_store(options, events, scratch.path());
  return {{"events_per_s", "1/s", rate(events, store_ns)},
          {"raw_scan_per_s", "1/s", rate(events, raw_ns)},
          {"ratio_raw_scan", "1", static_cast<double>(raw_ns) / static_cast<double>(store_ns)}};
}

void run_replay(const Options& options, const std::string& directory, Report& report) {
  const uint64_t events = options.events != 0 ? options.events : events_default;
  std::vector<Figures> runs;
  for (unsigned run = 0; run < options.runs; ++run) {
    runs.push_back(run_isolated([&] { return measure_replay(options, events, directory); }));
  }
  report.add("replay",
             {{"payload", std::to_string(options.payload)},
              {"events", std::to_string(events)},
              {"cache", "\"warm\""}},
             runs);
}

}  // namespace limpet::bench
