#include "model/run.hpp"

namespace limpet {

std::string_view to_string(RunState state) {
  switch (state) {
    case RunState::queued: return "queued";
    case RunState::running: return "running";
    case RunState::waiting: return "waiting";
    case RunState::paused: return "paused";
    case RunState::completed: return "completed";
    case RunState::failed: return "failed";
    case RunState::cancelled: return "cancelled";
  }
  return "";
}

std::string_view to_string(StepState state) {
  switch (state) {
    case StepState::scheduled: return "scheduled";
    case StepState::started: return "started";
    case StepState::finished: return "finished";
    case StepState::unknown: return "unknown";
  }
  return "";
}

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::done: return "done";
    case Outcome::failed: return "failed";
    case Outcome::retry: return "retry";
    case Outcome::unknown: return "unknown";
  }
  return "";
}

}  // namespace limpet
