#pragma once

// Table: rows of text in aligned columns, for people. [any]

#include <ostream>
#include <string>
#include <vector>

namespace limpet::cli {

class Table {
 public:
  explicit Table(std::vector<std::string> titles) : titles_(std::move(titles)) {}

  // REQUIRES: as many cells as titles. Long cells are cut to cell_characters_max.
  void row(std::vector<std::string> cells);
  // Nothing but the titles when there are no rows.
  void print(std::ostream& out) const;

 private:
  std::vector<std::string> titles_;
  std::vector<std::vector<std::string>> rows_;
};

inline constexpr size_t cell_characters_max = 60;

}  // namespace limpet::cli
