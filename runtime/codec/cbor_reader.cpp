#include <cbor/callbacks.h>
#include <cbor/streaming.h>

#include <limits>

#include "codec/cbor.hpp"
#include "codec/utf8.hpp"

namespace limpet::codec {

// One item's head as libcbor read it; for text and bytes the whole item.
struct CborReader::Token {
  const char* error = nullptr;  // set: there is no such item, and why
  size_t size = 0;              // bytes of the input it takes
  CborKind kind = CborKind::null;
  bool truth = false;
  uint64_t value = 0;  // of integers, as CBOR stores them; the count of containers
  double number = 0;
  ByteSpan content;  // of text and bytes

  static void of_uint(void* token, uint64_t value) {
    static_cast<Token*>(token)->set(CborKind::uint, value);
  }
  static void of_negative(void* token, uint64_t value) {
    static_cast<Token*>(token)->set(CborKind::negative, value);
    constexpr auto value_max = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    if (value > value_max) refuse(token, "cbor: an integer below -2^63");
  }
  template <CborKind of_kind>
  static void of_string(void* token, cbor_data data, size_t size) {
    static_cast<Token*>(token)->set(of_kind, size);
    static_cast<Token*>(token)->content = {data, size};
  }
  template <CborKind of_kind>
  static void of_container(void* token, size_t count) {
    static_cast<Token*>(token)->set(of_kind, count);
  }
  static void of_number(void* token, double value) {
    static_cast<Token*>(token)->set(CborKind::number, 0);
    static_cast<Token*>(token)->number = value;
  }
  static void of_boolean(void* token, bool value) {
    static_cast<Token*>(token)->set(CborKind::boolean, 0);
    static_cast<Token*>(token)->truth = value;
  }
  static void of_null(void* token) { static_cast<Token*>(token)->set(CborKind::null, 0); }
  static void of_indefinite(void* token) { refuse(token, "cbor: an indefinite length"); }
  static void of_undefined(void* token) { refuse(token, "cbor: the value undefined"); }
  static void of_tag(void*, uint64_t) {}  // looked for before

