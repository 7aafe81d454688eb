#include "store/task_record.hpp"

#include <algorithm>
#include <array>

#include "base/check.hpp"
#include "codec/cbor.hpp"

namespace limpet::store {

namespace {

constexpr std::string_view place_name = "limpetplace";
constexpr std::string_view group_name = "limpetgroup";
constexpr std::string_view key_name = "limpetkey";
constexpr std::string_view expiry_name = "limpetexpiryms";
constexpr std::string_view step_name = "limpetstep";
constexpr std::string_view once_name = "limpetonce";

constexpr size_t place_bytes = 11;
constexpr size_t group_place_bytes = 9;
constexpr size_t dead_letter_head_bytes = 18;  // version, reason, two counts, two times
constexpr uint8_t priority_max = 9;
constexpr uint8_t task_state_version = 1;
constexpr uint8_t begun_bit = 0x80;

void put(uint8_t*& to, uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    *to++ = static_cast<uint8_t>(value >> shift);
  }
}

uint64_t take(const uint8_t*& from, int bytes) {
  uint64_t value = 0;
  for (int index = 0; index < bytes; ++index) value = (value << 8) | *from++;
  return value;
}

bool parse_place(ByteSpan bytes, TaskFacts& facts) {
  if (bytes.size() != place_bytes) return false;
  const uint8_t* from = bytes.data();
  facts.lane.queue = static_cast<uint16_t>(take(from, 2));
  facts.lane.tenant = static_cast<uint16_t>(take(from, 2));
  facts.lane.priority = static_cast<uint8_t>(take(from, 1));
  facts.ready_at = take(from, 6);
  return facts.lane.queue >= first_user_queue && facts.lane.priority <= priority_max;
}

constexpr std::array<std::string_view, 7> reasons = {
    "rejected", "expired", "attempts", "overflow", "unknown_outcome", "denied", "quarantined"};

}  // namespace

// FNV-1a, for its few lines: two groups with one hash are served as one, in order, which is slower
// and not wrong.
uint64_t group_hash(std::string_view group) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char letter : group) hash = (hash ^ static_cast<uint8_t>(letter)) * 0x100000001b3;
  return hash == 0 ? 1 : hash;
}

void encode_task_facts(const TaskFacts& facts, ByteVector& out) {
  std::array<uint8_t, place_bytes> place;
  uint8_t* to = place.data();
  put(to, facts.lane.queue, 2);
  put(to, facts.lane.tenant, 2);
  put(to, facts.lane.priority, 1);
  put(to, facts.ready_at, 6);
  // Names and heads, and the two texts.
  out.resize(128 + facts.group_name.size() + facts.key.size());
  codec::CborWriter writer(out);
  writer.map(1 + size_t{facts.expires_at != 0} + size_t{!facts.group_name.empty()} +
             size_t{!facts.key.empty()} + size_t{!facts.step.none()} + size_t{facts.once});
  writer.text(place_name);
  writer.bytes(place);
  if (!facts.group_name.empty()) {
    writer.text(group_name);
    writer.text(facts.group_name);
  }
  if (!facts.key.empty()) {
    writer.text(key_name);
    writer.text(facts.key);
  }
  if (facts.expires_at != 0) {
    writer.text(expiry_name);
    writer.uint(facts.expires_at);
  }
  if (!facts.step.none()) {
    writer.text(step_name);
    writer.uint(facts.step.value());
  }
  if (facts.once) {
    writer.text(once_name);
    writer.boolean(true);
  }
  const Result<ByteSpan> written = writer.finish();
  LIMPET_ASSERT(written.ok());  // the buffer was made for it
  out.resize(written->size());
}

std::optional<TaskFacts> parse_task_facts(ByteSpan extensions) {
  if (extensions.empty()) return std::nullopt;
  codec::CborReader reader(extensions);
  TaskFacts facts;
  bool placed = false;
  const size_t pairs = reader.map();
  for (size_t pair = 0; pair < pairs && reader.ok(); ++pair) {
    const std::string_view name = reader.text();
    if (name == place_name) {
      placed = parse_place(reader.bytes(), facts);
    } else if (name == group_name) {
      facts.group_name = reader.text();
      facts.group = group_hash(facts.group_name);
    } else if (name == key_name) {
      facts.key = reader.text();
    } else if (name == expiry_name) {
      facts.expires_at = reader.uint();
    } else if (name == step_name) {
      facts.step = Ordinal(static_cast<uint32_t>(reader.uint()));
    } else if (name == once_name) {
      facts.once = reader.boolean();
    } else {
      reader.skip();
    }
  }
  if (!placed || !reader.finish().ok()) return std::nullopt;
  return facts;
}

