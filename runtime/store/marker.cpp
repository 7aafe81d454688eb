#include "store/marker.hpp"

#include <string_view>

#include "platform/files.hpp"

namespace limpet::store {

namespace {

constexpr const char* marker_name = "/LIMPET-STORE";
constexpr std::string_view first_line = "limpet store\n";
constexpr std::string_view machine_label = "machine ";
constexpr std::string_view epoch_due_line = "\nepoch due\n";
constexpr size_t marker_bytes_max = 1024;

}  // namespace

Result<std::optional<Marker>> read_marker(const std::string& directory) {
  const Result<std::string> content =
      platform::read_file(directory + marker_name, marker_bytes_max);
  if (!content.ok()) {
    if (content.error().code == ErrorCode::not_found) return std::optional<Marker>();
    return content.error();
  }
  const std::string_view text(*content);
  if (!text.starts_with(first_line)) {
    return Error{ErrorCode::corrupt, "store: LIMPET-STORE is not a marker file"};
  }
  Marker marker;
  const size_t label = text.find(machine_label);
  if (label != std::string_view::npos) {
    const size_t start = label + machine_label.size();
    marker.machine_id = text.substr(start, text.find('\n', start) - start);
  }
  marker.epoch_due = text.find(epoch_due_line) != std::string_view::npos;
  return std::optional<Marker>(std::move(marker));
}

Result<void> write_marker(const std::string& directory, const Marker& marker) {
  std::string content(first_line);
  content.append(machine_label).append(marker.machine_id);
  content.append(marker.epoch_due ? epoch_due_line : "\n");
  return platform::replace_file(directory + marker_name, as_bytes(content));
}

Result<void> check_marker(const MarkerFacts& facts) {
  if (facts.marker_exists && !facts.file_exists) {
    return Error{ErrorCode::not_found,
                 "store: LIMPET-STORE is there but store.mdb is gone; restore it, or remove the "
                 "marker to begin anew"};
  }
  if (!facts.marker_exists && !facts.file_exists && !facts.create_allowed) {
    return Error{ErrorCode::not_found,
                 "store: no LIMPET-STORE here and store.create is never; is the disk mounted?"};
  }
  return {};
}

}  // namespace limpet::store
