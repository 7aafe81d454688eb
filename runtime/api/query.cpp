#include "api/query.hpp"

#include <algorithm>
#include <charconv>

namespace limpet::api {

std::optional<uint64_t> parse_number(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

const std::string* QueryReader::find(std::string_view name) {
  known_.push_back(name);
  for (const NameValue& item : request_.query) {
    if (item.name == name) return &item.value;
  }
  return nullptr;
}

void QueryReader::text(std::string_view name, std::string& to) {
  if (const std::string* const value = find(name)) to = *value;
}

void QueryReader::number(std::string_view name, std::optional<uint64_t>& to) {
  const std::string* const value = find(name);
  if (value == nullptr) return;
  to = parse_number(*value);
  if (!to) refuse("Parameter `" + std::string(name) + "` is not a whole number.");
}

void QueryReader::flag(std::string_view name, std::optional<bool>& to) {
  const std::string* const value = find(name);
  if (value == nullptr) return;
  if (value->empty() || *value == "true" || *value == "1") {
    to = true;
  } else if (*value == "false" || *value == "0") {
    to = false;
  } else {
    refuse("Parameter `" + std::string(name) + "` is neither `true` nor `false`.");
  }
}

void QueryReader::refuse(std::string sentence) {
  if (!sentence_) sentence_ = std::move(sentence);
}

std::optional<std::string> QueryReader::refusal() const {
  if (sentence_) return sentence_;
  for (const NameValue& item : request_.query) {
    if (std::find(known_.begin(), known_.end(), item.name) != known_.end()) continue;
    std::string sentence = "Parameter `" + item.name + "` is not known here; these are:";
    for (const std::string_view name : known_) sentence.append(" ").append(name);
    return sentence.append(".");
  }
  return std::nullopt;
}

}  // namespace limpet::api