ByteSpan encode_task_state(const TaskState& state, std::span<uint8_t> buffer) {
  if (state == TaskState()) return {};
  LIMPET_ASSERT(buffer.size() >= task_state_bytes);
  uint8_t* to = buffer.data();
  put(to, task_state_version | (state.begun ? begun_bit : 0), 1);
  put(to, state.attempts, 2);
  put(to, state.not_before, 6);
  put(to, state.deaths, 2);
  put(to, state.first_death, 6);
  return buffer.first(task_state_bytes);
}

std::optional<TaskState> parse_task_state(ByteSpan value) {
  TaskState state;
  if (value.empty()) return state;
  if (value.size() != task_state_bytes || (value[0] & ~begun_bit) != task_state_version) {
    return std::nullopt;
  }
  state.begun = (value[0] & begun_bit) != 0;
  const uint8_t* from = value.data() + 1;
  state.attempts = static_cast<uint16_t>(take(from, 2));
  state.not_before = take(from, 6);
  state.deaths = static_cast<uint16_t>(take(from, 2));
  state.first_death = take(from, 6);
  return state;
}

ByteSpan encode_group_row(const GroupRow& row, std::span<uint8_t> buffer) {
  LIMPET_ASSERT(buffer.size() >= group_row_bytes_max);
  uint8_t* to = buffer.data();
  put(to, row.place.lane.tenant, 2);
  put(to, row.place.lane.priority, 1);
  put(to, row.place.ready_at, 6);
  const ByteSpan state = encode_task_state(row.state, buffer.subspan(group_place_bytes));
  return buffer.first(group_place_bytes + state.size());
}

std::optional<ReadyPlace> parse_group_row(const GroupPlace& place, ByteSpan value) {
  if (!parse_group_state(value) || value[2] > priority_max) return std::nullopt;
  const uint8_t* from = value.data();
  ReadyPlace ready;
  ready.lane.queue = place.queue;
  ready.lane.tenant = static_cast<uint16_t>(take(from, 2));
  ready.lane.priority = static_cast<uint8_t>(take(from, 1));
  ready.ready_at = take(from, 6);
  ready.ticket = place.task.value();
  return ready;
}

std::optional<TaskState> parse_group_state(ByteSpan value) {
  if (value.size() < group_place_bytes) return std::nullopt;
  return parse_task_state(value.subspan(group_place_bytes));
}

std::string_view to_string(DeathReason reason) { return reasons[static_cast<size_t>(reason) - 1]; }

std::optional<DeathReason> parse_death_reason(std::string_view text) {
  const auto* const found = std::ranges::find(reasons, text);
  if (found == reasons.end()) return std::nullopt;
  return static_cast<DeathReason>(found - reasons.begin() + 1);
}

ByteVector encode_dead_letter(const DeadLetter& letter) {
  const size_t error_bytes = std::min(letter.error.size(), death_error_bytes_max);
  ByteVector record(dead_letter_head_bytes + error_bytes);
  uint8_t* to = record.data();
  put(to, 1, 1);  // version
  put(to, static_cast<uint64_t>(letter.reason), 1);
  put(to, letter.attempts, 2);
  put(to, letter.deaths, 2);
  put(to, letter.first_death, 6);
  put(to, letter.last_death, 6);
  std::copy_n(letter.error.begin(), error_bytes, to);
  return record;
}

std::optional<DeadLetter> parse_dead_letter(ByteSpan value) {
  if (value.size() < dead_letter_head_bytes || value[0] != 1) return std::nullopt;
  if (value[1] < 1 || value[1] > reasons.size()) return std::nullopt;
  const uint8_t* from = value.data() + 1;
  DeadLetter letter;
  letter.reason = static_cast<DeathReason>(take(from, 1));
  letter.attempts = static_cast<uint16_t>(take(from, 2));
  letter.deaths = static_cast<uint16_t>(take(from, 2));
  letter.first_death = take(from, 6);
  letter.last_death = take(from, 6);
  const ByteSpan error = value.subspan(dead_letter_head_bytes);
  letter.error.assign(error.begin(), error.end());
  return letter;
}

}  // namespace limpet::store
