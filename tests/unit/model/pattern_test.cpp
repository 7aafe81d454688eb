#include "model/pattern.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

using namespace limpet;

namespace {

using Segments = std::vector<std::string>;

// The definition, word for word, as slow as it likes.
bool matches_by_definition(const Segments& pattern, size_t p, const Segments& name, size_t n) {
  if (p == pattern.size()) return n == name.size();
  if (pattern[p] == "#") {
    for (size_t next = n; next <= name.size(); ++next) {
      if (matches_by_definition(pattern, p + 1, name, next)) return true;
    }
    return false;
  }
  if (n == name.size()) return false;
  return (pattern[p] == "*" || pattern[p] == name[n]) &&
         matches_by_definition(pattern, p + 1, name, n + 1);
}

std::string joined(const Segments& segments) {
  std::string text;
  for (const std::string& segment : segments) text += (text.empty() ? "" : ".") + segment;
  return text;
}

}  // namespace

TEST_CASE("pattern: literal patterns match themselves only") {
  CHECK(pattern_matches("sysinfo.reading", "sysinfo.reading"));
  CHECK_FALSE(pattern_matches("sysinfo.reading", "sysinfo"));
  CHECK_FALSE(pattern_matches("sysinfo", "sysinfo.reading"));
  CHECK_FALSE(pattern_matches("sysinfo.reading", "sysinfo.readings"));
}

TEST_CASE("pattern: * is exactly one segment") {
  CHECK(pattern_matches("sysinfo.*", "sysinfo.reading"));
  CHECK(pattern_matches("*", "sysinfo"));
  CHECK(pattern_matches("a.*.c", "a.b.c"));
  CHECK_FALSE(pattern_matches("sysinfo.*", "sysinfo"));
  CHECK_FALSE(pattern_matches("sysinfo.*", "sysinfo.a.b"));
}

TEST_CASE("pattern: # is any number of segments, also none") {
  CHECK(pattern_matches("#", "a"));
  CHECK(pattern_matches("#", "a.b.c"));
  CHECK(pattern_matches("sysinfo.#", "sysinfo"));
  CHECK(pattern_matches("sysinfo.#", "sysinfo.a.b"));
  CHECK(pattern_matches("#.state", "limpet.plugin.state"));
  CHECK(pattern_matches("a.#.z", "a.z"));
  CHECK(pattern_matches("a.#.z", "a.z.b.z"));
  CHECK_FALSE(pattern_matches("a.#.z", "a.z.b"));
  CHECK_FALSE(pattern_matches("sysinfo.#", "sysinfos"));
}

TEST_CASE("pattern: wildcards stand alone, segments are not empty, # is counted") {
  for (const char* pattern : {"a", "*", "#", "a.*.#", "#.#.#.#.#.#.#.#"}) {
    CAPTURE(pattern);
    CHECK(pattern_valid(pattern));
  }
  for (const char* pattern :
       {"", ".", "a.", ".a", "a..b", "a*", "a.b#", "**", "##", "a.#b.c", "#.#.#.#.#.#.#.#.#"}) {
    CAPTURE(pattern);
    CHECK_FALSE(pattern_valid(pattern));
  }
}

TEST_CASE("pattern: seeded patterns match as the definition says") {
  std::mt19937 random(99);
  const Segments alphabet = {"a", "b", "*", "#"};
  size_t match_count = 0;
  for (int round = 0; round < 20000; ++round) {
    Segments pattern(1 + random() % 5);
    Segments name(1 + random() % 5);
    for (std::string& segment : pattern) segment = alphabet[random() % 4];
    for (std::string& segment : name) segment = alphabet[random() % 2];
    const bool expected = matches_by_definition(pattern, 0, name, 0);
    match_count += expected ? 1 : 0;
    CAPTURE(joined(pattern));
    CAPTURE(joined(name));
    CHECK(pattern_matches(joined(pattern), joined(name)) == expected);
  }
  CHECK(match_count > 1000);
}

TEST_CASE("pattern: the worst pattern over the longest type is decided") {
  std::string name = "a";
  for (int index = 0; index < 63; ++index) name += ".a";
  CHECK_FALSE(pattern_matches("#.a.#.a.#.a.#.b", name));
  CHECK(pattern_matches("#.a.#.a.#.a.#.a", name));
}
