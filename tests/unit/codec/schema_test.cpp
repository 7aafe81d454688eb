#include "codec/schema.hpp"

#include <doctest/doctest.h>

#include <string>

#include "codec/cbor_value.hpp"
#include "codec/json.hpp"

using namespace limpet;
using namespace limpet::codec;

namespace {

// "" if the value keeps the schema, else the sentence.
std::string problem_of(std::string_view schema, std::string_view value) {
  const Explained<Schema> compiled = Schema::compile_json(schema);
  REQUIRE_MESSAGE(compiled.ok(), compiled.detail());
  const std::optional<Refusal> refusal = compiled->check(*json_to_cbor(value));
  return refusal ? refusal->detail : "";
}

std::string refusal_of(std::string_view schema) {
  const Explained<Schema> compiled = Schema::compile_json(schema);
  return compiled.ok() ? "" : compiled.detail();
}

constexpr std::string_view notify = R"({
  "title": "Write a notice", "type": "object",
  "properties": {
    "text": {"type": "string", "minLength": 1, "maxLength": 5, "description": "what to say"},
    "level": {"enum": ["info", "warning", 3, true, null]},
    "times": {"type": "integer", "minimum": 1, "exclusiveMaximum": 10},
    "to": {"type": "array", "items": {"type": ["string", "null"]}, "minItems": 1, "maxItems": 2}
  },
  "required": ["text"], "additionalProperties": false
})";

}  // namespace

TEST_CASE("schema: values that keep it pass") {
  CHECK(problem_of(notify, R"({"text":"hello"})") == "");
  CHECK(problem_of(notify, R"({"text":"x","level":"info","times":9,"to":["a",null]})") == "");
  CHECK(problem_of(notify, R"({"text":"x","level":3,"times":1.0})") == "");
  CHECK(problem_of(notify, R"({"text":"x","level":3.0})") == "");
  CHECK(problem_of(notify, R"({"text":"x","level":null})") == "");
}

TEST_CASE("schema: the first thing that is wrong is named with its place") {
  CHECK(problem_of(notify, "7") == "the value is not an object");
  CHECK(problem_of(notify, "{}") == "at /text: is missing");
  CHECK(problem_of(notify, R"({"text":7})") == "at /text: is not a string");
  CHECK(problem_of(notify, R"({"text":""})") == "at /text: is shorter than allowed");
  CHECK(problem_of(notify, R"({"text":"123456"})") == "at /text: is longer than allowed");
  CHECK(problem_of(notify, R"({"text":"x","more":1})") == "at /more: is not allowed");
  CHECK(problem_of(notify, R"({"text":"x","level":"loud"})") ==
        "at /level: is not one of the values allowed");
  CHECK(problem_of(notify, R"({"text":"x","level":false})") ==
        "at /level: is not one of the values allowed");
  CHECK(problem_of(notify, R"({"text":"x","level":[]})") ==
        "at /level: is not one of the values allowed");
  CHECK(problem_of(notify, R"({"text":"x","times":1.5})") == "at /times: is not an integer");
  CHECK(problem_of(notify, R"({"text":"x","times":0})") == "at /times: is less than allowed: 1");
  CHECK(problem_of(notify, R"({"text":"x","times":10})") == "at /times: is more than allowed: 10");
  CHECK(problem_of(notify, R"({"text":"x","to":[]})") == "at /to: has fewer items than allowed");
  CHECK(problem_of(notify, R"({"text":"x","to":["a","b","c"]})") ==
        "at /to: has more items than allowed");
  CHECK(problem_of(notify, R"({"text":"x","to":["a",7]})") == "at /to/1: is not null or a string");
  CHECK(problem_of(notify, R"({"text":"x","text":"y"})") == "at /text: is given twice");
}

TEST_CASE("schema: lengths are counted in characters, not bytes") {
  CHECK(problem_of(R"({"maxLength":3})", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x9a\"") == "");
  CHECK(problem_of(R"({"maxLength":2})", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x9a\"") != "");
}

TEST_CASE("schema: keywords apply to their own type only") {
  CHECK(problem_of(R"({"minimum":5,"minLength":5,"minItems":5,"required":["a"]})", "true") == "");
}

TEST_CASE("schema: true takes everything, false nothing; an empty schema is true") {
  for (const char* value : {"null", "1", "\"x\"", "[]", "{}"}) {
    CHECK(problem_of("true", value) == "");
    CHECK(problem_of("{}", value) == "");
    CHECK(problem_of("false", value) == "the value is not allowed");
  }
  CHECK_FALSE(Schema().check(*json_to_cbor("{}")).has_value());
}

