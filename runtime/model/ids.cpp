#include "model/ids.hpp"

#include <charconv>

namespace limpet {

namespace {

// Without i, l, o and u: nobody misreads an id on a screen in a plant.
constexpr std::string_view alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr size_t epoch_characters = 8;

}  // namespace

std::string to_string(Epoch epoch) {
  std::string text(epoch_characters, '0');
  uint64_t rest = epoch.value();
  for (size_t index = epoch_characters; index-- > 0; rest >>= 5) {
    text[index] = alphabet[rest & 31];
  }
  return text;
}

std::optional<Epoch> parse_epoch(std::string_view text) {
  if (text.size() != epoch_characters) return std::nullopt;
  uint64_t value = 0;
  for (const char character : text) {
    const size_t digit = alphabet.find(character);
    if (digit == std::string_view::npos) return std::nullopt;
    value = (value << 5) | digit;
  }
  return Epoch(value);
}

std::string qualified_id(Epoch epoch, uint64_t number) {
  return to_string(epoch).append("-").append(std::to_string(number));
}

std::optional<QualifiedId> parse_qualified_id(std::string_view text) {
  if (text.size() < epoch_characters + 2 || text[epoch_characters] != '-') return std::nullopt;
  const std::optional<Epoch> epoch = parse_epoch(text.substr(0, epoch_characters));
  if (!epoch) return std::nullopt;
  const std::string_view digits = text.substr(epoch_characters + 1);
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return QualifiedId{*epoch, number};
}

std::string call_key(Epoch epoch, RunId run, std::string_view step, Ordinal ordinal) {
  return qualified_id(epoch, run.value())
      .append("/")
      .append(step)
      .append("/")
      .append(std::to_string(ordinal.value()));
}

}  // namespace limpet
