#pragma once

// ManifestReader: takes members of the kind and range they must have out of a CBOR item, and keeps
// the first complaint with the path of what is wrong. Private to this folder. [any]

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "host/manifest.hpp"

namespace limpet::host {

struct NumberRange {
  uint64_t least, most;
};

// One node of the text: an item and its path. Copies are cheap: both borrow.
class ManifestReader {
 public:
  // `item` is valid CBOR; `problem_out` outlives all readers of the text.
  ManifestReader(ByteSpan item, std::string& problem_out) : item_(item), problem_(&problem_out) {}

  // The member, or a reader of nothing, which every read answers with its default.
  [[nodiscard]] ManifestReader member(std::string_view name) const;
  [[nodiscard]] bool present() const { return !item_.empty(); }
  [[nodiscard]] ByteSpan item() const { return item_; }

  // An absent member is what `otherwise` says; the wrong kind or range is a complaint.
  [[nodiscard]] std::string text(size_t bytes_max) const;
  [[nodiscard]] bool boolean(bool otherwise) const;
  [[nodiscard]] uint64_t number(uint64_t otherwise, NumberRange range) const;
  // A JSON Schema within our subset; absent: everything keeps it.
  [[nodiscard]] ManifestSchema schema() const;

  // Complains unless it is there.
  const ManifestReader& required() const;
  // Complains unless it is absent or a map.
  const ManifestReader& map() const;
  // For each item of the array; a complaint when it is something else or has more than `count_max`.
  void each(size_t count_max, const std::function<void(const ManifestReader&)>& visit) const;

  // The first complaint stays: "tools[2].name: ...".
  void complain(std::string_view sentence) const;

 private:
  ManifestReader(ByteSpan item, std::string path, std::string& problem_out)
      : item_(item), path_(std::move(path)), problem_(&problem_out) {}

  ByteSpan item_;
  std::string path_;
  std::string* problem_;
};

}  // namespace limpet::host
