#pragma once
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "../cbor.h"

// CBOR as C++ values: View reads what somebody else's bytes hold, Encoder writes. Both are plain
// values of one thread. View never throws; Encoder throws std::bad_alloc, and std::length_error
// beyond LIMPET_CBOR_DEPTH_MAX.
namespace limpet::sdk {

inline limpet_bytes as_bytes(std::string_view bytes) {
  return {reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<uint32_t>(bytes.size())};
}

inline std::string_view as_text(limpet_bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data), bytes.size};
}

// One item in borrowed bytes; empty when it is missing or malformed, so lookups can be chained:
//   const double above = config["thresholds"]["above"].number_or(90);
class View {
 public:
  View() : cursor_(limpet_cbor_nothing()) {}
  View(limpet_cbor cursor) : cursor_(cursor) {}
  View(limpet_bytes bytes) : cursor_(limpet_cbor_read(bytes)) {}
  View(std::string_view bytes) : View(as_bytes(bytes)) {}

  limpet_cbor_kind kind() const { return limpet_cbor_kind_of(cursor_); }
  explicit operator bool() const { return kind() != LIMPET_CBOR_NOTHING; }

  // The map's value with this key.
  View operator[](const char* key) const { return limpet_cbor_find(cursor_, key); }

  std::optional<std::string_view> text() const {
    const char* data = nullptr;
    uint32_t size = 0;
    if (!limpet_cbor_get_text(cursor_, &data, &size)) return std::nullopt;
    return std::string_view(data, size);
  }

  // The value, or `otherwise` when the item is missing or of another kind.
  std::string_view text_or(std::string_view otherwise) const { return text().value_or(otherwise); }
  double number_or(double otherwise) const {
    limpet_cbor_get_double(cursor_, &otherwise);
    return otherwise;
  }
  uint64_t uint_or(uint64_t otherwise) const {
    limpet_cbor_get_uint(cursor_, &otherwise);
    return otherwise;
  }
  int64_t int_or(int64_t otherwise) const {
    limpet_cbor_get_int(cursor_, &otherwise);
    return otherwise;
  }
  bool bool_or(bool otherwise) const {
    limpet_cbor_get_bool(cursor_, &otherwise);
    return otherwise;
  }

  // Calls visit(View) for an array's items, visit(std::string_view, View) for a map's entries with
  // text keys, in order; nothing for anything else.
  template <typename Visit>
  void each(Visit visit) const {
    limpet_cbor_walk walk = limpet_cbor_enter(cursor_);
    limpet_cbor key;
    limpet_cbor value;
    while (limpet_cbor_next(&walk, &key, &value)) {
      if constexpr (std::is_invocable_v<Visit, std::string_view, View>) {
        if (const auto name = View(key).text()) visit(*name, View(value));
      } else {
        if (!walk.map) visit(View(value));
      }
    }
  }

  // The item's own bytes; they live as long as what the view was made of.
  limpet_bytes raw() const { return limpet_cbor_raw(cursor_); }

 private:
  limpet_cbor cursor_;
};

// Writes one item and counts for itself; every length is definite, equal calls give equal bytes.
//   Encoder out;
//   out.map([&] { out.put("percent", 42.5).put("path", path); });
class Encoder {
 public:
  Encoder& null() {
    return item([](auto* writer) { limpet_cbor_put_null(writer); });
  }

  template <typename T>
  Encoder& value(const T& value) {
    if constexpr (std::is_same_v<T, View>) {
      const limpet_bytes raw = value.raw();
      return raw.size == 0 ? null() : append(raw.data, raw.size);
    } else if constexpr (std::is_same_v<T, bool>) {
      return item([=](auto* writer) { limpet_cbor_put_bool(writer, value); });
    } else if constexpr (std::signed_integral<T>) {
      return item([=](auto* writer) { limpet_cbor_put_int(writer, value); });
    } else if constexpr (std::unsigned_integral<T>) {
      return item([=](auto* writer) { limpet_cbor_put_uint(writer, value); });
    } else if constexpr (std::floating_point<T>) {
      return item([=](auto* writer) { limpet_cbor_put_double(writer, value); });
    } else {
      return text(std::string_view(value));
    }
  }

  // An entry of the open map; with a body the value is what the body writes.
  Encoder& key(std::string_view name) { return text(name); }
  template <typename T>
  Encoder& put(std::string_view name, const T& entry) {
    return key(name).value(entry);
  }

  template <typename Body>
  Encoder& map(Body body) {
    return container(5, body);
  }
  template <typename Body>
  Encoder& array(Body body) {
    return container(4, body);
  }

  bool empty() const { return bytes_.empty(); }
  View view() const { return View(std::string_view(bytes_)); }
  limpet_bytes bytes() const { return as_bytes(bytes_); }

  // Moves the bytes out, to whoever calls release().
  limpet_buffer take() {
    if (bytes_.empty()) return {};
    auto* owned = new std::string(std::move(bytes_));
    bytes_.clear();
    const limpet_bytes bytes = as_bytes(*owned);
    const auto release = [](limpet_buffer* self) {
      delete static_cast<std::string*>(self->producer);
      self->release = nullptr;
    };
    return {bytes.data, bytes.size, 0, release, owned};
  }

 private:
  template <typename Put>
  Encoder& item(Put put) {
    uint8_t head[9];
    limpet_cbor_writer writer = limpet_cbor_writer_to(head, sizeof head);
    put(&writer);
    return append(head, writer.size);
  }

  Encoder& append(const uint8_t* data, std::size_t size) {
    bytes_.append(reinterpret_cast<const char*>(data), size);
    items_++;
    return *this;
  }

  Encoder& text(std::string_view value) {
    item([=](auto* writer) { limpet_cbor_put_head(writer, 3, value.size()); });
    bytes_.append(value);
    return *this;
  }

  // The head's size depends on the count, which is known only after the body: it is put in there.
  template <typename Body>
  Encoder& container(unsigned major, Body& body) {
    if (++depth_ > LIMPET_CBOR_DEPTH_MAX) throw std::length_error("CBOR is nested too deeply");
    const std::size_t begin = bytes_.size();
    const uint64_t outer = std::exchange(items_, 0);
    body();
    const uint64_t count = major == 5 ? items_ / 2 : items_;
    uint8_t head[9];
    limpet_cbor_writer writer = limpet_cbor_writer_to(head, sizeof head);
    limpet_cbor_put_head(&writer, major, count);
    bytes_.insert(begin, reinterpret_cast<const char*>(head), writer.size);
    items_ = outer + 1;
    depth_--;
    return *this;
  }

  std::string bytes_;
  uint64_t items_ = 0;  // in the innermost open container
  unsigned depth_ = 0;
};

}  // namespace limpet::sdk
