#include "cli/table.hpp"

#include <doctest/doctest.h>

#include <sstream>

using limpet::cli::Table;

TEST_CASE("table: columns are aligned by characters, long cells are cut") {
  Table table({"NAME", "VALUE", "LAST"});
  table.row({"ä", "1", "x"});
  table.row({"longer", "", ""});
  table.row({std::string(100, 'y'), "2", ""});
  std::ostringstream out;
  table.print(out);
  const std::string text = out.str();
  const std::string padding(56, ' ');
  CHECK(text.rfind("NAME" + padding + "  VALUE  LAST\nä", 0) == 0);
  CHECK(text.find("longer\n") != std::string::npos);
  CHECK(text.find(std::string(59, 'y') + "…  2\n") != std::string::npos);
}
