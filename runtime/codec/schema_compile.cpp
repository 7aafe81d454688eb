#include <algorithm>
#include <array>
#include <cmath>

#include "codec/cbor.hpp"
#include "codec/json.hpp"
#include "codec/schema.hpp"
#include "codec/schema_types.hpp"

namespace limpet::codec {

// Reads one schema after the other off the reader, inner ones first. The first refusal stays.
class SchemaCompiler {
 public:
  SchemaCompiler(Schema& schema, CborReader& reader) : schema_(schema), reader_(reader) {}

  // Takes one schema; answers its node. Recursion is as deep as the reader allows.
  Schema::NodeIndex compile();

  [[nodiscard]] const std::optional<Refusal>& refusal() const { return refusal_; }

 private:
  using Node = Schema::Node;
  using Handler = void (SchemaCompiler::*)(Node&);
  struct Keyword {
    std::string_view name;
    Handler handler;  // null: an annotation
  };
  static const std::array<Keyword, 27> keywords;

  void keyword(Node& node, std::string_view name);
  void type(Node& node);
  void type_name(Node& node, std::string_view name);
  void properties(Node& node);
  void required(Node& node);
  void additional(Node& node);
  void items(Node& node);
  void choices(Node& node);
  void choice(Node& node);
  void minimum(Node& node);
  void maximum(Node& node);
  void minimum_exclusive(Node& node);
  void maximum_exclusive(Node& node);
  void length_min(Node& node) { node.length_min = count(); }
  void length_max(Node& node) { node.length_max = count(); }
  void items_min(Node& node) { node.items_min = count(); }
  void items_max(Node& node) { node.items_max = count(); }

  Schema::NodeIndex add(Node node);
  Schema::Property* property(Node& node, std::string_view name);
  size_t count();
  double number();
  void refuse(ErrorCode code, std::string_view problem);
  [[nodiscard]] bool good() const { return !refusal_ && reader_.ok(); }

