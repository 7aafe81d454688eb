#include "cli/stopped.hpp"

#include <cerrno>

#include "cli/http_client.hpp"
#include "cli/remote.hpp"
#include "codec/cbor.hpp"
#include "codec/cbor_value.hpp"
#include "codec/event_json.hpp"
#include "codec/rfc3339.hpp"
#include "config/load.hpp"
#include "model/pattern.hpp"
#include "model/run.hpp"
#include "store/inspect.hpp"
#include "store/starts.hpp"

namespace limpet::cli {

namespace {

constexpr const char* default_data = "/var/lib/limpet";

using codec::cbor_map;
using codec::CborRaw;

// Maps of names that are known only at run time.
class MapText {
 public:
  void add(const std::string& name, const codec::CborScalar& value) {
    const ByteVector key = codec::cbor_item(name);
    const ByteVector item = codec::cbor_item(value);
    bytes_.insert(bytes_.end(), key.begin(), key.end());
    bytes_.insert(bytes_.end(), item.begin(), item.end());
    ++count_;
  }
  [[nodiscard]] ByteVector map() const {
    ByteVector out(16);
    codec::CborWriter writer(out);
    writer.map(count_);
    out.resize(writer.finish().ok() ? writer.finish()->size() : 0);
    out.insert(out.end(), bytes_.begin(), bytes_.end());
    return out;
  }

