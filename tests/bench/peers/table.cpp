#include "tests/bench/peers/table.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace limpet::bench {

void Table::print() const {
  std::vector<size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (size_t column = 0; column < row.size(); ++column) {
      widths[column] = std::max(widths[column], row[column].size());
    }
  }
  for (const auto& row : rows_) {
    for (size_t column = 0; column < row.size(); ++column) {
      const int width = static_cast<int>(widths[column]);
      // Words to the left, numbers to the right.
      std::printf(column < 2 ? "%-*s" : "  %*s", width, row[column].c_str());
      if (column == 0) std::printf("  ");
    }
    std::printf("\n");
  }
  std::fflush(stdout);
}

std::string show_number(double value) {
  char text[64];
  const double size = std::fabs(value);
  const int digits = size >= 100 || size == 0 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 4;
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

}  // namespace limpet::bench
