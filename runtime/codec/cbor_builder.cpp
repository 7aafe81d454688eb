#include "codec/cbor_builder.hpp"

#include <utility>

#include "codec/cbor.hpp"

namespace limpet::codec {

namespace {

constexpr size_t head_bytes_max = cbor_head_size(UINT64_MAX);

}  // namespace

void CborBuilder::fail(const char* reason) {
  if (error_ == nullptr) error_ = reason;
}

void CborBuilder::count_item() {
  if (depth_ > 0) ++open_[depth_ - 1].item_count;
}

template <class Write>
void CborBuilder::scalar(size_t bytes_most, Write&& write) {
  if (error_ != nullptr) return;
  const size_t before = item_.size();
  item_.resize(before + bytes_most);
  CborWriter writer(std::span<uint8_t>(item_).subspan(before));
  write(writer);
  const Result<ByteSpan> written = writer.finish();
  LIMPET_ASSERT(written.ok());
  item_.resize(before + written->size());
  if (item_.size() > bytes_max_) fail("cbor: the item is too large");
  count_item();
}

void CborBuilder::null() {
  scalar(head_bytes_max, [](CborWriter& writer) { writer.null(); });
}
void CborBuilder::boolean(bool value) {
  scalar(head_bytes_max, [value](CborWriter& writer) { writer.boolean(value); });
}
void CborBuilder::integer(int64_t value) {
  scalar(head_bytes_max, [value](CborWriter& writer) { writer.integer(value); });
}
void CborBuilder::uint(uint64_t value) {
  scalar(head_bytes_max, [value](CborWriter& writer) { writer.uint(value); });
}
void CborBuilder::number(double value) {
  scalar(head_bytes_max, [value](CborWriter& writer) { writer.number(value); });
}

void CborBuilder::text(std::string_view text) {
  if (text.size() > bytes_max_) return fail("cbor: the item is too large");
  scalar(head_bytes_max + text.size(), [text](CborWriter& writer) { writer.text(text); });
}

void CborBuilder::bytes(ByteSpan bytes) {
  if (bytes.size() > bytes_max_) return fail("cbor: the item is too large");
  scalar(head_bytes_max + bytes.size(), [bytes](CborWriter& writer) { writer.bytes(bytes); });
}

void CborBuilder::raw(ByteSpan one_item) {
  if (one_item.size() > bytes_max_) return fail("cbor: the item is too large");
  scalar(one_item.size(), [one_item](CborWriter& writer) { writer.raw(one_item); });
}

void CborBuilder::begin_map() { begin(true); }
void CborBuilder::begin_array() { begin(false); }

void CborBuilder::begin(bool is_map) {
  if (error_ != nullptr) return;
  if (depth_ == open_.size()) return fail("cbor: nested too deeply");
  count_item();
  open_[depth_++] = Open{item_.size(), 0, is_map};
}

void CborBuilder::end() {
  if (error_ != nullptr) return;
  LIMPET_ASSERT(depth_ > 0);
  const Open& container = open_[--depth_];
  std::array<uint8_t, head_bytes_max> head{};
  CborWriter writer(head);
  if (container.is_map) {
    LIMPET_ASSERT(container.item_count % 2 == 0);
    writer.map(container.item_count / 2);
  } else {
    writer.array(container.item_count);
  }
  const ByteSpan written = writer.finish().value();
  item_.insert(item_.begin() + static_cast<std::ptrdiff_t>(container.first), written.begin(),
               written.end());
  if (item_.size() > bytes_max_) fail("cbor: the item is too large");
}

Result<ByteVector> CborBuilder::take() {
  if (error_ != nullptr) return Error{ErrorCode::too_large, error_};
  LIMPET_ASSERT(complete());
  return std::exchange(item_, {});
}

}  // namespace limpet::codec
