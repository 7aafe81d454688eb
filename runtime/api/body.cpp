#include "api/body.hpp"

#include <algorithm>

#include "api/query.hpp"
#include "codec/cbor.hpp"
#include "codec/json.hpp"

namespace limpet::api {

namespace {

std::string quoted(std::string_view name) { return "`" + std::string(name) + "`"; }

std::optional<uint64_t> read_identifier(codec::CborReader& reader) {
  if (reader.peek() == codec::CborKind::text) {
    return parse_number(reader.text());
  }
  const uint64_t number = reader.uint();
  return reader.ok() ? std::optional(number) : std::nullopt;
}

}  // namespace

Response refused(const Error& error, std::string detail) {
  return problem(Refusal{error, std::move(detail)});
}

codec::Explained<BodyItems> BodyItems::parse(std::string_view body, size_t count_max) {
  codec::Explained<ByteVector> parsed = codec::json_to_cbor(body);
  if (!parsed) return parsed.refusal();
  BodyItems items;
  items.cbor_ = std::move(parsed).value();
  codec::CborReader reader(items.cbor_);
  items.is_array_ = reader.peek() == codec::CborKind::array;
  const size_t count = items.is_array_ ? reader.array() : 1;
  if (count == 0) {
    return codec::Refusal{{ErrorCode::invalid, "api: body"}, "The array is empty."};
  }
  if (count > count_max) {
    return codec::Refusal{{ErrorCode::too_large, "api: body"},
                          "The array has more than " + std::to_string(count_max) + " items."};
  }
  for (size_t index = 0; index < count; ++index) items.items_.push_back(reader.item());
  return items;
}

std::string BodyItems::place(size_t index) const {
  return is_array_ ? "Item " + std::to_string(index + 1) + ": " : "";
}

BodyReader::BodyReader(std::string_view body) {
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) return;
  codec::Explained<ByteVector> parsed = codec::json_to_cbor(body);
  if (!parsed) {
    refusal_ = refused(parsed.error(), parsed.detail());
    return;
  }
  cbor_ = std::move(parsed).value();
  read_object(cbor_);
}

BodyReader::BodyReader(const BodyItems& items, size_t index) : place_(items.place(index)) {
  read_object(items.item(index));
}

void BodyReader::read_object(ByteSpan object) {
  const std::string_view what =
      place_.empty() ? "The body is not a JSON object." : "not an object.";
  codec::CborReader reader(object);
  if (reader.peek() != codec::CborKind::map) return refuse(std::string(what));
  const size_t count = reader.map();
  for (size_t index = 0; index < count && reader.ok(); ++index) {
    const std::string_view name = reader.text();
    const ByteSpan value = reader.item();
    const bool twice = std::any_of(members_.begin(), members_.end(),
                                   [name](const Member& member) { return member.name == name; });
    if (twice) refuse("Member " + quoted(name) + " is there twice.");
    members_.push_back({name, value});
  }
  if (!reader.ok()) refuse(std::string(what));
}

void BodyReader::refuse(std::string sentence) {
  if (!refusal_) refusal_ = invalid(place_ + sentence);
}

const BodyReader::Member* BodyReader::find(std::string_view name) {
  known_.push_back(name);
  const auto found = std::find_if(members_.begin(), members_.end(),
                                  [name](const Member& member) { return member.name == name; });
  if (found == members_.end()) return nullptr;
  const bool null = codec::CborReader(found->value).peek() == codec::CborKind::null;
  return null ? nullptr : &*found;
}

void BodyReader::text(std::string_view name, TextMember member) {
  const Member* const found = find(name);
  if (found == nullptr) return;
  codec::CborReader reader(found->value);
  const std::string_view text = reader.text();
  if (!reader.ok()) return refuse("Member " + quoted(name) + " is not a string.");
  if (text.size() > member.bytes_max) {
    return refuse("Member " + quoted(name) + " has more than " + std::to_string(member.bytes_max) +
                  " bytes.");
  }
  member.to = text;
}

void BodyReader::number(std::string_view name, NumberMember member) {
  const Member* const found = find(name);
  if (found == nullptr) return;
  codec::CborReader reader(found->value);
  const int64_t number = reader.integer();
  if (!reader.ok() || number < member.min || number > member.max) {
    return refuse("Member " + quoted(name) + " is not a whole number from " +
                  std::to_string(member.min) + " to " + std::to_string(member.max) + ".");
  }
  member.to = number;
}

void BodyReader::optional_number(std::string_view name, std::optional<int64_t>& to, int64_t max) {
  int64_t value = -1;
  number(name, {value, 0, max});
  if (value >= 0) to = value;
}

void BodyReader::identifier(std::string_view name, uint64_t& to) {
  const Member* const found = find(name);
  if (found == nullptr) return;
  codec::CborReader reader(found->value);
  const std::optional<uint64_t> number = read_identifier(reader);
  if (!number) {
    return refuse("Member " + quoted(name) + " is not a whole number, as such or as text.");
  }
  to = *number;
}

void BodyReader::identifiers(std::string_view name, std::vector<uint64_t>& to, size_t count_max) {
  const Member* const found = find(name);
  if (found == nullptr) return;
  codec::CborReader reader(found->value);
  if (reader.peek() != codec::CborKind::array) {
    return refuse("Member " + quoted(name) + " is not an array.");
  }
  const size_t count = reader.array();
  if (count > count_max) {
    return refuse("Member " + quoted(name) + " has more than " + std::to_string(count_max) +
                  " items.");
  }
  for (size_t index = 0; index < count; ++index) {
    const std::optional<uint64_t> number = read_identifier(reader);
    if (!number) {
      return refuse("Member " + quoted(name) + " holds what is not a whole number.");
    }
    to.push_back(*number);
  }
}

void BodyReader::flag(std::string_view name, bool& to) {
  const Member* const found = find(name);
  if (found == nullptr) return;
  codec::CborReader reader(found->value);
  const bool value = reader.boolean();
  if (!reader.ok()) return refuse("Member " + quoted(name) + " is neither true nor false.");
  to = value;
}

void BodyReader::item(std::string_view name, ByteVector& to) {
  if (const Member* const found = find(name)) to.assign(found->value.begin(), found->value.end());
}

std::optional<Response> BodyReader::refusal() const {
  if (refusal_) return refusal_;
  for (const Member& member : members_) {
    if (std::find(known_.begin(), known_.end(), member.name) != known_.end()) continue;
    std::string sentence =
        place_ + "Member " + quoted(member.name) + " is not known here; these are:";
    for (const std::string_view name : known_) sentence.append(" ").append(name);
    return invalid(sentence.append("."));
  }
  return std::nullopt;
}

}  // namespace limpet::api
