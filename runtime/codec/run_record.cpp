#include <limits>

#include "codec/cbor.hpp"
#include "codec/record_frame.hpp"
#include "codec/records.hpp"

namespace limpet::codec {

namespace {

// What stands in for the sequence under the checksum: "run" and "step" in ASCII.
constexpr uint64_t run_context = 0x72756e0000000000;
constexpr uint64_t step_context = 0x7374657000000000;

// A Fields<Sink> function below names each field once with its key (FORMAT.md); the sink writes or
// reads it. So the two directions cannot drift apart.
class FieldWriter {
 public:
  explicit FieldWriter(CborWriter& writer) : writer_(writer) {}

  void text(uint64_t key, const std::string& text) {
    if (text.empty()) return;
    writer_.uint(key);
    writer_.text(text);
  }
  void bytes(uint64_t key, const ByteVector& bytes) {
    if (bytes.empty()) return;
    writer_.uint(key);
    writer_.bytes(bytes);
  }
  template <class Number>
  void number(uint64_t key, const Number& value, Number absent = {}) {
    if (value == absent) return;
    writer_.uint(key);
    writer_.uint(static_cast<uint64_t>(value));
  }
  template <class Tag, class Integer>
  void id(uint64_t key, const StrongId<Tag, Integer>& id) {
    number(key, id.value());
  }
  void time(uint64_t key, const WallTime& time) { number(key, time.ns); }

 private:
  CborWriter& writer_;
};

class FieldCounter {
 public:
  void text(uint64_t, const std::string& text) { add(!text.empty(), text.size()); }
  void bytes(uint64_t, const ByteVector& bytes) { add(!bytes.empty(), bytes.size()); }
  template <class Number>
  void number(uint64_t, const Number& value, Number absent = {}) {
    add(value != absent, 0);
  }
  template <class Tag, class Integer>
  void id(uint64_t, const StrongId<Tag, Integer>& id) {
    add(!id.none(), 0);
  }
  void time(uint64_t, const WallTime& time) { add(time.ns != 0, 0); }

  [[nodiscard]] size_t count() const { return count_; }
  [[nodiscard]] size_t bytes_max() const { return bytes_max_; }

 private:
  void add(bool present, size_t content_bytes) {
    if (!present) return;
    ++count_;
    bytes_max_ += 2 * cbor_head_size(UINT64_MAX) + content_bytes;
  }

  size_t count_ = 0;
  size_t bytes_max_ = cbor_head_size(UINT64_MAX);
};

// Reads the value of one key into whichever field bears it.
class FieldReader {
 public:
  FieldReader(CborReader& reader, uint64_t key) : reader_(reader), key_(key) {}

  void text(uint64_t key, std::string& text) {
    if (mine(key)) text = reader_.text();
  }
  void bytes(uint64_t key, ByteVector& bytes) {
    if (!mine(key)) return;
    const ByteSpan content = reader_.bytes();
    bytes.assign(content.begin(), content.end());
  }
  template <class Number>
  void number(uint64_t key, Number& value, Number = {}) {
    if (!mine(key)) return;
    const uint64_t wide = reader_.uint();
    if (wide > highest<Number>()) {
      in_range_ = false;
    } else {
      value = static_cast<Number>(wide);
    }
  }
  template <class Tag, class Integer>
  void id(uint64_t key, StrongId<Tag, Integer>& id) {
    Integer value = id.value();
    number(key, value);
    id = StrongId<Tag, Integer>(value);
  }
  void time(uint64_t key, WallTime& time) { number(key, time.ns); }

  [[nodiscard]] bool taken() const { return taken_; }
  [[nodiscard]] bool in_range() const { return in_range_; }

 private:
  template <class Number>
  static constexpr uint64_t highest() {
    if constexpr (std::is_same_v<Number, RunState>) {
      return static_cast<uint64_t>(RunState::cancelled);
    } else if constexpr (std::is_same_v<Number, StepKind>) {
      return static_cast<uint64_t>(StepKind::timer);
    } else if constexpr (std::is_same_v<Number, StepState>) {
      return static_cast<uint64_t>(StepState::unknown);
    } else if constexpr (std::is_same_v<Number, Outcome>) {
      return static_cast<uint64_t>(Outcome::unknown);
    } else {
      return std::numeric_limits<Number>::max();
    }
  }

