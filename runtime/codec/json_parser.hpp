#pragma once

// The JSON parser behind a small interface, so that one .cpp alone knows the library. Private to
// this folder. [any]

#include <optional>
#include <string_view>

#include "codec/explained.hpp"

namespace limpet::codec {

// Is told what the parser meets, in order. Answering false ends the parse: the sink knows why.
class JsonSink {
 public:
  virtual ~JsonSink() = default;
  virtual bool null() = 0;
  virtual bool boolean(bool value) = 0;
  virtual bool integer(int64_t value) = 0;  // negative ones
  virtual bool uint(uint64_t value) = 0;
  virtual bool number(double value) = 0;
  virtual bool text(std::string_view text) = 0;  // UTF-8
  virtual bool key(std::string_view name) = 0;   // UTF-8
  virtual bool begin_object() = 0;
  virtual bool end_object() = 0;
  virtual bool begin_array() = 0;
  virtual bool end_array() = 0;
};

enum class JsonEnd : uint8_t { whole, stopped };  // stopped: by the sink

// Parses the one value that `text` is. Refusals: invalid with line and column, too_large.
[[nodiscard]] Explained<JsonEnd> parse_json(std::string_view text, JsonSink& sink);

}  // namespace limpet::codec
