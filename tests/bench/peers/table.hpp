#pragma once

// A table for people: columns as wide as what is in them. [any]

#include <string>
#include <vector>

namespace limpet::bench {

class Table {
 public:
  explicit Table(std::vector<std::string> titles) : rows_{std::move(titles)} {}
  // REQUIRES: as many cells as titles.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  void print() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// Digits that matter.
[[nodiscard]] std::string show_number(double value);

}  // namespace limpet::bench
