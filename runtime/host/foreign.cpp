#include "host/foreign.hpp"

#include <cstddef>
#include <cstring>

#include "base/limits.hpp"
#include "codec/cbor.hpp"
#include "codec/utf8.hpp"

namespace limpet::host {

namespace {

void release(limpet_buffer& buffer) {
  if (buffer.release != nullptr) buffer.release(&buffer);
  buffer = limpet_buffer{};
}

Result<ByteVector> copy_item(const limpet_buffer& buffer, size_t bytes_max) {
  if (buffer.size > bytes_max) return Error{ErrorCode::too_large, "larger than a result may be"};
  if (buffer.size == 0) return ByteVector{};
  if (buffer.data == nullptr) return Error{ErrorCode::invalid, "a size without bytes"};
  ByteVector bytes(buffer.data, buffer.data + buffer.size);
  LIMPET_CHECK(codec::validate(bytes));
  return bytes;
}

TakenResult garbage(std::string sentence) {
  TakenResult taken;
  taken.garbage = true;
  taken.result.outcome = Outcome::failed;
  taken.result.error = std::move(sentence);
  return taken;
}

constexpr uint32_t result_size_min = offsetof(limpet_result, value) + sizeof(limpet_buffer);

}  // namespace

std::string take_text(const char* text, size_t bytes_max) {
  if (text == nullptr) return {};
  std::string copy(text, strnlen(text, bytes_max));
  // A cut may fall into the middle of a character: four bytes at most.
  for (int left = 3; copy.size() + 3 >= bytes_max && left > 0 && !codec::utf8_valid(copy); --left) {
    copy.pop_back();
  }
  const bool utf8 = codec::utf8_valid(copy);
  for (char& character : copy) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 0x20 || byte == 0x7f) character = ' ';
    if (byte >= 0x80 && !utf8) character = '?';
  }
  return copy;
}

Result<ByteVector> take_item(limpet_buffer& buffer, size_t bytes_max) {
  Result<ByteVector> item = copy_item(buffer, bytes_max);
  release(buffer);
  return item;
}

limpet_buffer give_bytes(ByteVector bytes) {
  auto* const owned = new ByteVector(std::move(bytes));
  limpet_buffer buffer{};
  buffer.data = owned->data();
  buffer.size = static_cast<uint32_t>(owned->size());
  buffer.producer = owned;
  buffer.release = [](limpet_buffer* self) {
    delete static_cast<ByteVector*>(self->producer);
    self->release = nullptr;
  };
  return buffer;
}

TakenResult take_result(limpet_result* result) {
  if (result == nullptr || result->struct_size < result_size_min) {
    // Whether it has a value to release cannot be known.
    TakenResult taken = garbage("the plugin finished the call without a result");
    taken.result.outcome = Outcome::unknown;
    return taken;
  }
  Result<ByteVector> value = take_item(result->value, limits::tool_result_bytes_max);
  if (value.ok() && !value->empty()) {
    if (const Result<void> shallow = codec::validate_item(*value); !shallow)
      value = shallow.error();
  }
  if (result->outcome < LIMPET_DONE || result->outcome > LIMPET_UNKNOWN) {
    TakenResult taken = garbage("the plugin gave an outcome that does not exist");
    taken.result.outcome = Outcome::unknown;
    return taken;
  }
  if (!value && result->outcome == LIMPET_DONE) {
    return garbage(std::string("the plugin's result was refused: ").append(value.error().where));
  }
  TakenResult taken;
  taken.garbage = !value.ok();
  taken.result.outcome = static_cast<Outcome>(result->outcome);
  if (value) taken.result.value = std::move(value).value();
  if (taken.result.outcome != Outcome::done) {
    taken.result.error = take_text(result->error, limits::tool_error_bytes_max);
    taken.result.retry_after_ms = result->retry_after_ms;
  }
  return taken;
}

ToolResult result_of_status(limpet_status status, std::string_view text) {
  const bool lasting = status == LIMPET_INVALID || status == LIMPET_NOT_FOUND ||
                       status == LIMPET_UNSUPPORTED || status == LIMPET_DENIED;
  ToolResult result;
  result.outcome = lasting ? Outcome::failed : Outcome::retry;
  result.error = text.empty() ? limpet_status_text(status) : text;
  return result;
}

}  // namespace limpet::host
