// The main() of every test program. It does nothing that a test could come to depend on.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
