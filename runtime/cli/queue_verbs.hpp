#pragma once

// The verbs of queues, dead letters and the live view, as verbs.hpp has the others. Each prints to
// the context and answers the exit code. [main, blocking]

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "cli/context.hpp"

namespace CLI {  // NOLINT(readability-identifier-naming): the name is the library's
class App;
}

namespace limpet::cli {

Exit list_queues(const Context& context);

struct QueueActionOptions {
  std::string queue;
  std::string action;  // pause, resume, drain
};
Exit act_on_queue(const Context& context, const QueueActionOptions& options);

struct AddTaskOptions {
  std::string queue;
  std::string payload;  // JSON; empty: from `file`
  std::string file;     // "-": standard input
  std::string group, key, tenant;
  std::optional<uint32_t> priority;
  std::string delay, ttl;  // durations
};
Exit add_task(const Context& context, const AddTaskOptions& options);

struct DeadOptions {
  std::string queue;
  std::string task;
  std::string payload;  // JSON, of a redrive of one
  std::optional<uint64_t> limit;
  std::optional<uint64_t> per_second;
  bool all = false;
};
Exit list_dead(const Context& context, const DeadOptions& options);
Exit show_dead(const Context& context, const DeadOptions& options);
Exit redrive_dead(const Context& context, const DeadOptions& options);
Exit drop_dead(const Context& context, const DeadOptions& options);

struct TopOptions {
  uint64_t rounds = 0;  // 0: until it is interrupted
  std::string interval = "1s";
  bool clear = true;  // the screen before each round
};
Exit top(const Context& context, const TopOptions& options);

// What was parsed of them; lives as long as the parser.
struct QueueVerbs {
  QueueActionOptions action;
  AddTaskOptions add;
  DeadOptions dead;
  TopOptions top;
};
using ChosenVerb = std::function<int(const Context&)>;
// Adds `queue`, `dead` and `top` to the parser; the one that is given sets `chosen_out`.
void add_queue_verbs(CLI::App& app, QueueVerbs& verbs, ChosenVerb& chosen_out);

}  // namespace limpet::cli
