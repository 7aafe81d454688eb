// limpet store: what a store holds, whether it is whole, a copy of it, a smaller one.

#include "cli/item.hpp"
#include "cli/remote.hpp"
#include "cli/stopped.hpp"
#include "cli/table.hpp"
#include "cli/verbs.hpp"
#include "codec/cbor.hpp"
#include "codec/cbor_value.hpp"
#include "codec/json.hpp"
#include "store/copy.hpp"
#include "store/inspect.hpp"
#include "store/walk.hpp"

namespace limpet::cli {

namespace {

constexpr const char* unreadable = "the store cannot be described as JSON";

Exit print(const Context& context, ByteSpan item) {
  if (!context.globals.json) {
    print_flat(context.out, item);
    return Exit::ok;
  }
  const Result<std::string> json = codec::cbor_to_json(item);
  if (!json.ok()) return fail(context, unreadable);
  context.out << *json << "\n";
  return Exit::ok;
}

// The daemon's own account: its store, and what is counted beside it.
Exit served_info(const Context& context) {
  Remote remote(context);
  const std::optional<std::string> answer = remote.get("/v1/status");
  if (!answer) return remote.exit();
  const auto parsed = codec::json_to_cbor(*answer);
  if (!parsed) return fail(context, "the answer is not JSON");
  const std::string epoch = display(member(*parsed, "epoch"));
  const ByteVector info = codec::cbor_map({{"epoch", epoch},
                                           {"served", true},
                                           {"store", codec::CborRaw{member(*parsed, "store")}},
                                           {"queues", codec::CborRaw{member(*parsed, "queues")}},
                                           {"runs", codec::CborRaw{member(*parsed, "runs")}}});
  return print(context, info);
}

// What a region of the tree holds, by its first byte.
const char* region_name(char region) {
  switch (region) {
    case 'A': return "counters";
    case 'c': return "names";
    case 'd': return "dedup";
    case 'g': return "inboxes, groups";
    case 'i': return "keys of runs";
    case 'k': return "kv";
    case 'n': return "runs";
    case 'r': return "ready";
    case 't': return "timers";
    case 'w': return "timers of tasks";
    case 'x': return "dead letters";
    case 'z': return "events";
    default: return "";
  }
}

Exit print_rows(const Context& context, store::StoppedStore& store) {
  const Result<store::RowCounts> counts = store::count_rows(store);
  if (!counts.ok()) return fail(context, to_string(counts.error()));
  Table table({"REGION", "HOLDS", "ROWS", "BYTES"});
  std::string json = "{\"regions\":[";
  for (const auto& [region, count] : counts->regions) {
    const std::string name = region_name(region);
    table.row(
        {std::string(1, region), name, std::to_string(count.rows), std::to_string(count.bytes)});
    if (json.back() == '}') json.push_back(',');
    json.append("{\"region\":");
    codec::append_json_text(json, std::string(1, region));
    json.append(",\"holds\":");
    codec::append_json_text(json, name);
    json.append(",\"rows\":").append(std::to_string(count.rows));
    json.append(",\"bytes\":").append(std::to_string(count.bytes)).append("}");
  }
  if (context.globals.json) {
    context.out << json << "]}\n";
  } else {
    table.print(context.out);
  }
  return Exit::ok;
}

ByteVector report_item(const store::VerifyReport& report) {
  ByteVector problems;
  for (const store::Problem& problem : report.first) {
    const ByteVector one = codec::cbor_map({{"row", problem.key}, {"text", problem.text}});
    problems.insert(problems.end(), one.begin(), one.end());
  }
  ByteVector list(9);
  codec::CborWriter writer(list);
  writer.array(report.first.size());
  list.resize(writer.finish().ok() ? writer.finish()->size() : 0);
  list.insert(list.end(), problems.begin(), problems.end());
  return codec::cbor_map({{"good", report.good()},
                          {"tree_sound", report.tree_sound},
                          {"rows", report.rows},
                          {"events", report.events},
                          {"runs", report.runs},
                          {"steps", report.steps},
                          {"tasks", report.tasks},
                          {"free_pages", report.free_pages},
                          {"problems", report.problems},
                          {"first", codec::CborRaw{list}}});
}

void print_report(const Context& context, const store::VerifyReport& report) {
  context.out << report.rows << " rows read: " << report.events << " events, " << report.runs
              << " runs, " << report.steps << " steps, " << report.tasks << " tasks\n";
  for (const store::Problem& problem : report.first) {
    context.out << "  " << problem.key << ": " << problem.text << "\n";
  }
  if (report.problems > report.first.size()) {
    context.out << "  and " << report.problems - report.first.size() << " more\n";
  }
  if (report.good()) {
    context.out << "good\n";
  } else if (report.tree_sound) {
    context.out << report.problems
                << " problems; the daemon passes over what is damaged and goes on\n";
  } else {
    context.out << "broken: restore a backup; after two crashes the daemon sets the file aside\n";
  }
}

// For the verbs that need the daemon to be stopped.
template <class Act>
Exit on_stopped(const Context& context, const Act& act) {
  Exit exit = Exit::ok;
  std::optional<store::StoppedStore> store = open_stopped(context, exit);
  return store ? act(*store) : exit;
}

Exit print_copy(const Context& context, const std::string& place,
                const Result<store::CopyReport>& report) {
  if (!report.ok()) return fail_at(context, place, report.error());
  return print(context,
               codec::cbor_map({{"bytes_before", report->bytes_before}, {"bytes", report->bytes}}));
}

}  // namespace

Exit store_info(const Context& context, const StoreOptions& options) {
  if (!options.rows && is_served(context)) return served_info(context);
  return on_stopped(context, [&](store::StoppedStore& store) {
    if (options.rows) return print_rows(context, store);
    const Result<ByteVector> status = stopped_status(store);
    return status.ok() ? print(context, *status) : fail(context, to_string(status.error()));
  });
}

Exit store_verify(const Context& context) {
  const std::string directory = find_data(context.globals);
  const Result<store::VerifyReport> report = store::verify_stopped(directory);
  if (!report.ok()) return fail_at(context, directory, report.error());
  if (context.globals.json) {
    const Exit printed = print(context, report_item(*report));
    if (printed != Exit::ok) return printed;
  } else {
    print_report(context, *report);
  }
  return report->good() ? Exit::ok : Exit::failed;
}

Exit store_backup(const Context& context, const StoreOptions& options) {
  return on_stopped(context, [&](store::StoppedStore& store) {
    const store::BackupSource source{store.environment(), store.directory(),
                                     store.marker().machine_id};
    return print_copy(context, options.target, store::backup(source, options.target));
  });
}

Exit store_compact(const Context& context) {
  const std::string directory = find_data(context.globals);
  return print_copy(context, directory, store::compact(directory));
}

}  // namespace limpet::cli
