#include "tests/support/exposition.hpp"

#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace limpet::testing {

namespace {

struct Family {
  std::string name;
  std::string type;
};

struct Sample {
  std::string name;
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0;
};

// What is known of one histogram series while its lines are read.
struct Buckets {
  double bound = -1e300;
  double below = 0;
  bool has_infinity = false;
  std::optional<double> count;
  bool has_sum = false;
};

bool name_valid(std::string_view name) {
  if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
  for (const char letter : name) {
    const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                       (letter >= '0' && letter <= '9') || letter == '_';
    if (!plain) return false;
  }
  return true;
}

std::optional<double> number_of(std::string text) {
  if (text.empty() || text.find(' ') != std::string::npos) return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  return *end == '\0' ? std::optional(value) : std::nullopt;
}

// Takes one name="value" off `rest`; false: it is not one.
bool take_label(std::string_view& rest, Sample& sample) {
  const size_t equals = rest.find("=\"");
  if (equals == std::string_view::npos || !name_valid(rest.substr(0, equals))) return false;
  std::string value;
  size_t index = equals + 2;
  for (; index < rest.size() && rest[index] != '"'; ++index) {
    if (rest[index] == '\\') {
      ++index;
      if (index == rest.size()) return false;
      if (rest[index] != '\\' && rest[index] != '"' && rest[index] != 'n') return false;
      value.push_back(rest[index] == 'n' ? '\n' : rest[index]);
      continue;
    }
    value.push_back(rest[index]);
  }
  if (index >= rest.size()) return false;
  sample.labels.emplace_back(std::string(rest.substr(0, equals)), std::move(value));
  rest.remove_prefix(index + 1);
  return true;
}

std::optional<Sample> parse_sample(std::string_view line) {
  Sample sample;
  const size_t end = line.find_first_of("{ ");
  if (end == std::string_view::npos || !name_valid(line.substr(0, end))) return std::nullopt;
  sample.name = line.substr(0, end);
  std::string_view rest = line.substr(end);
  if (rest.front() == '{') {
    do {
      rest.remove_prefix(1);
      if (!take_label(rest, sample)) return std::nullopt;
    } while (!rest.empty() && rest.front() == ',');
    if (rest.empty() || rest.front() != '}') return std::nullopt;
    rest.remove_prefix(1);
  }
  if (rest.empty() || rest.front() != ' ') return std::nullopt;
  const auto value = number_of(std::string(rest.substr(1)));
  if (!value) return std::nullopt;
  sample.value = *value;
  return sample;
}

class Checker {
 public:
  // "": the line is in order.
  std::string check_line(std::string_view line) {
    if (line.substr(0, 7) == "# HELP ") return check_help(line.substr(7));
    if (line.substr(0, 7) == "# TYPE ") return check_type(line.substr(7));
    if (line.empty() || line.front() == '#') return "neither HELP, TYPE nor a sample";
    const std::optional<Sample> sample = parse_sample(line);
    if (!sample) return "not a sample";
    std::set<std::string> names;
    for (const auto& [name, value] : sample->labels) {
      if (!names.insert(name).second) return "a label is there twice";
    }
    if (!series_.insert(std::string(line.substr(0, line.rfind(' ')))).second) {
      return "the series is there twice";
    }
    return family_.type == "histogram" ? check_bucket(*sample) : check_value(*sample);
  }

  std::string finish() {
    for (const auto& [labels, buckets] : buckets_) {
      if (!buckets.has_infinity) return "a histogram has no +Inf";
      if (!buckets.has_sum || !buckets.count) return "a histogram has no _sum or _count";
      if (*buckets.count != buckets.below) return "_count is not the +Inf bucket";
    }
    buckets_.clear();
    return "";
  }

 private:
  std::string check_help(std::string_view rest) {
    if (const std::string fault = finish(); !fault.empty()) return fault;
    family_ = {std::string(rest.substr(0, rest.find(' '))), ""};
    if (!name_valid(family_.name)) return "not a metric's name";
    if (!families_.insert(family_.name).second) return "the family is there twice";
    for (size_t at = rest.find('\\'); at != std::string_view::npos; at = rest.find('\\', at + 2)) {
      if (at + 1 == rest.size() || (rest[at + 1] != '\\' && rest[at + 1] != 'n')) {
        return "a broken escape in HELP";
      }
    }
    return "";
  }

  std::string check_type(std::string_view rest) {
    const size_t blank = rest.find(' ');
    if (blank == std::string_view::npos || rest.substr(0, blank) != family_.name) {
      return "TYPE of another family than HELP";
    }
    family_.type = rest.substr(blank + 1);
    const bool known =
        family_.type == "counter" || family_.type == "gauge" || family_.type == "histogram";
    return known ? "" : "an unknown type";
  }

  std::string check_value(const Sample& sample) {
    if (family_.type.empty()) return "a sample before its TYPE";
    if (sample.name != family_.name) return "a sample outside of its family";
    if (family_.type != "counter") return "";
    const bool total =
        sample.name.size() > 6 && sample.name.substr(sample.name.size() - 6) == "_total";
    if (!total) return "a counter whose name does not end in _total";
    return sample.value >= 0 ? "" : "a counter below zero";
  }

  std::string check_bucket(const Sample& sample) {
    std::string key;
    std::string bound;
    for (const auto& [name, value] : sample.labels) {
      if (name == "le") {
        bound = value;
      } else {
        key.append(name).append("=").append(value).append("\n");
      }
    }
    Buckets& buckets = buckets_[key];
    if (sample.name == family_.name + "_sum") {
      buckets.has_sum = true;
      return "";
    }
    if (sample.name == family_.name + "_count") {
      buckets.count = sample.value;
      return "";
    }
    if (sample.name != family_.name + "_bucket") return "a sample outside of its family";
    const std::optional<double> end = number_of(bound);
    if (!end) return "a bucket without an end";
    if (*end <= buckets.bound) return "buckets out of order";
    if (sample.value < buckets.below) return "buckets are not cumulative";
    buckets.bound = *end;
    buckets.below = sample.value;
    buckets.has_infinity = bound == "+Inf";
    return "";
  }

  Family family_;
  std::set<std::string> families_;
  std::set<std::string> series_;
  std::map<std::string, Buckets> buckets_;
};

}  // namespace

std::string exposition_fault(std::string_view text) {
  if (text.empty()) return "";
  if (text.back() != '\n') return "the last line does not end";
  Checker checker;
  for (size_t line = 1; !text.empty(); ++line) {
    const size_t end = text.find('\n');
    const std::string fault = checker.check_line(text.substr(0, end));
    if (!fault.empty()) {
      return "line " + std::to_string(line) + ": " + fault + ": " +
             std::string(text.substr(0, end));
    }
    text.remove_prefix(end + 1);
  }
  return checker.finish();
}

}  // namespace limpet::testing