TEST_CASE("schema: additionalProperties may be a schema, also for names only required") {
  constexpr std::string_view schema =
      R"({"additionalProperties":{"type":"number"},"required":["a"],"properties":{"b":{}}})";
  CHECK(problem_of(schema, R"({"a":1,"b":"x","c":2})") == "");
  CHECK(problem_of(schema, R"({"a":"x"})") == "at /a: is not a number");
  CHECK(problem_of(schema, R"({"a":1,"c":"x"})") == "at /c: is not a number");
}

TEST_CASE("schema: inner schemas are checked at every depth") {
  constexpr std::string_view schema = R"({"items":{"properties":{"a":{"items":{"const":1}}}}})";
  CHECK(problem_of(schema, R"([{"a":[1,1]},{}])") == "");
  CHECK(problem_of(schema, R"([{"a":[1,1]},{"a":[1,2]}])") ==
        "at /1/a/1: is not one of the values allowed");
}

TEST_CASE("schema: what CBOR has and JSON has not keeps only schemas without a type") {
  const ByteVector bytes = cbor_item(ByteVector{1, 2});
  CHECK_FALSE(Schema().check(bytes).has_value());
  CHECK(Schema::compile_json(R"({"type":"string"})")->check(bytes).has_value());
  CHECK(Schema::compile_json(R"({"type":"object"})")->check(ByteVector{0xa1, 0x01, 0x02})->detail ==
        "the value has a key that is not text");
  CHECK(Schema().check(ByteVector{0x9f, 0xff})->detail == "the value is not valid CBOR");
}

TEST_CASE("schema: keywords outside the subset are refused by name") {
  CHECK(refusal_of(R"({"properties":{"a":{"pattern":"(a+)+$"}}})") ==
        "`pattern` is not a keyword that is supported");
  CHECK(refusal_of(R"({"$ref":"https://example.org/s"})") ==
        "`$ref` is not a keyword that is supported");
  for (const char* word : {"anyOf", "oneOf", "allOf", "not", "if", "patternProperties",
                           "uniqueItems", "multipleOf", "dependencies", "$defs", "typ"}) {
    const std::string schema = "{\"" + std::string(word) + "\":1}";
    CHECK(Schema::compile_json(schema).error().code == ErrorCode::unsupported);
  }
}

TEST_CASE("schema: a malformed keyword is refused with what is wrong") {
  CHECK(refusal_of("7") == "`schema` is neither an object nor true or false");
  CHECK(refusal_of(R"({"type":"text"})") == "`type` names no type of JSON Schema");
  CHECK(refusal_of(R"({"type":7})") == "`type` has a value of the wrong type");
  CHECK(refusal_of(R"({"properties":[]})") == "`properties` has a value of the wrong type");
  CHECK(refusal_of(R"({"required":[1]})") == "`required` has a value of the wrong type");
  CHECK(refusal_of(R"({"minLength":-1})") == "`minLength` has a value of the wrong type");
  CHECK(refusal_of(R"({"minimum":"1"})") == "`minimum` has a value of the wrong type");
  CHECK(refusal_of(R"({"maxItems":4294967296})") == "`maxItems` is too large");
  CHECK(refusal_of(R"({"enum":[{}]})") ==
        "`enum` has a value that is not text, number, boolean or null");
  CHECK(refusal_of(R"({"items":7})") == "`items` is neither an object nor true or false");
  CHECK(refusal_of("{").starts_with("not JSON"));
  CHECK_FALSE(Schema::compile(ByteVector{0xa1, 0x01, 0x02}).ok());
}

TEST_CASE("schema: its size is bounded in every direction") {
  std::string deep = "true";
  for (int level = 0; level < 40; ++level) deep = "{\"items\":" + deep + "}";
  CHECK(refusal_of(deep).find("nested") != std::string::npos);

  std::string wide = "{\"properties\":{\"p\":true";
  for (int index = 0; index < 64; ++index) wide += ",\"p" + std::to_string(index) + "\":true";
  CHECK(refusal_of(wide + "}}") == "`properties` names more than 64 properties");

  std::string inner = "{\"properties\":{\"p\":true";
  for (int index = 0; index < 60; ++index) inner += ",\"p" + std::to_string(index) + "\":true";
  inner += "}}";
  std::string many = "{\"properties\":{\"p\":true";
  for (int index = 0; index < 20; ++index) many += ",\"q" + std::to_string(index) + "\":" + inner;
  CHECK(refusal_of(many + "}}").ends_with("is one of more than 512 schemas in one"));

  const std::string large = "{\"title\":\"" + std::string(Schema::bytes_max, 'x') + "\"}";
  CHECK(refusal_of(large) == "the schema is larger than 64 KiB");
}
