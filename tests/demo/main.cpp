// limpet-demo: what `./dev demo` runs. See demo.hpp.

#include <cstdio>
#include <cstring>

#include "tests/demo/demo.hpp"

int main(int argc, char** argv) {
  const char* config = LIMPET_DEMO_CONFIG;
  if (argc == 3 && std::strcmp(argv[1], "--config") == 0) {
    config = argv[2];
  } else if (argc != 1) {
    std::fprintf(stderr, "usage: limpet-demo [--config FILE]\n");
    return 2;
  }
  return limpet::demo::Demo(config).run();
}
