#include "api/body.hpp"

#include <algorithm>

#include "codec/cbor.hpp"
#include "codec/json.hpp"

namespace limpet::api {

namespace {

std::string quoted(std::string_view name) { return "`" + std::string(name) + "`"; }

}  // namespace

Response refused(const Error& error, std::string detail) {
  return problem(Refusal{error, std::move(detail)});
}

BodyReader::BodyReader(std::string_view body) {
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) return;
  codec::Explained<ByteVector> parsed = codec::json_to_cbor(body);
  if (!parsed) {
    refusal_ = refused(parsed.error(), parsed.detail());
    return;
  }
  cbor_ = std::move(parsed).value();
  codec::CborReader reader(cbor_);
  if (reader.peek() != codec::CborKind::map) {
    refuse("The body is not a JSON object.");
    return;
  }
  const size_t count = reader.map();
  for (size_t index = 0; index < count && reader.ok(); ++index) {
    const std::string_view name = reader.text();
    const ByteSpan value = reader.item();
    const bool twice = std::any_of(members_.begin(), members_.end(),
                                   [name](const Member& member) { return member.name == name; });
    if (twice) refuse("Member " + quoted(name) + " is there twice.");
    members_.push_back({name, value});
  }
  if (!reader.ok()) refuse("The body is not a JSON object.");
}

void BodyReader::refuse(std::string sentence) {
  if (!refusal_) refusal_ = invalid(std::move(sentence));
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

void BodyReader::item(std::string_view name, ByteVector& to) {
  if (const Member* const found = find(name)) to.assign(found->value.begin(), found->value.end());
}

std::optional<Response> BodyReader::refusal() const {
  if (refusal_) return refusal_;
  for (const Member& member : members_) {
    if (std::find(known_.begin(), known_.end(), member.name) != known_.end()) continue;
    std::string sentence = "Member " + quoted(member.name) + " is not known here; these are:";
    for (const std::string_view name : known_) sentence.append(" ").append(name);
    return invalid(sentence.append("."));
  }
  return std::nullopt;
}

}  // namespace limpet::api
