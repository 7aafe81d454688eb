#include "host/manifest_reader.hpp"

#include "codec/cbor.hpp"
#include "codec/json.hpp"

namespace limpet::host {

namespace {

bool is_kind(ByteSpan item, codec::CborKind kind) { return codec::CborReader(item).peek() == kind; }

}  // namespace

ManifestReader ManifestReader::member(std::string_view name) const {
  std::string path = path_.empty() ? std::string(name) : path_ + "." + std::string(name);
  if (is_kind(item_, codec::CborKind::map)) {
    codec::CborReader reader(item_);
    for (size_t left = reader.map(); left > 0 && reader.ok(); --left) {
      const bool wanted = reader.text() == name;
      const ByteSpan value = reader.item();
      if (wanted) return ManifestReader(value, std::move(path), *problem_);
    }
  }
  return ManifestReader(ByteSpan{}, std::move(path), *problem_);
}

std::string ManifestReader::text(size_t bytes_max) const {
  if (!present()) return {};
  if (!is_kind(item_, codec::CborKind::text)) {
    complain("must be a text");
    return {};
  }
  const std::string_view text = codec::CborReader(item_).text();
  if (text.size() > bytes_max) complain("is longer than " + std::to_string(bytes_max) + " bytes");
  if (text.find('\0') != std::string_view::npos) complain("has a NUL in it");
  return std::string(text.substr(0, bytes_max));
}

bool ManifestReader::boolean(bool otherwise) const {
  if (!present()) return otherwise;
  if (is_kind(item_, codec::CborKind::boolean)) return codec::CborReader(item_).boolean();
  complain("must be true or false");
  return otherwise;
}

uint64_t ManifestReader::number(uint64_t otherwise, NumberRange range) const {
  if (!present()) return otherwise;
  if (is_kind(item_, codec::CborKind::uint)) {
    const uint64_t value = codec::CborReader(item_).uint();
    if (value >= range.least && value <= range.most) return value;
  }
  complain("must be a whole number from " + std::to_string(range.least) + " to " +
           std::to_string(range.most));
  return otherwise;
}

ManifestSchema ManifestReader::schema() const {
  if (!present()) return {};
  codec::Explained<codec::Schema> compiled = codec::Schema::compile(item_);
  Result<std::string> json = codec::cbor_to_json(item_);
  if (compiled && json) return {std::move(json).value(), std::move(compiled).value()};
  complain("is no schema that Limpet takes: " + (compiled ? "no JSON" : compiled.detail()));
  return {};
}

const ManifestReader& ManifestReader::required() const {
  if (!present()) complain("is missing");
  return *this;
}

const ManifestReader& ManifestReader::map() const {
  if (present() && !is_kind(item_, codec::CborKind::map)) complain("must be a map");
  return *this;
}

void ManifestReader::each(size_t count_max,
                          const std::function<void(const ManifestReader&)>& visit) const {
  if (!present()) return;
  if (!is_kind(item_, codec::CborKind::array)) return complain("must be an array");
  codec::CborReader reader(item_);
  const size_t count = reader.array();
  if (count > count_max) return complain("has more than " + std::to_string(count_max) + " entries");
  for (size_t index = 0; index < count; ++index) {
    const std::string path = path_ + "[" + std::to_string(index) + "]";
    visit(ManifestReader(reader.item(), path, *problem_));
  }
}

void ManifestReader::complain(std::string_view sentence) const {
  if (!problem_->empty()) return;
  *problem_ = (path_.empty() ? "the manifest" : path_) + ": ";
  problem_->append(sentence);
}

}  // namespace limpet::host
