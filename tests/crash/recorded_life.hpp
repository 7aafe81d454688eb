#pragma once

// The workload in a process of its own, with the recorder in it. Owner: a test. Thread: one.

#include <string>

#include "tests/crash/recorder/format.hpp"
#include "tests/support/child_program.hpp"

namespace limpet::testing {

struct RecordedLife {
  std::string directory;
  std::string trace;  // added to, if it is there
  uint64_t changes = 0;
  size_t window = 1;
  bool acknowledge_early = false;
  std::string failure;  // for the recorder; empty: none
};

// Runs it to its end; answers its exit code and what it printed.
inline ProgramResult live_recorded(const RecordedLife& life) {
  ChildOptions options{
      program_folder() + "/crash_workload",
      {life.directory, std::to_string(life.changes), std::to_string(life.window),
       life.acknowledge_early ? "early" : "late"},
      {"LD_PRELOAD=" + program_folder() + "/../tests/crash_recorder/liblimpet_crash_recorder.so",
       std::string(directory_variable) + "=" + life.directory,
       std::string(trace_variable) + "=" + life.trace,
       std::string(failure_variable) + "=" + (life.failure.empty() ? "0:0:once" : life.failure)},
      ""};
  return run_program(options, seconds(60));
}

}  // namespace limpet::testing
