// Source: one text file of the tree, and views of it that checks want.
// Owner: the test. Thread: [any]. Fails with: nothing; an unreadable file is an empty one.
// Limits: none; the tree is ours.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace limpet::tidy {

// What is wrong, and where. line 0: the file or folder as a whole.
struct Finding {
  std::string path;
  std::size_t line = 0;
  std::string message;
};

using Findings = std::vector<Finding>;

struct Source {
  std::string path;  // from the project's root, with '/'
  std::string text;
};

// What blanked() leaves standing besides code.
enum class Keep { strings, nothing };

// The text with comments, and unless kept also string and character literals, turned into blanks.
// Line breaks stay, so line numbers do too.
//   int a; // b    ->  int a;
[[nodiscard]] std::string blanked(std::string_view text, Keep keep);

// The lines without their line breaks; views into `text`.
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);

// The number, from 1, of the line that holds text[offset].
[[nodiscard]] std::size_t line_at(std::string_view text, std::size_t offset);

// True where `word` stands at `offset` and neither neighbour continues an identifier.
[[nodiscard]] bool is_word_at(std::string_view text, std::size_t offset, std::string_view word);

// True when `word` stands somewhere as a whole word.
[[nodiscard]] bool has_word(std::string_view text, std::string_view word);

[[nodiscard]] bool is_cpp(std::string_view path);     // .cpp .hpp .c .h
[[nodiscard]] bool is_header(std::string_view path);  // .hpp .h
[[nodiscard]] bool is_cmake(std::string_view path);   // CMakeLists.txt *.cmake

// Every text file under `root` that belongs to the project: no builds, no repository, no corpus.
[[nodiscard]] std::vector<Source> read_tree(const std::filesystem::path& root);

}  // namespace limpet::tidy
