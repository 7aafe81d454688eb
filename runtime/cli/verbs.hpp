#pragma once

// The verbs of the command line: one function and one file each, with its options as plain values.
// Each prints to the context and answers the exit code. [main, blocking]

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "cli/context.hpp"

namespace limpet::cli {

struct SubmitOptions {
  std::string file;  // events: a file or "-"; or one event from the members below
  std::string type, subject, source, id, correlation;
  std::string data;   // JSON
  std::string agent;  // a run instead of events
  std::string input;  // JSON
  std::string key, idempotency_key, tenant;
  std::optional<uint32_t> priority;
  bool wait = false;  // for the run's end
  Duration timeout;   // of the wait; zero: none
};
Exit submit(const Context& context, const SubmitOptions& options);

struct EventsOptions {
  std::optional<uint64_t> from, to, limit;
  std::string type, subject, run, correlation;
  std::string since;  // an RFC 3339 time, or how long ago
  std::string pace;   // instant or original
  std::string speed;  // of the original pace
  bool follow = false;
};
Exit events(const Context& context, const EventsOptions& options);

struct ExportOptions {
  EventsOptions query;
  std::string format = "ndjson";  // or cbor
  std::string file;               // empty or "-": standard output
};
Exit export_events(const Context& context, const ExportOptions& options);
// A file or "-". The events become history: see events_import.cpp.
Exit import_events(const Context& context, const std::string& file);

struct RunsOptions {
  std::string state, agent;
  std::optional<uint64_t> limit;
};
Exit list_runs(const Context& context, const RunsOptions& options);
Exit show_run(const Context& context, const std::string& run);
Exit cancel_run(const Context& context, const std::string& run);

struct ResolveOptions {
  std::string run, step;
  std::string outcome;  // done, retry, fail
  std::string value;    // JSON, of done
  std::string reason;   // of fail
};
Exit resolve_step(const Context& context, const ResolveOptions& options);

Exit status(const Context& context);

struct StoreOptions {
  std::string target;  // of a backup: a directory
  bool rows = false;   // of info: count the rows of each region
};
// info asks the daemon, if one serves; the others, and --rows, need it to be stopped.
Exit store_info(const Context& context, const StoreOptions& options);
Exit store_verify(const Context& context);
Exit store_backup(const Context& context, const StoreOptions& options);
Exit store_compact(const Context& context);

// What `doctor` finds; the daemon's part makes most of it.
enum class FindingLevel : uint8_t { well, note, problem };
struct Finding {
  std::string part;
  FindingLevel level = FindingLevel::well;
  std::string text;
  std::string advice;
};
struct Examination {
  std::vector<Finding> findings;
  bool store_in_use = false;
};
using Examiner = std::function<Examination(const Globals& globals, bool verify)>;
struct DoctorOptions {
  bool verify = false;  // read the whole store
};
Exit doctor(const Context& context, const DoctorOptions& options, const Examiner& examiner);

Exit list_plugins(const Context& context);
Exit inspect_plugin(const Context& context, const std::string& file);

// What would run (exit_code 0), or everything that is wrong; the daemon makes it.
struct CheckReport {
  int exit_code = 0;
  std::string text;
};
using Checker = std::function<CheckReport(const Globals& globals)>;
Exit check(const Context& context, const Checker& checker);

// A completion script for bash.
Exit completion(const Context& context);

}  // namespace limpet::cli
