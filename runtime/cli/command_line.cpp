#include "cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/queue_verbs.hpp"
#include "cli/verbs.hpp"
#include "config/units.hpp"

namespace limpet::cli {

namespace {

// What the library fills while it parses; the chosen verb is called afterwards.
struct Parsed {
  Globals globals;
  SubmitOptions submit;
  std::string submit_timeout;
  EventsOptions events;
  ExportOptions exported;
  std::string imported;
  RunsOptions runs;
  ResolveOptions resolve;
  QueueVerbs queues;
  bool done = false, retry = false, fail = false;
  std::string run;
  std::string plugin_file;
  StoreOptions store;
  DoctorOptions doctor;
  std::function<int(const Context&)> verb;
};

using Verb = Exit (*)(const Context&);

CLI::App* add_verb(CLI::App& app, const char* name, const char* what) {
  CLI::App* const verb = app.add_subcommand(name, what);
  verb->fallthrough();  // global options may follow the verb
  return verb;
}

void add_simple(CLI::App& app, Parsed& parsed, const char* name, const char* what, Verb call) {
  add_verb(app, name, what)->callback([&parsed, call] {
    parsed.verb = [call](const Context& context) { return static_cast<int>(call(context)); };
  });
}

void add_globals(CLI::App& app, Globals& globals) {
  app.add_option("--config", globals.config, "Config file (LIMPET_CONFIG)");
  app.add_option("--data", globals.data, "Data directory; its limpet.sock is used (LIMPET_DATA)");
  app.add_option("--socket", globals.socket, "Socket of the API (LIMPET_SOCKET)");
  app.add_flag("--json", globals.json, "JSON instead of text for people");
}

void add_submit(CLI::App& app, Parsed& parsed) {
  CLI::App* const verb = add_verb(app, "submit", "Send events, or start a run of an agent");
  SubmitOptions& options = parsed.submit;
  verb->add_option("file", options.file, "Events as CloudEvents JSON; - is standard input");
  verb->add_option("--type", options.type, "One event of this type");
  verb->add_option("--subject", options.subject, "Its subject");
  verb->add_option("--source", options.source, "Its source");
  verb->add_option("--id", options.id, "Its id; the same id again is a duplicate");
  verb->add_option("--data", options.data,
                   "With --type: its data as JSON; else as before the verb");
  verb->add_option("--correlation", options.correlation, "Correlation id");
  verb->add_option("--agent", options.agent, "Start a run of this agent");
  verb->add_option("--input", options.input, "Its input as JSON");
  verb->add_option("--key", options.key, "Key of the run");
  verb->add_option("--tenant", options.tenant, "Tenant of the run");
  verb->add_option("--idempotency-key", options.idempotency_key, "The same again: the same run");
  verb->add_option("--priority", options.priority, "0 to 9")->check(CLI::Range(0, 9));
  verb->add_flag("--wait", options.wait, "Wait for the end of the run");
  verb->add_option("--timeout", parsed.submit_timeout, "Of --wait, such as 30s");
  verb->callback([&parsed] {
    // Only an event has data; without one, the option means what it means before the verb.
    if (parsed.submit.type.empty() && !parsed.submit.data.empty()) {
      parsed.globals.data = std::exchange(parsed.submit.data, "");
    }
    parsed.verb = [&parsed](const Context& context) {
      return static_cast<int>(submit(context, parsed.submit));
    };
  });
}

void add_event_filters(CLI::App& verb, EventsOptions& options) {
  verb.add_option("--from", options.from, "First sequence");
  verb.add_option("--to", options.to, "Sequence to stop before");
  verb.add_option("--since", options.since, "A time, or how long ago, such as 2h");
  verb.add_option("--limit", options.limit, "At most so many");
  verb.add_option("--type", options.type, "Pattern of types, such as sensor.*");
  verb.add_option("--subject", options.subject, "Subject");
  verb.add_option("--run", options.run, "Events of this run");
  verb.add_option("--correlation", options.correlation, "Correlation id");
}

void add_event_files(CLI::App& events, Parsed& parsed) {
  CLI::App* const out = add_verb(events, "export", "Write events to a file");
  add_event_filters(*out, parsed.exported.query);
  out->add_option("--format", parsed.exported.format, "ndjson or cbor")
      ->check(CLI::IsMember({"ndjson", "cbor"}));
  out->add_option("-o,--output", parsed.exported.file, "The file; - is standard output");
  out->callback([&parsed] {
    parsed.verb = [&parsed](const Context& context) {
      return static_cast<int>(export_events(context, parsed.exported));
    };
  });
  CLI::App* const in = add_verb(
      events, "import",
      "Take an export in as history: ids and times stay, nothing follows; may be repeated");
  in->add_option("file", parsed.imported, "The file; - is standard input")->required();
  in->callback([&parsed] {
    parsed.verb = [&parsed](const Context& context) {
      return static_cast<int>(import_events(context, parsed.imported));
    };
  });
}

void add_events(CLI::App& app, Parsed& parsed) {
  CLI::App* const verb = add_verb(app, "events", "Show the log; export, import");
  EventsOptions& options = parsed.events;
  add_event_filters(*verb, options);
  verb->add_flag("-f,--follow", options.follow, "Go on with new ones");
  verb->add_option("--pace", options.pace, "instant, or original: as far apart as they were")
      ->check(CLI::IsMember({"instant", "original"}));
  verb->add_option("--speed", options.speed, "Of --pace original, such as 2.5");
  verb->require_subcommand(0, 1);
  verb->callback([&parsed] {
    if (parsed.verb) return;  // a verb inside this one was given
    parsed.verb = [&parsed](const Context& context) {
      return static_cast<int>(events(context, parsed.events));
    };
  });
  add_event_files(*verb, parsed);
}

void add_resolve(CLI::App& runs, Parsed& parsed) {
  CLI::App* const verb = add_verb(runs, "resolve", "Settle a step whose outcome is unknown");
  ResolveOptions& options = parsed.resolve;
  verb->add_option("run", options.run, "Id of the run")->required();
  verb->add_option("step", options.step, "Name or number of the step")->required();
  CLI::Option_group* const outcome = verb->add_option_group("outcome");
  outcome->add_flag("--done", parsed.done, "It happened");
  outcome->add_flag("--retry", parsed.retry, "It did not happen: run it again");
  outcome->add_flag("--fail", parsed.fail, "Give it up");
  outcome->require_option(1);
  verb->add_option("--value", options.value, "With --done: its result as JSON");
  verb->add_option("--reason", options.reason, "With --fail: why");
  verb->callback([&parsed] {
    parsed.resolve.outcome = parsed.done ? "done" : parsed.retry ? "retry" : "fail";
    parsed.verb = [&parsed](const Context& context) {
      return static_cast<int>(resolve_step(context, parsed.resolve));
    };
  });
}

void add_runs(CLI::App& app, Parsed& parsed) {
  CLI::App* const verb = add_verb(app, "runs", "List runs; show, resolve or cancel one");
  verb->add_option("--state", parsed.runs.state, "Only those in this state");
  verb->add_option("--agent", parsed.runs.agent, "Only those of this agent");
  verb->add_option("--limit", parsed.runs.limit, "At most so many");
  verb->require_subcommand(0, 1);
  using OnRun = Exit (*)(const Context&, const std::string&);
  const auto add_on_run = [&](const char* name, const char* what, OnRun call) {
    CLI::App* const one = add_verb(*verb, name, what);
    one->add_option("run", parsed.run, "Id of the run")->required();
    one->callback([&parsed, call] {
      parsed.verb = [&parsed, call](const Context& context) {
        return static_cast<int>(call(context, parsed.run));
      };
    });
  };
  // The callback of the outer verb comes last; a verb inside it has chosen already.
  verb->callback([&parsed] {
    if (parsed.verb) return;
    parsed.verb = [&parsed](const Context& context) {
      return static_cast<int>(list_runs(context, parsed.runs));
    };
  });
  add_on_run("show", "Show a run and its steps", show_run);
  add_on_run("cancel", "End a run", cancel_run);
  add_resolve(*verb, parsed);
}

void add_store(CLI::App& app, Parsed& parsed) {
  CLI::App* const verb = add_verb(app, "store", "Look at the store, verify it, copy it");
  verb->require_subcommand(1);
  using OnStore = Exit (*)(const Context&, const StoreOptions&);
  const auto add = [&](const char* name, const char* what, OnStore call) {
    CLI::App* const one = add_verb(*verb, name, what);
    one->callback([&parsed, call] {
      parsed.verb = [&parsed, call](const Context& context) {
        return static_cast<int>(call(context, parsed.store));
      };
    });
    return one;
  };
  add("info", "What it holds", store_info)
      ->add_flag("--rows", parsed.store.rows, "Count the rows of a stopped one");
  add_simple(*verb, parsed, "verify", "Read all of a stopped store", store_verify);
  add("backup", "Copy a stopped store into a new directory", store_backup)
      ->add_option("directory", parsed.store.target, "Where to")
      ->required();
  add_simple(*verb, parsed, "compact", "Make the file of a stopped store smaller", store_compact);
}

void add_doctor(CLI::App& app, Parsed& parsed, const Surroundings& surroundings) {
  CLI::App* const verb = add_verb(app, "doctor", "Say what is well, what is not, what to do");
  verb->add_flag("--verify", parsed.doctor.verify, "Also read all of a stopped store");
  verb->callback([&parsed, &surroundings] {
    parsed.verb = [&parsed, &surroundings](const Context& context) {
      return static_cast<int>(doctor(context, parsed.doctor, surroundings.examine));
    };
  });
}

void add_plugin(CLI::App& app, Parsed& parsed) {
  CLI::App* const verb = add_verb(app, "plugin", "List plugins, inspect a file");
  verb->require_subcommand(1);
  add_simple(*verb, parsed, "list", "List the plugins that run", list_plugins);
  CLI::App* const inspect =
      add_verb(*verb, "inspect", "Show what a plugin says of itself, without running it");
  inspect->add_option("file", parsed.plugin_file, "The .so file")->required();
  inspect->callback([&parsed] {
    parsed.verb = [&parsed](const Context& context) {
      return static_cast<int>(inspect_plugin(context, parsed.plugin_file));
    };
  });
}

// The variables count for what no option gave; a variable for the socket does not outweigh a
// directory that was given.
void complete_globals(Globals& globals, const Surroundings& surroundings) {
  const bool has_place =
      !globals.socket.empty() || !globals.data.empty() || !globals.config.empty();
  const auto complete = [&](std::string& value, const char* name) {
    if (value.empty()) value = surroundings.variable(name).value_or("");
  };
  if (!has_place) complete(globals.socket, "LIMPET_SOCKET");
  if (globals.config.empty()) complete(globals.data, "LIMPET_DATA");
  complete(globals.config, "LIMPET_CONFIG");
  globals.config = find_config(globals);
}

}  // namespace

int run_command_line(const std::vector<std::string>& arguments, const Surroundings& surroundings) {
  Parsed parsed;
  CLI::App app("Limpet: a small agent runtime for edge gateways", "limpet");
  app.set_version_flag("--version", LIMPET_VERSION);
  app.require_subcommand(1);
  add_globals(app, parsed.globals);
  add_verb(app, "run", "Run the daemon")->callback([&] {
    parsed.verb = [&surroundings](const Context& context) {
      return surroundings.run_daemon(context.globals);
    };
  });
  add_verb(app, "check", "Show what would run, or what is wrong")->callback([&] {
    parsed.verb = [&surroundings](const Context& context) {
      return static_cast<int>(check(context, surroundings.check_daemon));
    };
  });
  add_submit(app, parsed);
  add_runs(app, parsed);
  add_events(app, parsed);
  add_queue_verbs(app, parsed.queues, parsed.verb);
  add_simple(app, parsed, "status", "Show how the daemon does", status);
  add_plugin(app, parsed);
  add_store(app, parsed);
  add_doctor(app, parsed, surroundings);
  add_simple(app, parsed, "completion", "Print a completion script for bash", completion);

  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error, surroundings.out, surroundings.err);
    return code == 0 ? 0 : static_cast<int>(Exit::usage);
  }
  complete_globals(parsed.globals, surroundings);
  const Context context = {parsed.globals, surroundings.in, surroundings.out, surroundings.err};
  if (!parsed.submit_timeout.empty()) {
    const auto timeout = config::parse_duration(parsed.submit_timeout);
    if (!timeout)
      return static_cast<int>(fail(context, "--timeout is not such as 30s", Exit::usage));
    parsed.submit.timeout = *timeout;
  }
  return parsed.verb(context);
}

}  // namespace limpet::cli
