#include "dispatch/consumer_filter.hpp"

#include <algorithm>
#include <vector>

#include "model/pattern.hpp"

namespace limpet::dispatch {

namespace {

std::vector<std::string_view> segments_of(std::string_view pattern) {
  std::vector<std::string_view> segments;
  while (true) {
    const size_t dot = pattern.find('.');
    segments.push_back(pattern.substr(0, dot));
    if (dot == std::string_view::npos) return segments;
    pattern.remove_prefix(dot + 1);
  }
}

}  // namespace

bool subject_matches(std::string_view pattern, std::string_view subject) {
  if (pattern.empty()) return true;
  if (!pattern.ends_with('*')) return pattern == subject;
  pattern.remove_suffix(1);
  return subject.starts_with(pattern);
}

// meet[i][j]: do the rests from segment i of `a` and j of `b` meet? From the ends backwards.
bool patterns_meet(std::string_view a_text, std::string_view b_text) {
  const std::vector<std::string_view> a = segments_of(a_text);
  const std::vector<std::string_view> b = segments_of(b_text);
  std::vector<std::vector<bool>> meet(a.size() + 1, std::vector<bool>(b.size() + 1, false));
  meet[a.size()][b.size()] = true;
  for (size_t i = a.size() + 1; i-- > 0;) {
    for (size_t j = b.size() + 1; j-- > 0;) {
      const bool a_any = i < a.size() && a[i] == "#";
      const bool b_any = j < b.size() && b[j] == "#";
      if (i == a.size() && j == b.size()) continue;
      if (a_any || b_any) {
        // A '#' ends here, or takes one more segment of the other.
        meet[i][j] = (i < a.size() && meet[i + 1][j]) || (j < b.size() && meet[i][j + 1]);
      } else if (i < a.size() && j < b.size()) {
        const bool same = a[i] == "*" || b[j] == "*" || a[i] == b[j];
        meet[i][j] = same && meet[i + 1][j + 1];
      }
    }
  }
  return meet[0][0];
}

bool wants(const ConsumerSettings& settings, const EventView& event) {
  if (!settings.run.none() && event.run != settings.run) return false;
  if (!subject_matches(settings.subject_pattern, event.subject)) return false;
  return settings.type_pattern.empty() || pattern_matches(settings.type_pattern, event.type);
}

bool may_want(const ConsumerSettings& settings, std::span<const std::string> types) {
  if (types.empty() || settings.type_pattern.empty()) return true;
  return std::ranges::any_of(types, [&settings](const std::string& pattern) {
    return patterns_meet(settings.type_pattern, pattern);
  });
}

}  // namespace limpet::dispatch