 private:
  ByteVector bytes_;
  size_t count_ = 0;
};

std::string name_of(const std::map<uint16_t, std::string>& names, uint16_t number) {
  const auto found = names.find(number);
  return found == names.end() ? std::to_string(number) : found->second;
}

ByteVector run_counts(const store::HotRecord& hot) {
  MapText runs;
  for (size_t state = 0; state < hot.runs.size(); ++state) {
    runs.add(std::string(to_string(static_cast<RunState>(state))), hot.runs[state]);
  }
  return runs.map();
}

ByteVector queue_counts(const store::Inspection& found) {
  MapText queues;
  for (size_t index = 0; index < found.hot.queues.size(); ++index) {
    const store::QueueCount& queue = found.hot.queues[index];
    if (queue == store::QueueCount{}) continue;
    const auto number = static_cast<uint16_t>(store::first_user_queue + index);
    const ByteVector item =
        cbor_map({{"tasks", queue.tasks}, {"bytes", queue.bytes}, {"dead", queue.dead}});
    queues.add(name_of(found.queues, number), CborRaw{item});
  }
  return queues.map();
}

ByteVector class_counts(const store::Inspection& found) {
  MapText classes;
  for (size_t index = 0; index < found.hot.classes.size(); ++index) {
    const store::ClassCount& one = found.hot.classes[index];
    if (one.events == 0) continue;
    const auto name = found.classes.find(static_cast<uint8_t>(index));
    const std::string number = index == 0 ? "work" : std::to_string(index);
    const ByteVector item = cbor_map({{"events", one.events}, {"bytes", one.bytes}});
    classes.add(name == found.classes.end() ? number : name->second, CborRaw{item});
  }
  return classes.map();
}

ByteVector store_members(store::StoppedStore& store, const store::Inspection& found) {
  const auto time = [](WallTime at) { return at.ns == 0 ? "" : codec::to_rfc3339(at); };
  const std::string oldest = time(found.oldest);
  const std::string newest = time(found.newest);
  return cbor_map({{"state", "stopped"},
                   {"directory", store.directory()},
                   {"format", store::store_format},
                   {"incarnation", found.hot.incarnation.value()},
                   {"first", found.first.value()},
                   {"last", found.hot.next_sequence.value() - 1},
                   {"events", found.hot.events},
                   {"event_bytes", found.hot.event_bytes},
                   {"oldest", oldest},
                   {"newest", newest},
                   {"rows", found.rows},
                   {"bytes", found.used_bytes},
                   {"file_bytes", found.file_bytes},
                   {"free_pages", found.free_pages},
                   {"unused_pages", found.unused_pages},
                   {"epoch_due", store.marker().epoch_due},
                   {"unclean_starts", store::read_starts(store.directory()).size()}});
}

bool names_only_socket(const Globals& globals) {
  return !globals.socket.empty() && globals.data.empty() && globals.config.empty();
}

// Why the store cannot be opened; nullopt: it can.
std::optional<ErrorCode> look(const Globals& globals) {
  const auto store = store::StoppedStore::open(find_data(globals), store::StoppedStore::Lock::take);
  return store.ok() ? std::nullopt : std::optional(store.error().code);
}

// What the options of `events` ask for.
bool wanted(const EventView& event, const EventsOptions& options, RunId run) {
  return (options.type.empty() || pattern_matches(options.type, event.type)) &&
         (options.subject.empty() || options.subject == event.subject) &&
         (options.correlation.empty() || options.correlation == event.correlation) &&
         (run.none() || run == event.run);
}

}  // namespace

std::string find_data(const Globals& globals) {
  if (!globals.data.empty()) return globals.data;
  const std::string file = find_config(globals);
  if (file.empty()) return default_data;
  const config::Loaded loaded = config::load_settings(file, config::process_environment());
  return loaded.settings.store.path.empty() ? default_data : loaded.settings.store.path;
}

bool is_served(const Context& context) {
  if (names_only_socket(context.globals)) return true;
  return look(context.globals) == ErrorCode::busy;
}

bool is_stopped(const Context& context) {
  const Globals& globals = context.globals;
  if (names_only_socket(globals)) return false;
  const Result<HttpClient> connected = HttpClient::connect(find_socket(globals), request_wait);
  if (connected.ok()) return false;
  const int why = connected.error().system_error;
  if (why != ENOENT && why != ECONNREFUSED) return false;
  const std::optional<ErrorCode> refusal = look(globals);
  return !refusal || refusal == ErrorCode::corrupt;
}

std::optional<store::StoppedStore> open_stopped(const Context& context, Exit& exit_out) {
  const std::string directory = find_data(context.globals);
  Result<store::StoppedStore> store =
      store::StoppedStore::open(directory, store::StoppedStore::Lock::take);
  if (store.ok()) return std::move(store).value();
  exit_out = fail_at(context, directory, store.error());
  return std::nullopt;
}

Exit fail_at(const Context& context, const std::string& directory, const Error& error) {
  if (error.code == ErrorCode::busy) {
    return fail(context, "a daemon uses the store in " + directory + "; stop it first",
                Exit::retry_later);
  }
  return fail(context, directory + ": " + to_string(error));
}

Result<ByteVector> stopped_status(store::StoppedStore& store) {
  LIMPET_TRY(const store::Inspection found, store::inspect(store));
  const ByteVector members = store_members(store, found);
  const ByteVector runs = run_counts(found.hot);
  const ByteVector queues = queue_counts(found);
  const ByteVector classes = class_counts(found);
  const std::string epoch = to_string(found.hot.epoch);
  return cbor_map({{"epoch", epoch},
                   {"store", CborRaw{members}},
                   {"queues", CborRaw{queues}},
                   {"classes", CborRaw{classes}},
                   {"runs", CborRaw{runs}}});
}

Exit read_stopped(const Context& context, const EventsOptions& options, const LineVisitor& visit) {
  if (options.follow) return fail(context, "is limpet running? A stopped log cannot be followed");
  if (!options.type.empty() && !pattern_valid(options.type)) {
    return fail(context, "--type is not a pattern such as sensor.*", Exit::usage);
  }
  RunId run;
  if (!options.run.empty()) {
    const auto id = parse_qualified_id(options.run);
    if (!id) return fail(context, "--run is not the id of a run", Exit::usage);
    run = RunId(id->number);
  }
  Exit exit = Exit::ok;
  std::optional<store::StoppedStore> store = open_stopped(context, exit);
  if (!store) return exit;
  const auto snapshot = store->reader().snapshot();
  if (!snapshot.ok()) return fail(context, to_string(snapshot.error()));
  uint64_t left = options.limit.value_or(UINT64_MAX);
  std::string line;
  const auto read =
      snapshot->events(Sequence(options.from.value_or(0)), UINT32_MAX, [&](const EventView& event) {
        if (left == 0 || event.sequence.value() >= options.to.value_or(UINT64_MAX)) return false;
        if (!wanted(event, options, run)) return true;
        --left;
        line.clear();
        const auto appended = codec::append_event_json(line, event, store->hot().epoch);
        return !appended.ok() || visit(line);
      });
  if (!read.ok()) return fail(context, to_string(read.error()));
  if (read->corrupt == 0) return Exit::ok;
  return fail(context, std::to_string(read->corrupt) + " damaged events were passed over");
}

}  // namespace limpet::cli