  Schema& schema_;
  CborReader& reader_;
  std::string_view keyword_ = "schema";  // at hand, for the sentence
  std::optional<Refusal> refusal_;
};

const std::array<SchemaCompiler::Keyword, 27> SchemaCompiler::keywords = {{
    {"type", &SchemaCompiler::type},
    {"properties", &SchemaCompiler::properties},
    {"required", &SchemaCompiler::required},
    {"additionalProperties", &SchemaCompiler::additional},
    {"items", &SchemaCompiler::items},
    {"enum", &SchemaCompiler::choices},
    {"const", &SchemaCompiler::choice},
    {"minimum", &SchemaCompiler::minimum},
    {"maximum", &SchemaCompiler::maximum},
    {"exclusiveMinimum", &SchemaCompiler::minimum_exclusive},
    {"exclusiveMaximum", &SchemaCompiler::maximum_exclusive},
    {"minLength", &SchemaCompiler::length_min},
    {"maxLength", &SchemaCompiler::length_max},
    {"minItems", &SchemaCompiler::items_min},
    {"maxItems", &SchemaCompiler::items_max},
    {"title", nullptr},
    {"description", nullptr},
    {"default", nullptr},
    {"examples", nullptr},
    {"format", nullptr},
    {"deprecated", nullptr},
    {"readOnly", nullptr},
    {"writeOnly", nullptr},
    {"$schema", nullptr},
    {"$id", nullptr},
    {"$comment", nullptr},
    {"contentEncoding", nullptr},
}};

void SchemaCompiler::refuse(ErrorCode code, std::string_view problem) {
  if (refusal_) return;
  std::string detail("`");
  detail.append(keyword_).append("` ").append(problem);
  refusal_ = Refusal{{code, "schema: not one that is supported"}, std::move(detail)};
}

Schema::NodeIndex SchemaCompiler::add(Node node) {
  if (schema_.nodes_.size() >= Schema::nodes_max) {
    refuse(ErrorCode::too_large, "is one of more than 512 schemas in one");
    return 0;
  }
  static_assert(Schema::nodes_max == 512, "the text above names it");
  schema_.nodes_.push_back(std::move(node));
  return static_cast<Schema::NodeIndex>(schema_.nodes_.size() - 1);
}

Schema::NodeIndex SchemaCompiler::compile() {
  Node node;
  if (reader_.peek() == CborKind::boolean) {
    if (!reader_.boolean()) node.types = 0;
    return add(std::move(node));
  }
  if (reader_.peek() != CborKind::map) {
    refuse(ErrorCode::invalid, "is neither an object nor true or false");
    return 0;
  }
  const size_t count_of_keywords = reader_.map();
  for (size_t index = 0; index < count_of_keywords && good(); ++index) {
    keyword(node, reader_.text());
  }
  return good() ? add(std::move(node)) : 0;
}

void SchemaCompiler::keyword(Node& node, std::string_view name) {
  const std::string_view outer = keyword_;
  keyword_ = name;
  const auto* known = std::find_if(keywords.begin(), keywords.end(),
                                   [name](const Keyword& entry) { return entry.name == name; });
  if (known == keywords.end()) {
    refuse(ErrorCode::unsupported, "is not a keyword that is supported");
  } else if (known->handler == nullptr) {
    reader_.skip();
  } else {
    (this->*known->handler)(node);
    if (!reader_.ok()) refuse(ErrorCode::invalid, "has a value of the wrong type");
  }
  keyword_ = outer;
}

void SchemaCompiler::type_name(Node& node, std::string_view name) {
  for (const TypeName& type : type_names) {
    if (type.name == name) {
      node.types = static_cast<uint8_t>(node.types | type.bit);
      return;
    }
  }
  refuse(ErrorCode::invalid, "names no type of JSON Schema");
}

void SchemaCompiler::type(Node& node) {
  node.types = 0;
  if (reader_.peek() == CborKind::text) return type_name(node, reader_.text());
  const size_t count_of_types = reader_.array();
  for (size_t index = 0; index < count_of_types && good(); ++index) {
    type_name(node, reader_.text());
  }
}

// The property of that name; a new one takes everything. Null: there are too many.
Schema::Property* SchemaCompiler::property(Node& node, std::string_view name) {
  for (Schema::Property& known : node.properties) {
    if (known.name == name) return &known;
  }
  if (node.properties.size() == Schema::properties_max) {
    refuse(ErrorCode::too_large, "names more than 64 properties");
    return nullptr;
  }
  static_assert(Schema::properties_max == 64, "the text above names it");
  node.properties.push_back({std::string(name), 0, false});
  return &node.properties.back();
}

void SchemaCompiler::properties(Node& node) {
  const size_t count_of_properties = reader_.map();
  for (size_t index = 0; index < count_of_properties && good(); ++index) {
    const std::string_view name = reader_.text();
    const Schema::NodeIndex inner = compile();
    if (!good()) return;
    if (Schema::Property* known = property(node, name)) known->node = inner;
  }
}

void SchemaCompiler::required(Node& node) {
  const size_t count_of_names = reader_.array();
  for (size_t index = 0; index < count_of_names && good(); ++index) {
    const std::string_view name = reader_.text();
    if (!good()) return;
    Schema::Property* known = property(node, name);
    if (known == nullptr) return;
    // Named only here: what it may be is for additionalProperties to say, once all is read.
    known->required = true;
  }
}

void SchemaCompiler::additional(Node& node) { node.additional = compile(); }
void SchemaCompiler::items(Node& node) { node.items = compile(); }

void SchemaCompiler::choices(Node& node) {
  const size_t count_of_choices = reader_.array();
  if (count_of_choices > Schema::choices_max) {
    refuse(ErrorCode::too_large, "has more than 256 values");
  }
  static_assert(Schema::choices_max == 256, "the text above names it");
  node.has_choices = true;
  for (size_t index = 0; index < count_of_choices && good(); ++index) choice(node);
}

void SchemaCompiler::choice(Node& node) {
  node.has_choices = true;
  switch (reader_.peek().value_or(CborKind::map)) {
    case CborKind::text: node.choices.emplace_back(std::string(reader_.text())); return;
    case CborKind::boolean: node.choices.emplace_back(reader_.boolean()); return;
    case CborKind::null:
      reader_.null();
      node.choices.emplace_back(nullptr);
      return;
    case CborKind::uint:
    case CborKind::negative:
    case CborKind::number: node.choices.emplace_back(reader_.number()); return;
    case CborKind::bytes:
    case CborKind::array:
    case CborKind::map:
      return refuse(ErrorCode::unsupported,
                    "has a value that is not text, number, boolean or null");
  }
}

double SchemaCompiler::number() {
  const double value = reader_.number();
  if (!std::isfinite(value)) refuse(ErrorCode::invalid, "is not a number");
  return value;
}

// A second bound of the same side is the stricter of the two.
void SchemaCompiler::minimum(Node& node) {
  const double value = number();
  if (value <= node.minimum) return;
  node.minimum = value;
  node.minimum_exclusive = false;
}
void SchemaCompiler::maximum(Node& node) {
  const double value = number();
  if (value >= node.maximum) return;
  node.maximum = value;
  node.maximum_exclusive = false;
}
void SchemaCompiler::minimum_exclusive(Node& node) {
  const double value = number();
  if (value < node.minimum) return;
  node.minimum = value;
  node.minimum_exclusive = true;
}
void SchemaCompiler::maximum_exclusive(Node& node) {
  const double value = number();
  if (value > node.maximum) return;
  node.maximum = value;
  node.maximum_exclusive = true;
}

size_t SchemaCompiler::count() {
  const uint64_t value = reader_.uint();
  if (value > std::numeric_limits<uint32_t>::max()) refuse(ErrorCode::too_large, "is too large");
  return static_cast<size_t>(value);
}

Schema::Schema() : nodes_(1) {}

Explained<Schema> Schema::compile(ByteSpan cbor) {
  if (cbor.size() > bytes_max) {
    return Refusal{{ErrorCode::too_large, "schema: too large"}, "the schema is larger than 64 KiB"};
  }
  static_assert(bytes_max == 64 * 1024, "the text above names it");
  if (const Result<void> valid = validate(cbor); !valid) {
    return Refusal{valid.error(), "the schema is not valid CBOR"};
  }
  Schema schema;
  CborReader reader(cbor);
  SchemaCompiler compiler(schema, reader);
  compiler.compile();
  if (compiler.refusal()) return *compiler.refusal();
  if (!reader.finish()) {
    return Refusal{{ErrorCode::invalid, "schema: not well formed"},
                   "the schema has keys that are not text"};
  }
  return schema;
}

Explained<Schema> Schema::compile_json(std::string_view json) {
  const Explained<ByteVector> cbor = json_to_cbor(json);
  if (!cbor) return cbor.refusal();
  return compile(*cbor);
}

}  // namespace limpet::codec
