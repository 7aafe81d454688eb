#pragma once

// JsonBuilder: puts what the JSON parser meets into a CborBuilder. Private to this folder. [any]

#include "codec/cbor_builder.hpp"
#include "codec/json_parser.hpp"

namespace limpet::codec {

class JsonBuilder final : public JsonSink {
 public:
  // Borrows the builder.
  explicit JsonBuilder(CborBuilder& builder) : builder_(builder) {}

  bool null() override { return builder_.null(), builder_.ok(); }
  bool boolean(bool value) override { return builder_.boolean(value), builder_.ok(); }
  bool integer(int64_t value) override { return builder_.integer(value), builder_.ok(); }
  bool uint(uint64_t value) override { return builder_.uint(value), builder_.ok(); }
  bool number(double value) override { return builder_.number(value), builder_.ok(); }
  bool text(std::string_view text) override { return builder_.text(text), builder_.ok(); }
  bool key(std::string_view name) override { return builder_.text(name), builder_.ok(); }
  bool begin_object() override { return builder_.begin_map(), builder_.ok(); }
  bool end_object() override { return builder_.end(), builder_.ok(); }
  bool begin_array() override { return builder_.begin_array(), builder_.ok(); }
  bool end_array() override { return builder_.end(), builder_.ok(); }

 private:
  CborBuilder& builder_;
};

}  // namespace limpet::codec
