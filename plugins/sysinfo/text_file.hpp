#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// Small text files of the kernel, and the text in them. Thread: [any, blocking]; no state.
namespace limpet::sysinfo {

// The file's first `bytes_max` bytes, or nothing when it cannot be opened or read.
std::optional<std::string> read_text(const std::string& path, std::size_t bytes_max = 65536);

// Cuts the first word (up to a blank or the end) off `rest`; empty when there is none.
std::string_view next_word(std::string_view& rest);

// Cuts the first line off `rest`, without its end.
std::string_view next_line(std::string_view& rest);

// The whole word as a number, or nothing.
std::optional<double> to_number(std::string_view word);

// Valid UTF-8 of one's own making: what is not, and control characters but line break and tab,
// become '?'. Logs and process names hold anything.
std::string printable(std::string_view text);

}  // namespace limpet::sysinfo
