#include "codec/cbor_value.hpp"

#include "base/check.hpp"
#include "codec/cbor.hpp"

namespace limpet::codec {

namespace {

size_t size_max_of(const CborScalar& value) {
  constexpr size_t head = cbor_head_size(UINT64_MAX);
  if (const auto* text = std::get_if<std::string_view>(&value.value())) return head + text->size();
  if (const auto* bytes = std::get_if<ByteSpan>(&value.value())) return head + bytes->size();
  if (const auto* raw = std::get_if<CborRaw>(&value.value())) return head + raw->item.size();
  return head;
}

struct Put {
  CborWriter& writer;
  void operator()(std::nullptr_t) const { writer.null(); }
  void operator()(bool value) const { writer.boolean(value); }
  void operator()(int64_t value) const { writer.integer(value); }
  void operator()(uint64_t value) const { writer.uint(value); }
  void operator()(double value) const { writer.number(value); }
  void operator()(std::string_view text) const { writer.text(text); }
  void operator()(ByteSpan bytes) const { writer.bytes(bytes); }
  void operator()(CborRaw raw) const {
    if (raw.item.empty()) {
      writer.null();
    } else {
      writer.raw(raw.item);
    }
  }
};

ByteVector finish(ByteVector&& buffer, const CborWriter& writer) {
  const Result<ByteSpan> written = writer.finish();
  LIMPET_ASSERT(written.ok());  // the buffer was sized for the largest form of every item
  buffer.resize(written->size());
  return std::move(buffer);
}

}  // namespace

ByteVector cbor_map(std::initializer_list<CborField> fields) {
  size_t size_max = cbor_head_size(UINT64_MAX);
  for (const CborField& field : fields) {
    size_max += size_max_of(CborScalar(field.key)) + size_max_of(field.value);
  }
  ByteVector buffer(size_max);
  CborWriter writer(buffer);
  writer.map(fields.size());
  for (const CborField& field : fields) {
    writer.text(field.key);
    std::visit(Put{writer}, field.value.value());
  }
  return finish(std::move(buffer), writer);
}

ByteVector cbor_array(std::initializer_list<CborScalar> values) {
  size_t size_max = cbor_head_size(UINT64_MAX);
  for (const CborScalar& value : values) size_max += size_max_of(value);
  ByteVector buffer(size_max);
  CborWriter writer(buffer);
  writer.array(values.size());
  for (const CborScalar& value : values) std::visit(Put{writer}, value.value());
  return finish(std::move(buffer), writer);
}

ByteVector cbor_item(const CborScalar& value) {
  ByteVector buffer(size_max_of(value));
  CborWriter writer(buffer);
  std::visit(Put{writer}, value.value());
  return finish(std::move(buffer), writer);
}

}  // namespace limpet::codec
