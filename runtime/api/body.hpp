#pragma once

// BodyReader: takes the members of a JSON object from a request's body by name. Unknown members are
// refused: a misspelt option must not be dropped in silence.
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

class BodyReader {
 public:
  // An empty body is an empty object. Parses at once.
  explicit BodyReader(std::string_view body);

  // Each leaves the target as it is when the member is absent or null.
  void text(std::string_view name, TextMember member);
  void number(std::string_view name, NumberMember member);
  void item(std::string_view name, ByteVector& to);  // any value, as CBOR
  void refuse(std::string sentence);                 // unless there is a refusal already

  // Asks last: it also refuses what nobody took.
  [[nodiscard]] std::optional<Response> refusal() const;

 private:
  struct Member {
    std::string_view name;
    ByteSpan value;
  };
  [[nodiscard]] const Member* find(std::string_view name);

  ByteVector cbor_;  // `members_` points into it
  std::vector<Member> members_;
  std::vector<std::string_view> known_;
  std::optional<Response> refusal_;
};

// The refusal of a codec as an answer: its sentence says where. [any]
[[nodiscard]] Response refused(const Error& error, std::string detail);

}  // namespace limpet::api
