#include "platform/dynlib.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

using namespace limpet::platform;

TEST_CASE("dynlib: a file that is no object is refused with the loader's sentence") {
  char path[] = "/tmp/limpet-dynlib-XXXXXX";
  const int descriptor = mkstemp(path);
  REQUIRE(descriptor >= 0);
  REQUIRE(write(descriptor, "not an object", 13) == 13);
  close(descriptor);
  std::string problem;
  CHECK_FALSE(open_library(path, problem).has_value());
  CHECK(problem.find(path) != std::string::npos);
  unlink(path);
}

TEST_CASE("dynlib: a name without a slash is never searched for") {
  std::string problem;
  CHECK_FALSE(open_library("libc.so.6", problem).has_value());
  CHECK(problem == "libc.so.6: not a path");
}
