#pragma once

// BodyReader: takes the members of a JSON object from a request's body by name. Unknown members are
// refused: a misspelt option must not be dropped in silence. BodyItems: a body that is one object
// or an array of them.
// Owner: the handler. Thread: [main]. Fails by refusal(), one problem document with a sentence.
//
//   BodyReader body(request.body);
//   body.text("agent", {run.agent, limits::agent_name_bytes_max});
//   if (auto refusal = body.refusal()) return exchange.respond(*refusal);

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/response.hpp"
#include "base/bytes.hpp"
#include "codec/explained.hpp"

namespace limpet::api {

struct TextMember {
  std::string& to;
  size_t bytes_max;
};

struct NumberMember {
  int64_t& to;
  int64_t min;
  int64_t max;
};

// One object or an array of objects, parsed once.
class BodyItems {
 public:
  // Refusals: invalid (neither, or an empty array), too_large (more than `count_max`).
  [[nodiscard]] static codec::Explained<BodyItems> parse(std::string_view body, size_t count_max);

  [[nodiscard]] bool is_array() const { return is_array_; }
  [[nodiscard]] size_t size() const { return items_.size(); }
  [[nodiscard]] ByteSpan item(size_t index) const LIMPET_LIFETIMEBOUND { return items_[index]; }
  // "Item 3: ", for what is said about one of an array; else "".
  [[nodiscard]] std::string place(size_t index) const;

 private:
  ByteVector cbor_;  // `items_` point into it
  std::vector<ByteSpan> items_;
  bool is_array_ = false;
};

class BodyReader {
 public:
  // An empty body is an empty object. Parses at once.
  explicit BodyReader(std::string_view body);
  // One item of `items`, which outlive the reader.
  BodyReader(const BodyItems& items, size_t index);

  // Each leaves the target as it is when the member is absent or null.
  void text(std::string_view name, TextMember member);
  void number(std::string_view name, NumberMember member);
  void optional_number(std::string_view name, std::optional<int64_t>& to, int64_t max);  // from 0
  // A number of 64 bits, or the same as decimal text: JavaScript has no such numbers.
  void identifier(std::string_view name, uint64_t& to);
  void identifiers(std::string_view name, std::vector<uint64_t>& to, size_t count_max);
  void flag(std::string_view name, bool& to);
  void item(std::string_view name, ByteVector& to);  // any value, as CBOR
  void refuse(std::string sentence);                 // unless there is a refusal already

  // Asks last: it also refuses what nobody took.
  [[nodiscard]] std::optional<Response> refusal() const;

 private:
  struct Member {
    std::string_view name;
    ByteSpan value;
  };
  void read_object(ByteSpan object);
  [[nodiscard]] const Member* find(std::string_view name);

  ByteVector cbor_;    // `members_` points into it, or into the items
  std::string place_;  // what every refusal begins with
  std::vector<Member> members_;
  std::vector<std::string_view> known_;
  std::optional<Response> refusal_;
};

// The refusal of a codec as an answer: its sentence says where. [any]
[[nodiscard]] Response refused(const Error& error, std::string detail);

}  // namespace limpet::api
