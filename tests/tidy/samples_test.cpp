// Each check is shown a sample that it must refuse and one that it must accept: a check that cannot
// fail proves nothing about the tree.
#include <doctest/doctest.h>

#include <string>

#include "tests/tidy/folders.hpp"
#include "tests/tidy/layers.hpp"
#include "tests/tidy/shape.hpp"
#include "tests/tidy/words.hpp"

using namespace limpet::tidy;

namespace {

Findings layers(const std::string& path, const std::string& text) {
  return check_layers({path, text});
}

std::string repeated(const std::string& line, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += line;
  return text;
}

}  // namespace

TEST_CASE("tidy: blanking keeps code, line numbers and, when asked, strings") {
  CHECK(blanked("int a; // b\nint c;", Keep::nothing) == "int a;     \nint c;");
  CHECK(blanked("a /* \n */ b", Keep::nothing) == "a    \n    b");
  CHECK(blanked("f(\"//\\\"\") + 1", Keep::nothing) == "f(      ) + 1");
  CHECK(blanked("f(\"//\")", Keep::strings) == "f(\"//\")");
  CHECK(blanked("1'000 + '{'", Keep::nothing) == "1'000 +    ");
  CHECK(blanked("R\"x({\")x\" {", Keep::nothing) == "          {");
  CHECK(blanked("/**/ x", Keep::nothing) == "     x");
}

TEST_CASE("tidy: a folder may include only what the layer table gives it") {
  CHECK(layers("runtime/store/log.cpp", "#include \"model/event.hpp\"\n").empty());
  CHECK(layers("runtime/model/event.hpp", "#include \"store/log.hpp\"\n").size() == 1);
  CHECK(layers("runtime/base/error.hpp", "#include \"model/event.hpp\"\n").size() == 1);
  CHECK(layers("runtime/run/engine.cpp", "#include \"platform/clock.hpp\"\n").size() == 1);
  CHECK(layers("runtime/run/engine.cpp", "#  include <limpet/plugin.h>\n").size() == 1);
  CHECK(layers("runtime/host/host.cpp", "#include <limpet/plugin.h>\n").empty());
  CHECK(layers("platform/linux/files.cpp", "#include \"store/log.hpp\"\n").size() == 1);
  CHECK(layers("plugins/mqtt/mqtt.cpp", "#include \"base/result.hpp\"\n").size() == 1);
  CHECK(layers("plugins/sdk/include/limpet/cpp/tool.hpp", "#include \"base/x.hpp\"\n").size() == 1);
  CHECK(layers("runtime/store/log.cpp", "#include \"tests/support/x.hpp\"\n").size() == 1);
  CHECK(layers("runtime/store/log.cpp", "#include \"../loop/x.hpp\"\n").size() == 1);
  CHECK(layers("runtime/host/child/a.cpp", "#include \"../b.hpp\"\n").empty());
  CHECK(layers("runtime/misc/x.cpp", "").size() == 1);
  CHECK(layers("tests/unit/base/x_test.cpp", "#include \"store/log.hpp\"\n").empty());
}

TEST_CASE("tidy: an include in a comment is none, and one after a comment is one") {
  CHECK(layers("runtime/base/error.hpp", "// #include \"store/log.hpp\"\n").empty());
  CHECK(layers("runtime/base/error.hpp", "/**/ #include \"store/log.hpp\"\n").size() == 1);
}

TEST_CASE("tidy: a third-party library stays in the .cpp files of its folder") {
  const auto one = [](const std::string& path, const std::string& header) {
    return layers(path, "#include <" + header + ">\n").size();
  };
  CHECK(one("runtime/loop/loop.cpp", "asio.hpp") == 0);
  CHECK(one("runtime/loop/loop.cpp", "asio/post.hpp") == 0);
  CHECK(one("runtime/loop/loop.hpp", "asio.hpp") == 1);
  CHECK(one("runtime/store/env.cpp", "asio.hpp") == 1);
  CHECK(one("runtime/store/env.cpp", "lmdb.h") == 0);
  CHECK(one("runtime/admit/admit.cpp", "lmdb.h") == 1);
  CHECK(one("runtime/codec/json.cpp", "nlohmann/json.hpp") == 0);
  CHECK(one("runtime/codec/json.hpp", "nlohmann/json.hpp") == 1);
  CHECK(one("runtime/run/engine.cpp", "nlohmann/json.hpp") == 1);
  CHECK(one("plugins/sdk/include/limpet/cpp/json.hpp", "nlohmann/json.hpp") == 0);
  CHECK(one("plugins/sdk/include/limpet/plugin.h", "nlohmann/json.hpp") == 1);
  CHECK(one("runtime/config/toml.cpp", "toml++/toml.h") == 0);
  CHECK(one("runtime/cli/main.cpp", "toml++/toml.h") == 1);
  CHECK(one("runtime/cli/main.cpp", "CLI/CLI.hpp") == 0);
  CHECK(one("runtime/api/http.cpp", "http_parser.h") == 0);
  CHECK(one("runtime/api/http.cpp", "boost/beast.hpp") == 1);
  CHECK(one("runtime/base/error.cpp", "unknown.h") == 1);
  CHECK(one("runtime/base/error.cpp", "vector") == 0);
  CHECK(one("runtime/base/error.cpp", "stdint.h") == 0);
  CHECK(one("plugins/mqtt/mqtt.cpp", "mqtt/async_client.h") == 0);
}

