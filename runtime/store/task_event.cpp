#include "store/task_event.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "codec/cbor.hpp"

namespace limpet::store {

namespace {

// The names and heads around the texts.
constexpr size_t around_bytes_max = 192;

void write_name(codec::CborWriter& writer, const TaskName& name) {
  writer.text("task");
  writer.uint(name.task.value());
  writer.text("id");
  writer.text(qualified_id(name.epoch, name.task.value()));
  writer.text("queue");
  writer.text(name.queue);
}

void finish(const codec::CborWriter& writer, ByteVector& out) {
  const Result<ByteSpan> written = writer.finish();
  LIMPET_ASSERT(written.ok());  // the buffer was made for it
  out.resize(written->size());
}

}  // namespace

void encode_task_done(const TaskName& name, ByteSpan result, ByteVector& out) {
  out.resize(around_bytes_max + name.queue.size() + result.size());
  codec::CborWriter writer(out);
  writer.map(4);
  write_name(writer, name);
  writer.text("result");
  writer.raw(result);
  finish(writer, out);
}

void encode_task_dead(const TaskName& name, const DeadLetter& letter, ByteVector& out) {
  const std::string_view error = std::string_view(letter.error).substr(0, death_error_bytes_max);
  out.resize(around_bytes_max + name.queue.size() + error.size());
  codec::CborWriter writer(out);
  writer.map(7);
  write_name(writer, name);
  writer.text("reason");
  writer.text(to_string(letter.reason));
  writer.text("attempts");
  writer.uint(letter.attempts);
  writer.text("deaths");
  writer.uint(letter.deaths);
  writer.text("error");
  writer.text(error);
  finish(writer, out);
}

}  // namespace limpet::store
