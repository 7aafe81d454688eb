#pragma once

// Schema: a JSON Schema, compiled; says whether a value keeps it, and if not, why.
// Owner: the caller; it owns its nodes and borrows nothing. Thread: compile [any]; afterwards it
// never changes and any thread may check with it.
// Fails with: invalid or unsupported at compile, with the keyword and its place; checking answers
// the first thing that is wrong, with the value's place as a JSON pointer.
//
// Schemas come from plugins and are hostile until compiled, so the subset is small and a keyword
// outside it is refused, never ignored: type, properties, required, additionalProperties, items,
// enum and const (of scalars), minimum, maximum, exclusiveMinimum, exclusiveMaximum, minLength,
// maxLength, minItems, maxItems; true and false as schemas. Annotations (title, description,
// default, examples, format, deprecated, readOnly, writeOnly, $schema, $id, $comment) are passed
// over. No `pattern` (no engine that is linear in time), no `$ref`.
// Rejected: valijson, which does all of this and adds 325 KB to a binary of 1.5 MB.
// Limits: below; checking takes time linear in the value times properties_max and no heap until
// something is wrong.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "codec/explained.hpp"

namespace limpet::codec {

class CborReader;

class Schema {
 public:
  static constexpr size_t bytes_max = 64 * 1024;  // of the schema as CBOR
  static constexpr size_t nodes_max = 512;        // schemas within the schema
  static constexpr size_t properties_max = 64;    // named or required in one object
  static constexpr size_t choices_max = 256;      // values of one enum

  // A schema that everything keeps.
  Schema();

  // Refusals: invalid, unsupported (a keyword we do not have), too_large.
  [[nodiscard]] static Explained<Schema> compile(ByteSpan cbor);
  [[nodiscard]] static Explained<Schema> compile_json(std::string_view json);

  // Does the item keep the schema? nullopt: it does. Else: "at /limit: is not an integer". [any]
  [[nodiscard]] std::optional<Refusal> check(ByteSpan item) const;

 private:
  friend class SchemaCompiler;
  using NodeIndex = uint32_t;
  using Scalar = std::variant<std::nullptr_t, bool, double, std::string>;

  static constexpr uint8_t any_type = 0xff;

  struct Property {
    std::string name;
    NodeIndex node = 0;
    bool required = false;
  };

  struct Node {
    uint8_t types = any_type;  // bits: see TypeBit in schema_types.hpp; 0: nothing keeps it
    std::vector<Property> properties;
    NodeIndex additional = 0;  // properties without a name of their own
    NodeIndex items = 0;
    bool has_choices = false;
    std::vector<Scalar> choices;
    double minimum = -std::numeric_limits<double>::infinity();
    double maximum = std::numeric_limits<double>::infinity();
    bool minimum_exclusive = false;
    bool maximum_exclusive = false;
    size_t length_min = 0;  // characters
    size_t length_max = std::numeric_limits<size_t>::max();
    size_t items_min = 0;
    size_t items_max = std::numeric_limits<size_t>::max();
  };

  // Each answers the problem with its place, or nothing.
  using Problem = std::optional<std::string>;
  [[nodiscard]] Problem check_item(NodeIndex index, CborReader& reader) const;
  [[nodiscard]] Problem check_map(const Node& node, CborReader& reader) const;
  [[nodiscard]] Problem check_array(const Node& node, CborReader& reader) const;

  std::vector<Node> nodes_;  // node 0 takes everything; the root is the last
};

}  // namespace limpet::codec
