#include "tests/bench/options.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/limits.hpp"

namespace limpet::bench {

namespace {

constexpr const char* options_text =
    "\n"
    "  --dir DIR      on the disk to measure (default: here)\n"
    "  --runs N       repetitions; median, minimum and maximum are shown (default 3)\n"
    "  --window N     events handed over and not yet answered, at most 2048 (default 64)\n"
    "  --payload N    bytes of data in each (default 256)\n"
    "  --events N     how many (default: about a second's work)\n"
    "  --workers N    that lease tasks (default 4)\n"
    "  --prefetch N   tasks that each holds unacknowledged (default: 1, then 32)\n"
    "  --seconds N    that wear watches (default 20)\n"
    "  --daemon FILE  the limpet that recover starts (default: beside this program)\n"
    "  --json         one object a line instead of a table\n";

[[noreturn]] void refuse(const std::string& reason) {
  std::fprintf(stderr, "limpet-bench: %s (--help shows all)\n", reason.c_str());
  std::exit(2);
}

uint64_t number_in(const char* option, const char* text, uint64_t max) {
  char* end = nullptr;
  const unsigned long long value = std::strtoull(text, &end, 10);
  if (*text == '\0' || *end != '\0' || value == 0 || value > max) {
    refuse(std::string(option) + ": a number from 1 to " + std::to_string(max));
  }
  return value;
}

void set_option(Options& options, std::string_view name, const char* value) {
  // Half of the writer's queue is for what must finish, see Store::admit.
  constexpr uint64_t window_max = limits::store_pending_changes_max / 2;
  constexpr uint64_t payload_max = 1024;  // one row in the store, as the raw comparison writes it
  if (name == "--dir") {
    options.directory = value;
  } else if (name == "--runs") {
    options.runs = static_cast<unsigned>(number_in("--runs", value, 100));
  } else if (name == "--window") {
    options.window = static_cast<unsigned>(number_in("--window", value, window_max));
  } else if (name == "--payload") {
    options.payload = static_cast<unsigned>(number_in("--payload", value, payload_max));
  } else if (name == "--events") {
    options.events = number_in("--events", value, 100000000);
  } else if (name == "--workers") {
    options.workers = static_cast<unsigned>(number_in("--workers", value, 64));
  } else if (name == "--prefetch") {
    options.prefetches = {static_cast<unsigned>(number_in("--prefetch", value, 1024))};
  } else if (name == "--seconds") {
    options.seconds = static_cast<unsigned>(number_in("--seconds", value, 86400));
  } else if (name == "--daemon") {
    options.daemon = value;
  } else {
    refuse("no such option: " + std::string(name));
  }
}

}  // namespace

Options parse_options(int argc, char** argv, const Program& program) {
  Options options;
  for (int index = 1; index < argc; ++index) {
    const std::string_view word(argv[index]);
    if (word == "--help" || word == "-h") {
      std::printf("%s%s", program.usage, options_text);
      std::exit(0);
    }
    if (word == "--json") {
      options.json = true;
    } else if (word.starts_with("--")) {
      if (index + 1 == argc) refuse(std::string(word) + " needs a value");
      set_option(options, word, argv[++index]);
    } else if (std::ranges::find(program.verbs, word) != program.verbs.end()) {
      options.verb = word;
    } else {
      refuse("no such workload: " + std::string(word));
    }
  }
  return options;
}

}  // namespace limpet::bench
