#include <filesystem>

#include "config/loader.hpp"
#include "config/substitute.hpp"
#include "config/units.hpp"

namespace limpet::config {

namespace {

std::string_view wanted(KeyType type) {
  switch (type) {
    case KeyType::text:
    case KeyType::choice: return "text";
    case KeyType::path: return "a path as text";
    case KeyType::list:
    case KeyType::path_list: return "a list of texts";
    case KeyType::count: return "a whole number";
    case KeyType::size: return "a size like \"64MiB\"";
    case KeyType::duration: return "a duration like \"30s\"";
    case KeyType::rate: return "a rate like \"10/s\", or \"off\"";
    case KeyType::table: return "a table";
  }
  return "";
}

// A 32-bit board cannot map or hold more, whatever the key's range says.
constexpr uint64_t size_max_here = sizeof(void*) == 4 ? uint64_t{1} << 30 : UINT64_MAX;

std::string outside(const std::string& shown, const KeyInfo& info) {
  return shown + " is outside " + range_of(info);
}

}  // namespace

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

void Loader::wants(const KeyInfo& info, const Value& value, const std::string& name) {
  std::string message("wants ");
  message.append(wanted(info.type)).append(", not ");
  if (const auto* text = value.as<std::string>()) {
    message.append("'").append(*text).append("'");
  } else {
    message.append(kind_name(value));
  }
  problem(value.place, name, std::move(message));
}

bool Loader::read_text(const KeyInfo& info, const Value& value, const std::string& name,
                       std::string& out) {
  const auto* text = value.as<std::string>();
  if (text == nullptr) return wants(info, value, name), false;
  const Substituted result = substitute(*text, environment_);
  if (const auto* wrong = std::get_if<SubstituteProblem>(&result)) {
    return problem(value.place, name, wrong->message), false;
  }
  std::string whole = std::get<std::string>(result);
  const bool is_path = info.type == KeyType::path || info.type == KeyType::path_list;
  if (is_path) whole = resolve_path(whole, folder_of(value.place.file));
  if (info.max > 0 && whole.size() > info.max) {
    problem(value.place, name, "is longer than " + std::to_string(info.max) + " bytes");
    return false;
  }
  if (whole.find('\0') != std::string::npos) {
    return problem(value.place, name, "has a zero byte in it"), false;
  }
  out = std::move(whole);
  return true;
}

bool Loader::read_list_of_text(const KeyInfo& info, const Value& value, const std::string& name,
                               std::vector<std::string>& out) {
  const auto* list = value.as<Value::List>();
  if (list == nullptr) return wants(info, value, name), false;
  if (list->size() > list_entries_max) {
    return problem(value.place, name, "has more than 64 entries"), false;
  }
  static_assert(list_entries_max == 64, "the text above names it");
  std::vector<std::string> entries(list->size());
  bool good = true;
  for (size_t index = 0; index < list->size(); ++index) {
    good = read_text(info, (*list)[index], name, entries[index]) && good;
  }
  if (good) out = std::move(entries);
  return good;
}

// Counts, and sizes as text or plain bytes.
bool Loader::read_count(const KeyInfo& info, const Value& value, const std::string& name,
                        uint64_t& out) {
  std::optional<uint64_t> number;
  std::string shown;
  if (const auto* integer = value.as<int64_t>()) {
    shown = std::to_string(*integer);
    if (*integer < 0) return problem(value.place, name, outside(shown, info)), false;
    number = static_cast<uint64_t>(*integer);
  } else if (value.as<std::string>() != nullptr && info.type == KeyType::size) {
    if (!read_text(KeyInfo{}, value, name, shown)) return false;
    number = parse_size(shown);
  }
  if (!number) return wants(info, value, name), false;
  if (*number < info.min || *number > info.max) {
    return problem(value.place, name, outside(shown, info)), false;
  }
  if (info.type == KeyType::size && *number > size_max_here) {
    return problem(value.place, name, shown + " is more than a 32-bit board takes: 1GiB"), false;
  }
  out = *number;
  return true;
}

bool Loader::read_duration(const KeyInfo& info, const Value& value, const std::string& name,
                           Duration& out) {
  std::string shown;
  if (value.as<std::string>() == nullptr) return wants(info, value, name), false;
  if (!read_text(KeyInfo{}, value, name, shown)) return false;
  const bool off = !info.choices.empty() && shown == info.choices;
  const std::optional<Duration> duration = off ? Duration() : parse_duration(shown);
  if (!duration) return wants(info, value, name), false;
  const auto ms = static_cast<uint64_t>(to_ms(*duration));
  if (ms < info.min || ms > info.max) {
    return problem(value.place, name, outside(shown, info)), false;
  }
  out = *duration;
  return true;
}

bool Loader::read_rate(const KeyInfo& info, const Value& value, const std::string& name,
                       RateSettings& out) {
  std::string shown;
  if (value.as<std::string>() == nullptr) return wants(info, value, name), false;
  if (!read_text(KeyInfo{}, value, name, shown)) return false;
  const std::optional<Rate> rate = parse_rate(shown);
  if (!rate) return wants(info, value, name), false;
  if (rate->count > info.max) return problem(value.place, name, outside(shown, info)), false;
  out = {rate->count, rate->per};
  return true;
}

bool Loader::read_table(const KeyInfo& info, Value value, const std::string& name,
                        ByteVector& out) {
  if (value.as<Value::Table>() == nullptr) return wants(info, value, name), false;
  if (!put_in(value, name)) return false;
  ByteVector cbor = to_cbor(value);
  if (cbor.size() > info.max) {
    return problem(value.place, name, "is larger than " + range_of(info).substr(8)), false;
  }
  out = std::move(cbor);
  return true;
}

// Puts variables and secrets into every text below. Recursion is as deep as parse_toml allows.
bool Loader::put_in(Value& value, const std::string& name) {
  bool good = true;
  if (auto* list = value.as<Value::List>()) {
    for (Value& item : *list) good = put_in(item, name) && good;
  } else if (auto* table = value.as<Value::Table>()) {
    for (Member& member : *table) good = put_in(member.value, name + "." + member.name) && good;
  } else if (auto* text = value.as<std::string>()) {
    Substituted result = substitute(*text, environment_);
    if (auto* whole = std::get_if<std::string>(&result)) {
      result = read_secret(*whole, folder_of(value.place.file), environment_);
    }
    if (const auto* wrong = std::get_if<SubstituteProblem>(&result)) {
      return problem(value.place, name, wrong->message), false;
    }
    *text = std::get<std::string>(result);
  }
  return good;
}

}  // namespace limpet::config
