#pragma once

// Decision: what an agent answered to one event, read from its CBOR and checked as a whole. [any]
// A decision is taken entirely or not at all: one bad command refuses it, and the turn has failed.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "codec/explained.hpp"

namespace limpet::run {

struct CallCommand {
  std::string name;  // the step's, as the agent will see it in the event of the result
  std::string tool;
  ByteVector arguments;  // a CBOR map
};
struct EmitCommand {
  std::string type;
  std::string subject;
  ByteVector data;
};
struct TimerCommand {
  std::string name;
  uint64_t after_ms = 0;
};
struct CompleteCommand {
  ByteVector output;
};
struct FailCommand {
  std::string reason;
};
using Command = std::variant<CallCommand, EmitCommand, TimerCommand, CompleteCommand, FailCommand>;

struct Decision {
  bool has_state = false;  // false: the state stays as it was
  ByteVector state;
  uint32_t state_version = 0;
  std::vector<Command> commands;
};

// Refusals: invalid or too_large, with a sentence that names the command at fault. An agent may
// not emit types that begin with "limpet."; complete and fail end the list.
[[nodiscard]] codec::Explained<Decision> parse_decision(ByteSpan decision);

}  // namespace limpet::run
