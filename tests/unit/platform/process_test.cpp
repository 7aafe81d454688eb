#include "platform/process.hpp"

#include <doctest/doctest.h>

using namespace limpet::platform;

TEST_CASE("process: a thread carries its name, cut at what the kernel keeps") {
  const std::string before = this_thread_name();
  name_this_thread("limpet-work-1");
  CHECK(this_thread_name() == "limpet-work-1");
  name_this_thread("limpet-a-name-too-long");
  CHECK(this_thread_name() == "limpet-a-name-t");
  name_this_thread(before.c_str());
}
