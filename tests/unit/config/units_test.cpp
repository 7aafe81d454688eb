#include "config/units.hpp"

#include <doctest/doctest.h>

#include "config/nearest.hpp"
#include "config/substitute.hpp"

using namespace limpet;
using namespace limpet::config;

namespace {

Environment with_variables() {
  Environment environment;
  environment.variable = [](const std::string& name) -> std::optional<std::string> {
    if (name == "HOME") return "/srv/x";
    if (name == "EMPTY") return "";
    return std::nullopt;
  };
  environment.file = [](const std::string& path) -> std::optional<std::string> {
    if (path == "/etc/limpet/secret") return "s3cret\n";
    if (path == "/large") return std::string(65537, 'x');
    return std::nullopt;
  };
  return environment;
}

std::string put_in(std::string_view text) {
  const Substituted result = substitute(text, with_variables());
  if (const auto* problem = std::get_if<SubstituteProblem>(&result)) return problem->message;
  return std::get<std::string>(result);
}

std::string secret(const std::string& text) {
  const Substituted result = read_secret(text, "/etc/limpet", with_variables());
  if (const auto* problem = std::get_if<SubstituteProblem>(&result)) return problem->message;
  return std::get<std::string>(result);
}

}  // namespace

TEST_CASE("units: sizes are whole numbers with a unit") {
  CHECK(parse_size("0B") == 0);
  CHECK(parse_size("64MiB") == uint64_t{64} << 20);
  CHECK(parse_size("1GiB") == uint64_t{1} << 30);
  CHECK(parse_size("200MB") == 200000000);
  CHECK(parse_size("5kB") == 5000);
  CHECK(parse_size("16777215TiB") == uint64_t{16777215} << 40);
  for (const char* text : {"", "64", "MiB", "64 MiB", "64mib", "-1B", "1.5GiB", "16777216TiB",
                           "18446744073709551616B", "64MiBx", "+1B"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_size(text).has_value());
  }
}

TEST_CASE("units: durations are whole numbers with a unit, up to a hundred years") {
  CHECK(parse_duration("0s") == Duration{0});
  CHECK(parse_duration("250ms") == milliseconds(250));
  CHECK(parse_duration("30s") == seconds(30));
  CHECK(parse_duration("5m") == seconds(300));
  CHECK(parse_duration("2h") == seconds(7200));
  CHECK(parse_duration("7d") == seconds(7 * 86400));
  CHECK(parse_duration("36525d").has_value());
  for (const char* text :
       {"", "30", "s", "30 s", "-1s", "1.5s", "36526d", "30S", "1w", "18446744073709551615s"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text).has_value());
  }
}

TEST_CASE("units: what is shown is read back") {
  CHECK(show_size(uint64_t{64} << 20) == "64MiB");
  CHECK(show_size(0) == "0B");
  CHECK(show_size(1000) == "1kB");
  CHECK(show_size(1500) == "1500B");
  CHECK(show_duration(seconds(90)) == "90s");
  CHECK(show_duration(seconds(0)) == "0s");
  CHECK(show_duration(seconds(86400)) == "1d");
  for (const uint64_t bytes : {uint64_t{1}, uint64_t{1023}, uint64_t{123456789}}) {
    CHECK(parse_size(show_size(bytes)) == bytes);
  }
}

TEST_CASE("nearest: slips of the keyboard find the key that was meant") {
  const std::vector<std::string_view> keys = {"path", "max_bytes", "linger_ms"};
  CHECK(nearest("linger", keys) == "linger_ms");
  CHECK(nearest("maxbytes", keys) == "max_bytes");
  CHECK(nearest("paht", keys) == "path");
  CHECK(nearest(std::string(100000, 'x'), keys) != "");
}

TEST_CASE("substitute: variables, defaults and plain dollars") {
  CHECK(put_in("plain $HOME {}") == "plain $HOME {}");
  CHECK(put_in("${HOME}/a/${HOME}") == "/srv/x/a//srv/x");
  CHECK(put_in("${NONE:-else}") == "else");
  CHECK(put_in("${NONE:-}") == "");
  CHECK(put_in("${EMPTY:-else}") == "");
  CHECK(put_in("$${HOME}") == "${HOME}");
  CHECK(put_in("${NONE}") == "the environment variable NONE is not set");
  CHECK(put_in("a${HOME") == "\"${\" has no \"}\"");
}

TEST_CASE("substitute: a secret is the file's content without its last line end") {
  CHECK(secret("file:secret") == "s3cret");
  CHECK(secret("file:/etc/limpet/secret") == "s3cret");
  CHECK(secret("file:///etc/limpet/secret") == "file:///etc/limpet/secret");
  CHECK(secret("plain") == "plain");
  CHECK(secret("file:none") == "the file /etc/limpet/none cannot be read");
  CHECK(secret("file:/large") == "the file /large is larger than 64 KiB");
}
