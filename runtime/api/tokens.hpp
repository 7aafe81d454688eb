#pragma once

// TokenTable: who may use the API over TCP, as its token file says: each bearer token is a
// principal token:NAME.
// Owner: the server. Thread: [main]. Fails when it is read, with the line at fault.
// Limits: tokens_max; secrets of token_bytes_min to token_bytes_max. Only their SHA-256 is kept, so
// that no memory image and no core file holds a secret.
//
//   # comment
//   ops:mysecretof16bytesormore
//   scanner:sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//
// A name may stand there twice: while a secret is being replaced, both are good.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "codec/explained.hpp"
#include "codec/sha256.hpp"

namespace limpet::api {

inline constexpr size_t tokens_max = 64;
inline constexpr size_t token_name_bytes_max = 64;
inline constexpr size_t token_bytes_min = 16;
inline constexpr size_t token_bytes_max = 512;

class TokenTable {
 public:
  // `text` is the whole file. Refusals: invalid, with the number of the line. [any]
  [[nodiscard]] static codec::Explained<TokenTable> parse(std::string_view text);

  // The name that goes with `token`, or null. Takes as long for a wrong one as for a right one,
  // whatever they have in common. [any, no-alloc]
  [[nodiscard]] const std::string* find(std::string_view token) const LIMPET_LIFETIMEBOUND;
  [[nodiscard]] size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string name;
    codec::Sha256Digest digest;
  };
  std::vector<Entry> entries_;
};

// The token of an Authorization header, or "": another scheme, or no header. [any, no-alloc]
[[nodiscard]] std::string_view bearer_token(std::string_view authorization);

}  // namespace limpet::api