TEST_CASE("tidy: a source includes its own header before anything else") {
  const Source header{"runtime/a/a.hpp", ""};
  const auto findings = [&header](const std::string& text) {
    return check_own_header_first(std::vector{header, Source{"runtime/store/a.cpp", text}}).size() +
           check_own_header_first(
               std::vector{Source{"runtime/store/a.hpp", ""}, Source{"runtime/store/a.cpp", text}})
               .size();
  };
  CHECK(findings("// why\n#include \"store/a.hpp\"\n#include <vector>\n") == 0);
  CHECK(findings("#include <vector>\n#include \"store/a.hpp\"\n") == 1);
  CHECK(findings("// #include \"store/a.hpp\"\nint a;\n") == 1);
  CHECK(check_own_header_first(
            std::vector{Source{"platform/clock.hpp", ""}, Source{"platform/linux/clock.cpp", ""}})
            .size() == 1);
}

TEST_CASE("tidy: the pure folders do not reach the operating system") {
  CHECK(layers("platform/linux/files.cpp", "#include <unistd.h>\n").empty());
  CHECK(layers("runtime/run/engine.cpp", "#include <unistd.h>\n").size() == 1);
  CHECK(layers("runtime/store/env.cpp", "#include <sys/stat.h>\n").empty());
  CHECK(layers("runtime/store/env.hpp", "#include <sys/stat.h>\n").size() == 1);
}

TEST_CASE("tidy: functions are measured from head to closing brace") {
  const auto lines = [](const std::string& text) {
    std::string all;
    for (const Function& function : functions_of(text)) all += std::to_string(function.lines) + " ";
    return all;
  };
  CHECK(lines("int f() {\n}\n") == "2 ");
  CHECK(lines("namespace a {\nint f() {\n}\nint g();\n\nint h()\n{\n\n}\n}\n") == "2 4 ");
  CHECK(lines("class A {\n public:\n  int f() const { return 1; }\n  int b{0};\n};\n") == "2 ");
  CHECK(lines("A::A(int a)\n    : a_{a},\n      b_(1) {\n  x();\n}\nint f() { }\n") == "5 1 ");
  CHECK(lines("template <class T>\nvoid f(T t) {\n  for (;;) {\n  }\n}\n") == "5 ");
  CHECK(lines("int x[] = {\n1,\n2};\nint y{2};\nvoid f() {}\n") == "1 ");
  CHECK(lines("#define X(a) {\nstruct s { int a; };\nstatic struct s f(void)\n{\n}\n") == "3 ");
  CHECK(lines("auto f() -> int {\n  auto g = [] {\n  };\n  return 1;\n}\n") == "5 ");
  CHECK(lines("TEST_CASE(\"a {\") {\n  SUBCASE(\"}\") {\n  }\n}\n") == "4 ");
  CHECK(lines("extern \"C\" {\nvoid f(void) {\n}\n}\n") == "2 ");
}

TEST_CASE("tidy: a function, a line, a header or a file over its limit is found") {
  const auto function = [](std::size_t lines) {
    return "int f() {\n" + repeated("  g();\n", lines - 2) + "}\n";
  };
  CHECK(check_functions({"a.cpp", function(function_lines_max)}).empty());
  CHECK(check_functions({"a.cpp", function(function_lines_max + 1)}).size() == 1);

  CHECK(check_lines({"a.cpp", std::string(line_columns_max, 'a') + "\n"}).empty());
  CHECK(check_lines({"a.cpp", std::string(line_columns_max + 1, 'a') + "\n"}).size() == 1);
  CHECK(check_lines({"CMakeLists.txt", std::string(line_columns_max + 1, 'a')}).size() == 1);
  CHECK(check_lines({"a.cpp", repeated("\xC3\xA4", line_columns_max) + "\n"}).empty());
  CHECK(check_lines({"a.md", std::string(line_columns_max + 1, 'a') + "\n"}).empty());

  const auto size = [](const char* path, std::size_t lines) {
    return check_file_size({path, repeated("\n", lines)}).size();
  };
  CHECK(size("runtime/a/a.cpp", file_lines_max) == 0);
  CHECK(size("runtime/a/a.cpp", file_lines_max + 1) == 1);
  CHECK(size("runtime/a/a.hpp", header_lines_max) == 0);
  CHECK(size("runtime/a/a.hpp", header_lines_max + 1) == 1);
  CHECK(size("tests/a/a_test.cpp", test_lines_max) == 0);
  CHECK(size("tests/a/a_test.cpp", test_lines_max + 1) == 1);
}

