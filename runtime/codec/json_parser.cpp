#include "codec/json_parser.hpp"

#include <nlohmann/json.hpp>

#include "codec/json.hpp"

namespace limpet::codec {

namespace {

constexpr size_t detail_bytes_max = 240;

// "[json.exception.parse_error.101] parse error at line 1, column 2: ..." without its tag, short,
// and printable whatever the input was.
std::string readable(std::string_view message) {
  const size_t tag_end = message.find("] ");
  if (message.starts_with('[') && tag_end != std::string_view::npos) {
    message.remove_prefix(tag_end + 2);
  }
  std::string detail("not JSON: ");
  for (const char character : message.substr(0, detail_bytes_max)) {
    const bool printable = character >= 0x20 && character < 0x7f;
    detail.push_back(printable ? character : '?');
  }
  return detail;
}

// The library's SAX interface over ours.
class Adapter {
 public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  explicit Adapter(JsonSink& sink) : sink_(sink) {}

  bool null() { return sink_.null(); }
  bool boolean(bool value) { return sink_.boolean(value); }
  bool number_integer(number_integer_t value) { return sink_.integer(value); }
  bool number_unsigned(number_unsigned_t value) { return sink_.uint(value); }
  bool number_float(number_float_t value, const string_t&) { return sink_.number(value); }
  bool string(string_t& text) { return sink_.text(text); }
  bool binary(binary_t&) { return false; }  // not in JSON
  bool start_object(size_t) { return sink_.begin_object(); }
  bool end_object() { return sink_.end_object(); }
  bool start_array(size_t) { return sink_.begin_array(); }
  bool end_array() { return sink_.end_array(); }
  bool key(string_t& name) { return sink_.key(name); }

  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception& exception) {
    problem_ = readable(exception.what());
    return false;
  }

  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  JsonSink& sink_;
  std::string problem_;
};

}  // namespace

Explained<JsonEnd> parse_json(std::string_view text, JsonSink& sink) {
  if (text.size() > json_bytes_max) {
    return Refusal{{ErrorCode::too_large, "json: the text is too large"},
                   "the JSON text is larger than 4 MiB"};
  }
  static_assert(json_bytes_max == 4 * 1024 * 1024, "the text above names it");
  Adapter adapter(sink);
  if (nlohmann::json::sax_parse(text.begin(), text.end(), &adapter)) return JsonEnd::whole;
  if (adapter.problem().empty()) return JsonEnd::stopped;
  return Refusal{{ErrorCode::invalid, "json: not well formed"}, adapter.problem()};
}

}  // namespace limpet::codec
