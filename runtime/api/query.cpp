#include "api/query.hpp"

#include <algorithm>
#include <charconv>

#include "codec/rfc3339.hpp"

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

void QueryReader::factor(std::string_view name, std::optional<double>& to) {
  const std::string* const value = find(name);
  if (value == nullptr) return;
  double factor = 0;
  const char* const last = value->data() + value->size();
  const auto [end, error] = std::from_chars(value->data(), last, factor);
  // Written so that not-a-number fails too.
  if (error != std::errc{} || end != last || !(factor >= 0.01 && factor <= 100)) {
    return refuse("Parameter `" + std::string(name) + "` is not a number from 0.01 to 100.");
  }
  to = factor;
}

void QueryReader::time(std::string_view name, std::optional<WallTime>& to) {
  const std::string* const value = find(name);
  if (value == nullptr) return;
  to = codec::parse_rfc3339(*value);
  if (!to) {
    refuse("Parameter `" + std::string(name) + "` is not a time such as 2026-07-13T08:24:56Z.");
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
