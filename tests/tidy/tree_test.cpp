// The checks, on the tree itself. A finding prints as path:line: ERROR: what.
#include <doctest/doctest.h>

#include <string>

#include "tests/tidy/folders.hpp"
#include "tests/tidy/layers.hpp"
#include "tests/tidy/shape.hpp"
#include "tests/tidy/words.hpp"

using namespace limpet::tidy;

namespace {

const std::vector<Source>& tree() {
  static const std::vector<Source> sources = read_tree(LIMPET_SOURCE_DIR);
  return sources;
}

void require_none(const Findings& findings) {
  for (const Finding& finding : findings) {
    const std::string& message = finding.message;
    ADD_FAIL_CHECK_AT(finding.path.c_str(), static_cast<int>(finding.line), message);
  }
}

void require_none_in_tree(Findings (*check)(const Source&)) {
  for (const Source& source : tree()) require_none(check(source));
}

}  // namespace

TEST_CASE("tidy: the tree that is checked is the whole project") {
  const auto has = [](std::string_view path) {
    for (const Source& source : tree()) {
      if (source.path == path) return !source.text.empty();
    }
    return false;
  };
  CHECK(has("CMakeLists.txt"));
  CHECK(has("dev"));
  CHECK(has("runtime/base/result.hpp"));
  CHECK(has("tests/tidy/tree_test.cpp"));
}

TEST_CASE("tidy: every include is allowed by the layer table") {
  require_none_in_tree(check_layers);
}

TEST_CASE("tidy: every source includes its own header first") {
  require_none(check_own_header_first(tree()));
}

TEST_CASE("tidy: lines, functions, headers and files keep their limits") {
  require_none_in_tree(check_lines);
  require_none_in_tree(check_functions);
  require_none_in_tree(check_file_size);
}

TEST_CASE("tidy: no unfinished work, no banned code") {
  require_none_in_tree(check_unfinished);
  require_none_in_tree(check_banned_code);
}

TEST_CASE("tidy: no stray blanks, no path of one machine") {
  require_none_in_tree(check_blanks);
  require_none_in_tree(check_machine_paths);
}

TEST_CASE("tidy: every header begins with #pragma once") {
  require_none_in_tree(check_pragma_once);
}

TEST_CASE("tidy: every folder has a short README and a short CMakeLists") {
  require_none(check_readmes(tree()));
  require_none_in_tree(check_cmake_size);
}
