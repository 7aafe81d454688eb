#include "run/decision.hpp"

#include <algorithm>
#include <optional>

#include "base/limits.hpp"
#include "codec/cbor.hpp"
#include "codec/records.hpp"
#include "model/event.hpp"

namespace limpet::run {

namespace {

using codec::CborKind;
using codec::CborReader;
using codec::Refusal;

constexpr uint64_t timer_ms_max = uint64_t{366} * 24 * 3600 * 1000;
constexpr size_t reason_bytes_max = 512;

Refusal refuse(std::string detail) {
  return {Error{ErrorCode::invalid, "run: decision"}, std::move(detail)};
}

// The members of one command map, before it is known which command it is.
struct Members {
  std::string_view verb, name, tool, type, subject, reason;
  ByteSpan arguments, data, output;
  std::optional<uint64_t> after_ms;
  std::string unknown;  // the first member that no command has
};

Members read_members(CborReader& reader) {
  Members members;
  const size_t count = reader.map();
  for (size_t index = 0; index < count && reader.ok(); ++index) {
    const std::string_view key = reader.text();
    if (key == "do") {
      members.verb = reader.text();
    } else if (key == "as") {
      members.name = reader.text();
    } else if (key == "tool") {
      members.tool = reader.text();
    } else if (key == "type") {
      members.type = reader.text();
    } else if (key == "subject") {
      members.subject = reader.text();
    } else if (key == "reason") {
      members.reason = reader.text();
    } else if (key == "arguments") {
      members.arguments = reader.item();
    } else if (key == "data") {
      members.data = reader.item();
    } else if (key == "output") {
      members.output = reader.item();
    } else if (key == "after_ms") {
      members.after_ms = reader.uint();
    } else {
      if (members.unknown.empty()) members.unknown = key;
      reader.skip();
    }
  }
  return members;
}

ByteVector copy(ByteSpan bytes) { return {bytes.begin(), bytes.end()}; }

// Why `name` cannot be a step's name; empty if it can. It becomes part of the idempotency key.
std::string_view name_fault(std::string_view name) {
  if (name.empty()) return "needs `as`, the step's name";
  if (name.size() > limits::step_name_bytes_max) return "has a name of more than 64 bytes";
  const bool plain = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
  return plain ? std::string_view() : "has a name with characters other than letters, digits, _-.";
}

codec::Explained<Command> make_call(const Members& members) {
  if (const auto fault = name_fault(members.name); !fault.empty()) {
    return refuse(std::string("call ").append(fault));
  }
  if (members.tool.empty() || members.tool.size() > limits::tool_name_bytes_max) {
    return refuse("call needs `tool`, of at most 128 bytes");
  }
  CallCommand call{std::string(members.name), std::string(members.tool), copy(members.arguments)};
  if (call.arguments.empty()) call.arguments = {0xa0};  // the empty map
  if (CborReader(call.arguments).peek() != CborKind::map) {
    return refuse("call needs a map as `arguments`");
  }
  if (!codec::validate_item(call.arguments).ok()) {
    return refuse("call has `arguments` that are nested too deeply");
  }
  if (call.arguments.size() > limits::item_bytes_max) {
    return refuse("call has `arguments` of more than 60 KiB");
  }
  return Command(std::move(call));
}

codec::Explained<Command> make_emit(const Members& members) {
  if (!codec::event_type_valid(members.type)) return refuse("emit needs a dotted name as `type`");
  if (members.type.starts_with(event_type::own_prefix)) {
    return refuse("emit may not use types that begin with \"limpet.\"");
  }
  if (members.subject.size() > limits::event_attribute_bytes_max) {
    return refuse("emit has a `subject` of more than 512 bytes");
  }
  if (!members.data.empty() && !codec::validate_item(members.data).ok()) {
    return refuse("emit has `data` that is nested too deeply");
  }
  if (members.data.size() > limits::event_data_bytes_max) {
    return refuse("emit has `data` of more than 64 KiB");
  }
  return Command(
      EmitCommand{std::string(members.type), std::string(members.subject), copy(members.data)});
}

codec::Explained<Command> make_timer(const Members& members) {
  if (const auto fault = name_fault(members.name); !fault.empty()) {
    return refuse(std::string("timer ").append(fault));
  }
  if (!members.after_ms || *members.after_ms > timer_ms_max) {
    return refuse("timer needs `after_ms`, at most a year");
  }
  return Command(TimerCommand{std::string(members.name), *members.after_ms});
}

codec::Explained<Command> make_command(const Members& members) {
  if (!members.unknown.empty()) {
    return refuse("a command has the unknown member " + members.unknown);
  }
  if (members.verb == "call") return make_call(members);
  if (members.verb == "emit") return make_emit(members);
  if (members.verb == "timer") return make_timer(members);
  if (members.verb == "complete") {
    if (!members.output.empty() && !codec::validate_item(members.output).ok()) {
      return refuse("complete has an `output` that is nested too deeply");
    }
    if (members.output.size() > limits::item_bytes_max) {
      return refuse("complete has an `output` of more than 60 KiB");
    }
    return Command(CompleteCommand{copy(members.output)});
  }
  if (members.verb == "fail") {
    if (members.reason.empty() || members.reason.size() > reason_bytes_max) {
      return refuse("fail needs a `reason` of at most 512 bytes");
    }
    return Command(FailCommand{std::string(members.reason)});
  }
  return refuse(std::string("no command is called `").append(members.verb).append("`"));
}

bool ends_run(const Command& command) {
  return std::holds_alternative<CompleteCommand>(command) ||
         std::holds_alternative<FailCommand>(command);
}

// Reads the array of commands into `decision`; nullopt: all are good.
std::optional<Refusal> read_commands(CborReader& reader, Decision& decision) {
  const size_t count = reader.array();
  if (count > limits::decision_commands_max) return refuse("more than 64 commands");
  for (size_t index = 0; index < count && reader.ok(); ++index) {
    if (!decision.commands.empty() && ends_run(decision.commands.back())) {
      return refuse("a command follows complete or fail");
    }
    const Members members = read_members(reader);
    if (!reader.ok()) break;
    codec::Explained<Command> command = make_command(members);
    if (!command.ok()) return command.refusal();
    decision.commands.push_back(std::move(command).value());
  }
  return std::nullopt;
}

}  // namespace

codec::Explained<Decision> parse_decision(ByteSpan bytes) {
  if (!codec::validate(bytes).ok()) return refuse("not one well-formed CBOR item");
  CborReader reader(bytes);
  Decision decision;
  const size_t members = reader.map();
  for (size_t index = 0; index < members && reader.ok(); ++index) {
    const std::string_view key = reader.text();
    if (key == "state") {
      decision.state = copy(reader.item());
      decision.has_state = true;
    } else if (key == "version") {
      const uint64_t version = reader.uint();
      if (version > UINT32_MAX) return refuse("`version` is too large");
      decision.state_version = static_cast<uint32_t>(version);
    } else if (key == "commands") {
      if (auto refusal = read_commands(reader, decision)) return std::move(*refusal);
    } else if (reader.ok()) {
      return refuse(std::string("unknown member `").append(key).append("`"));
    }
  }
  if (!reader.finish().ok()) return refuse("a member has the wrong type");
  if (decision.state.size() > limits::run_state_bytes_max) return refuse("state over 64 KiB");
  if (decision.has_state && decision.state_version == 0) return refuse("a state needs a `version`");
  return decision;
}

}  // namespace limpet::run
