#include "codec/event_builder.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/limits.hpp"
#include "codec/base64.hpp"
#include "codec/cbor.hpp"
#include "codec/cbor_value.hpp"
#include "codec/records.hpp"
#include "codec/rfc3339.hpp"

namespace limpet::codec {

namespace {

struct TextAttribute {
  std::string_view name;
  std::string Event::*member;
};

constexpr std::array text_attributes = {
    TextAttribute{"type", &Event::type},
    TextAttribute{"source", &Event::source},
    TextAttribute{"id", &Event::id},
    TextAttribute{"subject", &Event::subject},
    TextAttribute{"datacontenttype", &Event::content_type},
    TextAttribute{"dataschema", &Event::data_schema},
    TextAttribute{"correlationid", &Event::correlation},
    TextAttribute{"causationid", &Event::causation},
    TextAttribute{"tenant", &Event::tenant},
    TextAttribute{"principal", &Event::principal},
    TextAttribute{"traceparent", &Event::trace_parent},
};

struct PlaceAttribute {
  std::string_view name;
  std::string_view kept_as;
};

constexpr std::array place_attributes = {
    PlaceAttribute{"epoch", "originepoch"},
    PlaceAttribute{"sequence", "originsequence"},
    PlaceAttribute{"runid", "originrunid"},
    PlaceAttribute{"principal", "originprincipal"},
};

constexpr size_t shown_bytes_max = 40;

// `text` in quotes, short enough for a sentence and harmless on a terminal.
std::string shown(std::string_view text) {
  std::string quoted("'");
  for (const char character : text.substr(0, shown_bytes_max)) {
    quoted.push_back(character >= 0x20 && character < 0x7f ? character : '?');
  }
  return quoted.append(text.size() > shown_bytes_max ? "...'" : "'");
}

Refusal invalid(std::string_view name, std::string_view problem) {
  std::string detail("`");
  detail.append(name).append("` ").append(problem);
  return Refusal{{ErrorCode::invalid, "event: an attribute is not valid"}, std::move(detail)};
}

Refusal too_large(std::string detail) {
  return Refusal{{ErrorCode::too_large, "event: too large"}, std::move(detail)};
}

// The sentence without the part of the code that speaks: "event: `type` is missing".
Refusal explain(const Error& error) {
  std::string_view text = error.where;
  const size_t colon = text.find(": ");
  std::string detail(text.starts_with("cbor: ") ? "`data` as CBOR: " : "");
  return Refusal{error, detail.append(text.substr(colon + 2))};
}

std::optional<std::string_view> text_of(ByteSpan value) {
  CborReader reader(value);
  const std::string_view text = reader.text();
  if (!reader.finish()) return std::nullopt;
  return text;
}

bool is_null(ByteSpan value) { return CborReader(value).peek() == CborKind::null; }

}  // namespace

std::optional<Refusal> EventBuilder::set(std::string_view name, ByteSpan value) {
  if (name.size() > limits::event_type_bytes_max) {
    return too_large("the attribute's name " + shown(name) + " is too long");
  }
  if (std::find(names_.begin(), names_.end(), name) != names_.end()) {
    return invalid(name, "is given twice");
  }
  names_bytes_ += name.size() + 1;
  if (names_bytes_ > limits::event_attributes_bytes_max) {
    return too_large("the attributes together are larger than 4 KiB");
  }
  names_.emplace_back(name);
  if (name == "data" || name == "data_base64") return set_data(name, value);
  if (is_null(value)) return std::nullopt;
  if (origin_ == Origin::keep) keep_place(name, value);
  for (const TextAttribute& attribute : text_attributes) {
    if (attribute.name != name) continue;
    const std::optional<std::string_view> text = text_of(value);
    if (!text) return invalid(name, "is not text");
    if (text->size() > limits::event_attribute_bytes_max) {
      return too_large("`" + std::string(name) + "` is longer than 512 bytes");
    }
    event_.*attribute.member = *text;
    return std::nullopt;
  }
  return set_special(name, value);
}

std::optional<Refusal> EventBuilder::set_special(std::string_view name, ByteSpan value) {
  const std::string_view text = text_of(value).value_or("");
  if (name == "specversion") {
    if (text != "1.0") return invalid(name, "is not \"1.0\"");
    return std::nullopt;
  }
  if (name == "time") return set_time(value);
  if (name == "sequence") {
    CborReader reader(value);
    event_.sequence = Sequence(reader.uint());
    if (!reader.finish()) return invalid(name, "is not a number of one or more");
    return std::nullopt;
  }
  if (name == "epoch") {
    if (!parse_epoch(text)) return invalid(name, "is not an epoch like \"7k2m9qxc\"");
    return std::nullopt;
  }
  if (name == "runid") {
    const std::optional<QualifiedId> id = parse_qualified_id(text);
    if (!id) return invalid(name, "is not a run's id like \"7k2m9qxc-1042\"");
    event_.run = RunId(id->number);
    return std::nullopt;
  }
  return set_extension(name, value);
}

std::optional<Refusal> EventBuilder::set_data(std::string_view name, ByteSpan value) {
  if (name == "data_base64" && is_null(value)) return std::nullopt;
  if (!event_.data.empty()) return invalid(name, "is given beside the other form of data");
  if (name == "data") {
    event_.data.assign(value.begin(), value.end());
  } else {
    const std::optional<std::string_view> text = text_of(value);
    const std::optional<ByteVector> bytes = text ? parse_base64(*text) : std::nullopt;
    if (!bytes) return invalid(name, "is not base 64 text");
    event_.data = cbor_item(*bytes);
  }
  if (event_.data.size() > limits::event_data_bytes_max) {
    return too_large("the data is larger than 64 KiB as CBOR");
  }
  return std::nullopt;
}

std::optional<Refusal> EventBuilder::set_time(ByteSpan value) {
  if (CborReader(value).peek() == CborKind::uint) {
    event_.time.ns = CborReader(value).uint();
    return std::nullopt;
  }
  const std::optional<std::string_view> text = text_of(value);
  const std::optional<WallTime> time = text ? parse_rfc3339(*text) : std::nullopt;
  if (!time) {
    return invalid("time", "is not an RFC 3339 time since 1970: " + shown(text.value_or("")));
  }
  event_.time = *time;
  return std::nullopt;
}

std::optional<Refusal> EventBuilder::set_extension(std::string_view name, ByteSpan value) {
  const ByteVector key = cbor_item(name);
  extension_items_.insert(extension_items_.end(), key.begin(), key.end());
  extension_items_.insert(extension_items_.end(), value.begin(), value.end());
  ++extension_count_;
  if (extension_items_.size() > limits::event_attributes_bytes_max) {
    return too_large("the attributes together are larger than 4 KiB");
  }
  return std::nullopt;
}

void EventBuilder::keep_place(std::string_view name, ByteSpan value) {
  for (const PlaceAttribute& one : place_attributes) {
    if (one.name == name) place_.emplace_back(one.kept_as, ByteVector(value.begin(), value.end()));
  }
}

// What says already where it is from came by way of another log: the first one counts.
std::optional<Refusal> EventBuilder::set_place() {
  const bool given = std::find(names_.begin(), names_.end(), "originepoch") != names_.end();
  if (given) return std::nullopt;
  for (const auto& [name, value] : place_) {
    if (auto refusal = set_extension(name, value)) return refusal;
  }
  return std::nullopt;
}

Explained<Event> EventBuilder::finish() {
  EventBuilder done = std::exchange(*this, EventBuilder(origin_));
  Event& event = done.event_;
  if (auto refusal = done.set_place()) return std::move(*refusal);
  if (done.extension_count_ > 0) {
    event.extensions.resize(cbor_head_size(done.extension_count_));
    CborWriter head(event.extensions);
    head.map(done.extension_count_);
    LIMPET_ASSERT(head.ok());
    event.extensions.insert(event.extensions.end(), done.extension_items_.begin(),
                            done.extension_items_.end());
  }
  EventView checked = view(event);
  if (checked.source.empty()) checked.source = "-";  // the one who admits the event fills it in
  const Result<void> result = check_event(checked);
  if (!result) return explain(result.error());
  return std::move(event);
}

}  // namespace limpet::codec
