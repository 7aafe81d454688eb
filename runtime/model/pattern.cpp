#include "model/pattern.hpp"

#include <cstddef>

namespace limpet {

namespace {

constexpr size_t wildcards_max = 8;

struct Split {
  std::string_view head;
  std::string_view tail;
  bool last;
};

Split split(std::string_view text) {
  const size_t dot = text.find('.');
  if (dot == std::string_view::npos) return {text, {}, true};
  return {text.substr(0, dot), text.substr(dot + 1), false};
}

bool segment_valid(std::string_view segment) {
  if (segment.empty()) return false;
  return segment.size() == 1 || segment.find_first_of("*#") == std::string_view::npos;
}

// `name_ended` tells "no segments left" from "one empty segment left".
bool matches(std::string_view pattern, bool pattern_ended, std::string_view name, bool name_ended) {
  while (!pattern_ended) {
    const Split p = split(pattern);
    if (p.head == "#") {
      if (p.last) return true;
      while (true) {
        if (matches(p.tail, false, name, name_ended)) return true;
        if (name_ended) return false;
        const Split n = split(name);
        name = n.tail;
        name_ended = n.last;
      }
    }
    if (name_ended) return false;
    const Split n = split(name);
    if (p.head != "*" && p.head != n.head) return false;
    pattern = p.tail;
    pattern_ended = p.last;
    name = n.tail;
    name_ended = n.last;
  }
  return name_ended;
}

}  // namespace

bool pattern_valid(std::string_view pattern) {
  size_t wildcards = 0;
  while (true) {
    const Split part = split(pattern);
    if (!segment_valid(part.head)) return false;
    if (part.head == "#" && ++wildcards > wildcards_max) return false;
    if (part.last) return true;
    pattern = part.tail;
  }
}

bool pattern_matches(std::string_view pattern, std::string_view name) {
  return matches(pattern, false, name, false);
}

}  // namespace limpet
