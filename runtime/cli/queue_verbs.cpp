#include "cli/queue_verbs.hpp"

#include <CLI/CLI.hpp>

namespace limpet::cli {

namespace {

CLI::App* add_verb(CLI::App& app, const char* name, const char* what) {
  CLI::App* const verb = app.add_subcommand(name, what);
  verb->fallthrough();  // global options may follow the verb
  return verb;
}

template <class Options>
void choose(CLI::App* verb, ChosenVerb& chosen, Exit (*call)(const Context&, const Options&),
            const Options& options) {
  verb->callback([&chosen, call, &options] {
    if (chosen) return;  // a verb inside this one was given
    chosen = [call, &options](const Context& context) {
      return static_cast<int>(call(context, options));
    };
  });
}

void add_queue(CLI::App& app, QueueVerbs& verbs, ChosenVerb& chosen) {
  CLI::App* const queue = add_verb(app, "queue", "List queues; pause, resume, drain one; add");
  queue->require_subcommand(0, 1);
  queue->callback([&chosen] {
    if (chosen) return;
    chosen = [](const Context& context) { return static_cast<int>(list_queues(context)); };
  });
  const auto add_action = [&](const char* name, const char* what) {
    CLI::App* const one = add_verb(*queue, name, what);
    one->add_option("queue", verbs.action.queue, "Name of the queue")->required();
    one->parse_complete_callback([&verbs, name] { verbs.action.action = name; });
    choose(one, chosen, act_on_queue, verbs.action);
  };
  add_action("pause", "Give no tasks to workers; go on taking them");
  add_action("resume", "Give and take tasks again");
  add_action("drain", "Take no tasks; go on giving those that are there");
  AddTaskOptions& options = verbs.add;
  CLI::App* const add = add_verb(*queue, "add", "Add a task");
  add->add_option("queue", options.queue, "Name of the queue")->required();
  add->add_option("file", options.file, "Its payload as JSON; - is standard input");
  add->add_option("--payload", options.payload, "Its payload as JSON");
  add->add_option("--priority", options.priority, "0 to 9")->check(CLI::Range(0, 9));
  add->add_option("--delay", options.delay, "Not before, such as 30s");
  add->add_option("--ttl", options.ttl, "Dead if not begun by then, such as 1h");
  add->add_option("--group", options.group, "In order with others of this group");
  add->add_option("--key", options.key, "The same key again: the same task");
  add->add_option("--tenant", options.tenant, "On whose behalf");
  choose(add, chosen, add_task, options);
}

void add_dead(CLI::App& app, QueueVerbs& verbs, ChosenVerb& chosen) {
  DeadOptions& options = verbs.dead;
  CLI::App* const dead = add_verb(app, "dead", "List dead letters; show, redrive, drop them");
  dead->require_subcommand(0, 1);
  dead->add_option("--queue", options.queue, "Only those of this queue");
  dead->add_option("--limit", options.limit, "At most so many");
  choose(dead, chosen, list_dead, options);
  CLI::App* const show = add_verb(*dead, "show", "Show one with its payload");
  show->add_option("task", options.task, "Id of the task")->required();
  choose(show, chosen, show_dead, options);
  CLI::App* const redrive = add_verb(*dead, "redrive", "Make one, or all of a queue, ready again");
  redrive->add_option("task", options.task, "Id of the task");
  redrive->add_option("--payload", options.payload, "Instead of its own, as JSON");
  redrive->add_option("--rate", options.per_second, "Of many: so many a second");
  redrive->add_flag("--all", options.all, "All of --queue");
  choose(redrive, chosen, redrive_dead, options);
  CLI::App* const drop = add_verb(*dead, "drop", "Forget one, or all of a queue");
  drop->add_option("task", options.task, "Id of the task");
  drop->add_flag("--all", options.all, "All of --queue");
  choose(drop, chosen, drop_dead, options);
}

}  // namespace

void add_queue_verbs(CLI::App& app, QueueVerbs& verbs, ChosenVerb& chosen) {
  add_queue(app, verbs, chosen);
  add_dead(app, verbs, chosen);
  CLI::App* const live = add_verb(app, "top", "Watch the daemon at work");
  live->add_option("--rounds", verbs.top.rounds, "End after so many; 0: never");
  live->add_option("--interval", verbs.top.interval, "Between them, such as 1s");
  live->add_flag("!--no-clear", verbs.top.clear, "Leave what is on the screen");
  choose(live, chosen, top, verbs.top);
}

}  // namespace limpet::cli
