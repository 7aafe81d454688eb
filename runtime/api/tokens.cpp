#include "api/tokens.hpp"

#include <algorithm>
#include <optional>

namespace limpet::api {

namespace {

constexpr std::string_view digest_prefix = "sha256:";

codec::Refusal refuse(size_t line, std::string sentence) {
  return {Error{ErrorCode::invalid, "api: token file"},
          "Line " + std::to_string(line) + ": " + std::move(sentence)};
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  const size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

bool name_valid(std::string_view name) {
  const auto plain = [](char character) {
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') || character == '-' || character == '_' ||
           character == '.';
  };
  return !name.empty() && name.size() <= token_name_bytes_max &&
         std::all_of(name.begin(), name.end(), plain);
}

std::optional<uint8_t> hex_digit(char character) {
  if (character >= '0' && character <= '9') return static_cast<uint8_t>(character - '0');
  const char lower = static_cast<char>(character | 0x20);
  if (lower >= 'a' && lower <= 'f') return static_cast<uint8_t>(lower - 'a' + 10);
  return std::nullopt;
}

std::optional<codec::Sha256Digest> parse_digest(std::string_view hex) {
  codec::Sha256Digest digest{};
  if (hex.size() != 2 * digest.size()) return std::nullopt;
  for (size_t index = 0; index < digest.size(); ++index) {
    const std::optional<uint8_t> high = hex_digit(hex[2 * index]);
    const std::optional<uint8_t> low = hex_digit(hex[2 * index + 1]);
    if (!high || !low) return std::nullopt;
    digest[index] = static_cast<uint8_t>(*high << 4 | *low);
  }
  return digest;
}

// Looks at every byte whatever it finds, so that the time says nothing about where they differ.
bool equal_digests(const codec::Sha256Digest& a, const codec::Sha256Digest& b) {
  unsigned differences = 0;
  for (size_t index = 0; index < a.size(); ++index) {
    differences |= static_cast<unsigned>(a[index] ^ b[index]);
  }
  return differences == 0;
}

// The digest that stands behind the name: given as such, or of the secret that is given.
codec::Explained<codec::Sha256Digest> digest_of(std::string_view secret, size_t line) {
  if (secret.substr(0, digest_prefix.size()) == digest_prefix) {
    const auto digest = parse_digest(secret.substr(digest_prefix.size()));
    if (!digest) return refuse(line, "behind sha256: are 64 hexadecimal digits.");
    return *digest;
  }
  if (secret.size() < token_bytes_min || secret.size() > token_bytes_max) {
    return refuse(line, "a secret has " + std::to_string(token_bytes_min) + " to " +
                            std::to_string(token_bytes_max) + " bytes.");
  }
  if (secret.find_first_of(" \t") != std::string_view::npos) {
    return refuse(line, "a secret has no blanks in it.");
  }
  return codec::sha256(as_bytes(secret));
}

}  // namespace

codec::Explained<TokenTable> TokenTable::parse(std::string_view text) {
  TokenTable table;
  for (size_t line = 1; !text.empty(); ++line) {
    const size_t end = text.find('\n');
    const std::string_view entry = trimmed(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (entry.empty() || entry.front() == '#') continue;
    const size_t colon = entry.find(':');
    if (colon == std::string_view::npos) return refuse(line, "it is not of the form name:secret.");
    const std::string_view name = entry.substr(0, colon);
    if (!name_valid(name)) {
      return refuse(line, "a name has 1 to 64 letters, digits, dots, dashes and underlines.");
    }
    auto digest = digest_of(entry.substr(colon + 1), line);
    if (!digest) return digest.refusal();
    if (table.entries_.size() == tokens_max) return refuse(line, "there are more than 64 tokens.");
    table.entries_.push_back({std::string(name), *digest});
  }
  return table;
}

const std::string* TokenTable::find(std::string_view token) const {
  if (token.empty() || token.size() > token_bytes_max) return nullptr;
  const codec::Sha256Digest digest = codec::sha256(as_bytes(token));
  const Entry* found = nullptr;
  for (const Entry& entry : entries_) {
    if (equal_digests(entry.digest, digest)) found = &entry;
  }
  return found == nullptr ? nullptr : &found->name;
}

std::string_view bearer_token(std::string_view authorization) {
  constexpr std::string_view scheme = "bearer ";
  if (authorization.size() < scheme.size()) return {};
  for (size_t index = 0; index < scheme.size(); ++index) {
    const char character = authorization[index];
    const char lower =
        character >= 'A' && character <= 'Z' ? static_cast<char>(character | 0x20) : character;
    if (lower != scheme[index]) return {};
  }
  return trimmed(authorization.substr(scheme.size()));
}

}  // namespace limpet::api