TEST_CASE("tidy: words of unfinished work are found in code and comments") {
  for (const char* word : {"TO"
                           "DO",
                           "FIX"
                           "ME",
                           "XX"
                           "X",
                           "HA"
                           "CK"}) {
    CAPTURE(word);
    CHECK(check_unfinished({"a.cpp", std::string("// ") + word + ": later\n"}).size() == 1);
    CHECK(check_unfinished({"a.cpp", std::string("int a") + word + "b;\n"}).empty());
  }
}

TEST_CASE("tidy: code that a folder may not have is found, and only as code") {
  const auto count = [](const char* path, const char* text) {
    return check_banned_code({path, text}).size();
  };
  CHECK(count("runtime/base/a.cpp", "throw 1;") == 1);
  CHECK(count("runtime/base/a.cpp", "// does not throw\nf(\"throw\");") == 0);
  CHECK(count("runtime/base/a.cpp", "nothrow_t a;") == 0);
  CHECK(count("plugins/a/a.cpp", "throw 1;") == 0);
  CHECK(count("runtime/base/a.cpp", "std::cout << 1;") == 1);
  CHECK(count("runtime/cli/a.cpp", "std::cout << 1;") == 0);
  CHECK(count("tests/unit/a.cpp", "std::this_thread::sleep_for(1s);") == 1);
  CHECK(count("tests/unit/a.cpp", "std::this_thread::sleep_until(t);") == 1);
  CHECK(count("tests/unit/a.cpp", "usleep(1);") == 1);
  CHECK(count("tests/unit/a.cpp", "nanosleep(&t, nullptr);") == 1);
  CHECK(count("tests/unit/a.cpp", "sleep(1);") == 1);
  CHECK(count("tests/unit/a.cpp", "no_sleep(1);") == 0);
}

TEST_CASE("tidy: a path of one machine is found where a path begins") {
  CHECK(check_machine_paths({"a.md",
                             "see /ho"
                             "me/somebody/x\n"})
            .size() == 1);
  CHECK(check_machine_paths({"a.md",
                             "see runtime/wo"
                             "rk/x\n"})
            .empty());
}

TEST_CASE("tidy: stray blanks are found") {
  CHECK(check_blanks({"a.md", "a\nb\n"}).empty());
  CHECK(check_blanks({"a.md", "a \nb\n"}).size() == 1);
  CHECK(check_blanks({"a.md", "a\tb\n"}).size() == 1);
  CHECK(check_blanks({"a.md", "a\r\nb\n"}).size() == 1);
  CHECK(check_blanks({"a.md", "a\nb"}).size() == 1);
}

TEST_CASE("tidy: a header begins with #pragma once, after its comment") {
  CHECK(check_pragma_once({"a.hpp", "// what it is\n#pragma once\n"}).empty());
  CHECK(check_pragma_once({"a.hpp", "#include <vector>\n#pragma once\n"}).size() == 1);
  CHECK(check_pragma_once({"a.h", "// #pragma once\n"}).size() == 1);
  CHECK(check_pragma_once({"a.cpp", "int a;\n"}).empty());
}

TEST_CASE("tidy: a folder has a short README and a short CMakeLists") {
  const Source code{"runtime/a/a.cpp", ""};
  const Source readme{"runtime/a/README.md", repeated("x\n", readme_lines_max)};
  const Source longer{"runtime/a/README.md", repeated("x\n", readme_lines_max + 1)};
  CHECK(check_readmes(std::vector{code, readme}).empty());
  CHECK(check_readmes(std::vector{code}).size() == 1);
  CHECK(check_readmes(std::vector{code, longer}).size() == 1);
  CHECK(check_readmes(std::vector{Source{"platform/linux/a.cpp", ""}}).size() == 1);
  CHECK(check_readmes(std::vector{Source{"runtime/notes/a.md", ""}}).empty());
  CHECK(check_readmes(std::vector{Source{"tests/unit/a.cpp", ""}}).empty());

  const auto cmake = [](std::size_t lines) {
    return check_cmake_size({"runtime/a/CMakeLists.txt", "# why\n\n" + repeated("a()\n", lines)});
  };
  CHECK(cmake(cmake_lines_max).empty());
  CHECK(cmake(cmake_lines_max + 1).size() == 1);
}
