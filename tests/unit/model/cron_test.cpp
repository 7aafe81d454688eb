#include "model/cron.hpp"

#include <doctest/doctest.h>

#include <ctime>
#include <string>

namespace limpet {

namespace {

// 2026-11-20T12:34:56Z is 1795178096.
constexpr uint64_t now_s = 1795178096;

std::string next(std::string_view text, uint64_t after_s = now_s) {
  const auto cron = parse_cron(text);
  REQUIRE(cron);
  const auto time = next_time(*cron, WallTime{after_s * 1'000'000'000});
  if (!time) return "never";
  const auto seconds = static_cast<std::time_t>(time->ns / 1'000'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char shown[32];
  std::strftime(shown, sizeof shown, "%Y-%m-%d %H:%M", &parts);
  return shown;
}

}  // namespace

TEST_CASE("cron: the next time is after now, never now") {
  CHECK(next("* * * * *") == "2026-11-20 12:35");
  CHECK(next("34 12 * * *") == "2026-11-21 12:34");
  CHECK(next("35 12 * * *") == "2026-11-20 12:35");
}

TEST_CASE("cron: steps, ranges and lists") {
  CHECK(next("*/15 * * * *") == "2026-11-20 12:45");
  CHECK(next("0 8-18/5 * * *") == "2026-11-20 13:00");
  CHECK(next("5,40 6,23 * * *") == "2026-11-20 23:05");
}

TEST_CASE("cron: months, month ends and leap days") {
  CHECK(next("0 0 1 1 *") == "2027-01-01 00:00");
  CHECK(next("0 0 31 * *") == "2026-12-31 00:00");
  CHECK(next("0 0 29 2 *") == "2028-02-29 00:00");
  CHECK(next("0 0 30 2 *") == "never");
}

TEST_CASE("cron: 20 November 2026 is a Friday, and Sunday is 0 and 7") {
  CHECK(next("0 13 * * 5") == "2026-11-20 13:00");
  CHECK(next("0 0 * * 0") == "2026-11-22 00:00");
  CHECK(next("0 0 * * 7") == "2026-11-22 00:00");
  CHECK(next("0 0 * * 1-5") == "2026-11-23 00:00");
}

TEST_CASE("cron: of two restricted days either is enough") {
  CHECK(next("0 0 25 * 0") == "2026-11-22 00:00");
  CHECK(next("0 0 21 * 0") == "2026-11-21 00:00");
}

TEST_CASE("cron: what is not cron is refused") {
  for (const char* text : {"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *",
                           "* * * 13 *", "* * * * 8", "*/0 * * * *", "5/2 * * * *", "9-3 * * * *",
                           "a * * * *", "1,,2 * * * *", "-1 * * * *"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_cron(text).has_value());
  }
}

}  // namespace limpet
