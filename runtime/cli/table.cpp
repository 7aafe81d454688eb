#include "cli/table.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "cli/item.hpp"

namespace limpet::cli {

namespace {

// Characters, not bytes: what starts a UTF-8 sequence counts.
size_t width(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<uint8_t>(byte) & 0xc0) != 0x80;
  }));
}

void print_row(std::ostream& out, const std::vector<std::string>& cells,
               const std::vector<size_t>& widths) {
  std::string line;
  for (size_t column = 0; column < cells.size(); ++column) {
    line.append(cells[column]);
    if (column + 1 < cells.size()) line.append(widths[column] + 2 - width(cells[column]), ' ');
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  out << line << "\n";
}

}  // namespace

void Table::row(std::vector<std::string> cells) {
  LIMPET_ASSERT(cells.size() == titles_.size());
  for (std::string& cell : cells) cell = cut(cell, cell_characters_max);
  rows_.push_back(std::move(cells));
}

void Table::print(std::ostream& out) const {
  std::vector<size_t> widths;
  for (const std::string& title : titles_) widths.push_back(width(title));
  for (const auto& cells : rows_) {
    for (size_t column = 0; column < cells.size(); ++column) {
      widths[column] = std::max(widths[column], width(cells[column]));
    }
  }
  print_row(out, titles_, widths);
  for (const auto& cells : rows_) print_row(out, cells, widths);
}

}  // namespace limpet::cli