 private:
  void set(CborKind of_kind, uint64_t of_value) {
    kind = of_kind;
    value = of_value;
  }
  static void refuse(void* token, const char* reason) {
    static_cast<Token*>(token)->error = reason;
  }
};

namespace {

template <class Token>
cbor_callbacks make_callbacks() {
  cbor_callbacks callbacks{};
  callbacks.uint8 = [](void* token, uint8_t value) { Token::of_uint(token, value); };
  callbacks.uint16 = [](void* token, uint16_t value) { Token::of_uint(token, value); };
  callbacks.uint32 = [](void* token, uint32_t value) { Token::of_uint(token, value); };
  callbacks.uint64 = Token::of_uint;
  callbacks.negint8 = [](void* token, uint8_t value) { Token::of_negative(token, value); };
  callbacks.negint16 = [](void* token, uint16_t value) { Token::of_negative(token, value); };
  callbacks.negint32 = [](void* token, uint32_t value) { Token::of_negative(token, value); };
  callbacks.negint64 = Token::of_negative;
  callbacks.byte_string = Token::template of_string<CborKind::bytes>;
  callbacks.string = Token::template of_string<CborKind::text>;
  callbacks.array_start = Token::template of_container<CborKind::array>;
  callbacks.map_start = Token::template of_container<CborKind::map>;
  callbacks.byte_string_start = Token::of_indefinite;
  callbacks.string_start = Token::of_indefinite;
  callbacks.indef_array_start = Token::of_indefinite;
  callbacks.indef_map_start = Token::of_indefinite;
  callbacks.indef_break = Token::of_indefinite;
  callbacks.tag = Token::of_tag;
  callbacks.float2 = [](void* token, float value) { Token::of_number(token, value); };
  callbacks.float4 = [](void* token, float value) { Token::of_number(token, value); };
  callbacks.float8 = Token::of_number;
  callbacks.undefined = Token::of_undefined;
  callbacks.null = Token::of_null;
  callbacks.boolean = Token::of_boolean;
  return callbacks;
}

// libcbor keeps lengths in size_t: on a 32-bit board it would take 2^32 + 1 for 1.
bool length_exceeds_memory(ByteSpan bytes) {
  const uint8_t major = bytes[0] >> 5;
  if (major < 2 || major > 5 || (bytes[0] & 0x1f) != 27 || bytes.size() < 5) return false;
  return (bytes[1] | bytes[2] | bytes[3] | bytes[4]) != 0;
}

bool is_container(CborKind kind) { return kind == CborKind::map || kind == CborKind::array; }

bool is_key(CborKind kind) {
  return kind == CborKind::text || kind == CborKind::uint || kind == CborKind::negative;
}

}  // namespace

CborReader::Token CborReader::look() const {
  static const cbor_callbacks callbacks = make_callbacks<Token>();
  Token token;
  token.error = error_;
  const ByteSpan rest = bytes_.subspan(offset_);
  if (token.error != nullptr) return token;
  if (rest.empty() || length_exceeds_memory(rest)) {
    token.error = "cbor: the input ends within an item";
    return token;
  }
  if (rest[0] >> 5 == 6) {  // some tags libcbor takes for garbage
    token.error = "cbor: a tag";
    return token;
  }
  const cbor_decoder_result result =
      cbor_stream_decode(rest.data(), rest.size(), &callbacks, &token);
  if (result.status == CBOR_DECODER_NEDATA) token.error = "cbor: the input ends within an item";
  if (result.status == CBOR_DECODER_ERROR) token.error = "cbor: a byte that begins no item";
  token.size = result.read;
  return token;
}

void CborReader::fail(const char* reason) {
  if (error_ == nullptr) error_ = reason;
}

// Moves behind the token and keeps the books of the containers.
void CborReader::consume(const Token& token) {
  size_t items = 0;
  if (is_container(token.kind)) {
    items = enter(token);
    if (error_ != nullptr) return;
  }
  offset_ += token.size;
  if (depth_ > 0) --pending_[depth_ - 1];
  if (items > 0) pending_[depth_++] = static_cast<uint32_t>(items);
  while (depth_ > 0 && pending_[depth_ - 1] == 0) --depth_;
}

// The items inside the container; every item takes a byte at least, so there cannot be more than
// bytes are left. That also bounds the caller's loop.
size_t CborReader::enter(const Token& token) {
  const uint64_t left = bytes_.size() - offset_ - token.size;
  const uint64_t items_each = token.kind == CborKind::map ? 2 : 1;
  if (depth_ == pending_.size()) {
    fail("cbor: nested too deeply");
  } else if (token.value > left / items_each || left > std::numeric_limits<uint32_t>::max()) {
    fail("cbor: the input ends within an item");
  }
  return error_ == nullptr ? static_cast<size_t>(token.value * items_each) : 0;
}

CborReader::Token CborReader::take(CborKind kind, const char* otherwise) {
  const Token token = look();
  if (token.error != nullptr) {
    fail(token.error);
  } else if (token.kind != kind) {
    fail(otherwise);
  } else {
    consume(token);
  }
  return error_ == nullptr ? token : Token{};
}

std::optional<CborKind> CborReader::peek() const {
  const Token token = look();
  if (token.error != nullptr) return std::nullopt;
  return token.kind;
}

size_t CborReader::map() {
  return static_cast<size_t>(take(CborKind::map, "cbor: expected a map").value);
}
size_t CborReader::array() {
  return static_cast<size_t>(take(CborKind::array, "cbor: expected an array").value);
}
uint64_t CborReader::uint() {
  return take(CborKind::uint, "cbor: expected an integer of zero or more").value;
}

int64_t CborReader::integer() {
  constexpr auto value_max = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  const Token token = look();
  if (token.error == nullptr && token.kind == CborKind::negative) {
    consume(token);
    return static_cast<int64_t>(~token.value);
  }
  if (token.error == nullptr && token.kind == CborKind::uint && token.value > value_max) {
    fail("cbor: an integer above 2^63-1");
    return 0;
  }
  return static_cast<int64_t>(take(CborKind::uint, "cbor: expected an integer").value);
}

std::string_view CborReader::text() {
  return as_text(take(CborKind::text, "cbor: expected text").content);
}
ByteSpan CborReader::bytes() {
  return take(CborKind::bytes, "cbor: expected a byte string").content;
}
bool CborReader::boolean() { return take(CborKind::boolean, "cbor: expected true or false").truth; }
void CborReader::null() { take(CborKind::null, "cbor: expected null"); }

double CborReader::number() {
  const Token token = look();
  if (token.error == nullptr && token.kind == CborKind::uint) {
    consume(token);
    return static_cast<double>(token.value);
  }
  if (token.error == nullptr && token.kind == CborKind::negative) {
    consume(token);
    return static_cast<double>(static_cast<int64_t>(~token.value));
  }
  return take(CborKind::number, "cbor: expected a number").number;
}

void CborReader::skip() {
  const size_t level = depth_;
  do {
    const Token token = look();
    if (token.error != nullptr) return fail(token.error);
    consume(token);
  } while (error_ == nullptr && depth_ > level);
}

ByteSpan CborReader::item() {
  const size_t first = offset_;
  skip();
  return error_ == nullptr ? bytes_.subspan(first, offset_ - first) : ByteSpan{};
}

Result<void> CborReader::finish() const {
  if (error_ != nullptr) return Error{ErrorCode::invalid, error_};
  if (depth_ > 0 && at_end()) {
    return Error{ErrorCode::invalid, "cbor: the input ends within an item"};
  }
  if (!at_end()) return Error{ErrorCode::invalid, "cbor: bytes after the last item"};
  return {};
}

Result<void> validate_depth(ByteSpan item, size_t depth_max) {
  CborReader reader(item);
  std::array<bool, limits::nesting_depth_max> is_map{};
  do {
    const CborReader::Token token = reader.look();
    if (token.error != nullptr) return Error{ErrorCode::invalid, token.error};
    const size_t level = reader.depth_;
    const bool key_next = level > 0 && is_map[level - 1] && reader.pending_[level - 1] % 2 == 0;
    if (key_next && !is_key(token.kind)) {
      return Error{ErrorCode::invalid, "cbor: a key that is neither text nor an integer"};
    }
    if (token.kind == CborKind::text && !utf8_valid(as_text(token.content))) {
      return Error{ErrorCode::invalid, "cbor: text that is not UTF-8"};
    }
    reader.consume(token);
    if (reader.depth_ > depth_max) return Error{ErrorCode::invalid, "cbor: nested too deeply"};
    if (reader.depth_ > level) is_map[level] = token.kind == CborKind::map;
  } while (reader.ok() && reader.depth_ > 0);
  return reader.finish();
}

Result<void> validate(ByteSpan item) { return validate_depth(item, limits::nesting_depth_max); }
Result<void> validate_item(ByteSpan item) { return validate_depth(item, limits::item_depth_max); }

}  // namespace limpet::codec
