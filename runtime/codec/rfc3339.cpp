#include "codec/rfc3339.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace limpet::codec {

namespace {

constexpr uint64_t ns_per_second = 1000000000;

void append_digits(std::string& text, uint64_t value, size_t width) {
  const std::string digits = std::to_string(value);
  if (digits.size() < width) text.append(width - digits.size(), '0');
  text.append(digits);
}

// Takes fixed pieces off the front of a text; fails for good at the first that is not there.
class Pieces {
 public:
  explicit Pieces(std::string_view text) : rest_(text) {}

  int64_t digits(size_t width) {
    int64_t value = 0;
    for (size_t index = 0; index < width; ++index) {
      if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9') {
        good_ = false;
        return 0;
      }
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }

  void literal(std::string_view any_of) { good_ = take(any_of) && good_; }

  bool take(std::string_view any_of) {
    if (rest_.empty() || any_of.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // Decimals as nanoseconds.
  int64_t fraction() {
    int64_t value = 0;
    int64_t scale = static_cast<int64_t>(ns_per_second);
    const size_t before = rest_.size();
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      scale /= 10;
      value += (rest_.front() - '0') * scale;
      rest_.remove_prefix(1);
    }
    good_ = good_ && rest_.size() < before;
    return value;
  }

  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool done() const { return good_ && rest_.empty(); }
  [[nodiscard]] char next() const { return rest_.empty() ? '\0' : rest_.front(); }

 private:
  std::string_view rest_;
  bool good_ = true;
};

// Seconds east of Greenwich.
std::optional<int64_t> parse_offset(Pieces& pieces) {
  if (pieces.take("Zz")) return 0;
  const int64_t sign = pieces.next() == '-' ? -1 : 1;
  pieces.literal("+-");
  const int64_t hours = pieces.digits(2);
  pieces.literal(":");
  const int64_t minutes = pieces.digits(2);
  if (!pieces.good() || hours > 23 || minutes > 59) return std::nullopt;
  return sign * (hours * 3600 + minutes * 60);
}

}  // namespace

std::string to_rfc3339(WallTime time) {
  using namespace std::chrono;
  const uint64_t second = time.ns / ns_per_second;
  const sys_days day{days{static_cast<int32_t>(second / 86400)}};
  const year_month_day date{day};
  const uint64_t second_of_day = second % 86400;
  std::string text;
  append_digits(text, static_cast<uint64_t>(static_cast<int>(date.year())), 4);
  text.push_back('-');
  append_digits(text, static_cast<unsigned>(date.month()), 2);
  text.push_back('-');
  append_digits(text, static_cast<unsigned>(date.day()), 2);
  text.push_back('T');
  append_digits(text, second_of_day / 3600, 2);
  text.push_back(':');
  append_digits(text, second_of_day / 60 % 60, 2);
  text.push_back(':');
  append_digits(text, second_of_day % 60, 2);
  uint64_t fraction = time.ns % ns_per_second;
  if (fraction != 0) {
    size_t width = 9;
    for (; fraction % 1000 == 0; fraction /= 1000) width -= 3;
    text.push_back('.');
    append_digits(text, fraction, width);
  }
  text.push_back('Z');
  return text;
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  Pieces pieces(text);
  const int64_t year_number = pieces.digits(4);
  pieces.literal("-");
  const int64_t month_number = pieces.digits(2);
  pieces.literal("-");
  const int64_t day_number = pieces.digits(2);
  pieces.literal("Tt ");
  const int64_t hour = pieces.digits(2);
  pieces.literal(":");
  const int64_t minute = pieces.digits(2);
  pieces.literal(":");
  const int64_t second = pieces.digits(2);
  const int64_t fraction_ns = pieces.take(".") ? pieces.fraction() : 0;
  const std::optional<int64_t> offset = parse_offset(pieces);
  const year_month_day date{year{static_cast<int>(year_number)},
                            month{static_cast<unsigned>(month_number)},
                            day{static_cast<unsigned>(day_number)}};
  if (!pieces.done() || !offset || !date.ok() || hour > 23 || minute > 59 || second > 60) {
    return std::nullopt;
  }
  const int64_t day_index = sys_days{date}.time_since_epoch().count();
  const int64_t seconds_all = day_index * 86400 + hour * 3600 + minute * 60 + second - *offset;
  constexpr auto seconds_max =
      static_cast<int64_t>(std::numeric_limits<uint64_t>::max() / ns_per_second);
  if (seconds_all < 0 || seconds_all >= seconds_max) return std::nullopt;
  return WallTime{static_cast<uint64_t>(seconds_all) * ns_per_second +
                  static_cast<uint64_t>(fraction_ns)};
}

}  // namespace limpet::codec