  bool mine(uint64_t key) {
    if (key != key_) return false;
    taken_ = true;
    return true;
  }

  CborReader& reader_;
  uint64_t key_;
  bool taken_ = false;
  bool in_range_ = true;
};

constexpr uint8_t priority_default = 5;

template <class AnyRun, class Sink>
void fields_of_run(AnyRun& run, Sink& sink) {
  sink.id(1, run.id);
  sink.text(2, run.agent);
  sink.text(3, run.key);
  sink.number(4, run.state);
  sink.text(5, run.reason);
  sink.number(6, run.state_version);
  sink.number(7, run.state_parts);
  sink.time(8, run.created);
  sink.time(9, run.updated);
  sink.number(10, run.turns);
  sink.number(11, run.steps);
  sink.number(12, run.steps_open);
  sink.number(13, run.turn_attempts);
  sink.time(14, run.deadline);
  sink.text(15, run.correlation);
  sink.text(16, run.tenant);
  sink.text(17, run.principal);
  sink.number(18, run.priority, priority_default);
  sink.id(19, run.input);
  sink.id(20, run.output);
  sink.id(21, run.epoch);
  sink.number(22, run.inbox_events);
  sink.number(23, run.inbox_bytes);
  sink.number(24, run.ready_at_ms);
  sink.number(25, run.ready_ticket);
  sink.number(26, run.steps_unknown);
}

template <class AnyStep, class Sink>
void fields_of_step(AnyStep& step, Sink& sink) {
  sink.id(1, step.ordinal);
  sink.text(2, step.name);
  sink.number(3, step.kind);
  sink.number(4, step.state);
  sink.text(5, step.tool);
  sink.bytes(6, step.arguments);
  sink.time(7, step.due);
  sink.number(8, step.attempt);
  sink.number(9, step.outcome);
  sink.text(10, step.error);
  sink.id(11, step.started);
  sink.id(12, step.finished);
  sink.number(13, step.ready_at_ms);
  sink.number(14, step.ready_ticket);
}

template <class Sink>
void fields_of(const Run& run, Sink& sink) {
  fields_of_run(run, sink);
}
template <class Sink>
void fields_of(Run& run, Sink& sink) {
  fields_of_run(run, sink);
}
template <class Sink>
void fields_of(const Step& step, Sink& sink) {
  fields_of_step(step, sink);
}
template <class Sink>
void fields_of(Step& step, Sink& sink) {
  fields_of_step(step, sink);
}

template <class Value>
Result<ByteVector> encode(const Value& value, uint64_t context) {
  FieldCounter counter;
  fields_of(value, counter);
  ByteVector record(record_header_bytes + counter.bytes_max());
  CborWriter writer(std::span<uint8_t>(record).subspan(record_header_bytes));
  writer.map(counter.count());
  FieldWriter sink(writer);
  fields_of(value, sink);
  LIMPET_TRY(const ByteSpan body, writer.finish());
  record.resize(record_header_bytes + body.size());
  seal_record(record, context);
  return record;
}

template <class Value>
Result<Value> decode(ByteSpan record, uint64_t context) {
  LIMPET_TRY(const ByteSpan body, open_record(record, context));
  CborReader reader(body);
  Value value;
  bool in_range = true;
  const size_t pair_count = reader.map();
  for (size_t index = 0; index < pair_count && reader.ok(); ++index) {
    FieldReader sink(reader, reader.uint());
    fields_of(value, sink);
    if (!sink.taken()) reader.skip();  // of a later minor version
    in_range = in_range && sink.in_range();
  }
  if (!reader.finish() || !in_range) {
    return Error{ErrorCode::corrupt, "run record: the body is malformed"};
  }
  return value;
}

}  // namespace

Result<ByteVector> encode_run(const Run& run) { return encode(run, run_context); }
Result<Run> decode_run(ByteSpan record) { return decode<Run>(record, run_context); }
Result<ByteVector> encode_step(const Step& step) { return encode(step, step_context); }
Result<Step> decode_step(ByteSpan record) { return decode<Step>(record, step_context); }

}  // namespace limpet::codec
