#include "api/metrics_text.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace limpet::api {

namespace {

constexpr std::string_view other = "other";

std::string_view kind_name(MetricKind kind) {
  switch (kind) {
    case MetricKind::counter: return "counter";
    case MetricKind::gauge: return "gauge";
    case MetricKind::histogram: return "histogram";
  }
  return "untyped";
}

enum class Quotes : uint8_t { plain, escaped };

// A line feed would end the line; in a label a quote would end the value.
void append_escaped(std::string& out, std::string_view text, Quotes quotes) {
  for (const char character : text) {
    if (character == '\\') {
      out.append("\\\\");
    } else if (character == '\n') {
      out.append("\\n");
    } else if (character == '"' && quotes == Quotes::escaped) {
      out.append("\\\"");
    } else {
      out.push_back(character);
    }
  }
}

// The shortest text that reads as the same number.
std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> text{};
  constexpr double whole_max = 9007199254740992.0;  // 2^53: below it every whole number is exact
  const bool whole = std::trunc(value) == value && std::fabs(value) <= whole_max;
  const auto result =
      whole ? std::to_chars(text.data(), text.data() + text.size(), static_cast<int64_t>(value))
            : std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), result.ptr};
}

double in_seconds(Duration time) { return static_cast<double>(time.ns) / 1e9; }

}  // namespace

void MetricsText::family(const Metric& metric) {
  flush_other();
  metric_ = metric;
  family_lines_ = 0;
  out_.append("# HELP ").append(metric.name).append(" ");
  append_escaped(out_, metric.help, Quotes::plain);
  out_.append("\n# TYPE ").append(metric.name).append(" ");
  out_.append(kind_name(metric.kind)).append("\n");
}

// False: beyond a limit.
bool MetricsText::take_lines(Labels labels, size_t lines) {
  if (labels.empty()) return true;
  if (lines_ + lines > limits_.lines_max || family_lines_ + lines > limits_.family_lines_max) {
    return false;
  }
  lines_ += lines;
  family_lines_ += lines;
  return true;
}

void MetricsText::keep_other(Labels labels) {
  ++merged_;
  if (!other_labels_.empty()) return;
  for (const Label& label : labels) other_labels_.push_back({label.name, other});
}

void MetricsText::append_series(std::string_view suffix, Labels labels, std::string_view bound) {
  out_.append(metric_.name).append(suffix);
  char separator = '{';
  for (const Label& label : labels) {
    out_.append(1, separator).append(label.name).append("=\"");
    append_escaped(out_, label.value, Quotes::escaped);
    out_.push_back('"');
    separator = ',';
  }
  if (!bound.empty()) {
    out_.append(1, separator).append("le=\"").append(bound).append("\"");
    separator = ',';
  }
  if (separator == ',') out_.push_back('}');
  out_.push_back(' ');
}

void MetricsText::append_value(double value) { out_.append(number_text(value)).append("\n"); }

void MetricsText::value(Labels labels, double value) {
  if (!take_lines(labels, 1)) {
    keep_other(labels);
    other_value_ += value;
    return;
  }
  append_series("", labels, "");
  append_value(value);
}

void MetricsText::histogram(Labels labels, const HistogramView& view) {
  if (take_lines(labels, view.counts.size() + 2)) return append_histogram(labels, view);
  keep_other(labels);
  other_counts_.resize(view.counts.size());
  for (size_t index = 0; index < view.counts.size(); ++index) {
    other_counts_[index] += view.counts[index];
  }
  other_view_.unit = view.unit;
  other_view_.count += view.count;
  other_view_.sum = other_view_.sum + view.sum;
}

void MetricsText::append_histogram(Labels labels, const HistogramView& view) {
  uint64_t below = 0;
  for (size_t index = 0; index < view.counts.size(); ++index) {
    below += view.counts[index];
    const bool last = index + 1 == view.counts.size();
    append_series("_bucket", labels,
                  last ? std::string("+Inf") : number_text(in_seconds(view.upper_end(index))));
    out_.append(std::to_string(below)).append("\n");
  }
  append_series("_sum", labels, "");
  append_value(in_seconds(view.sum));
  append_series("_count", labels, "");
  out_.append(std::to_string(view.count)).append("\n");
}

void MetricsText::flush_other() {
  if (other_labels_.empty()) return;
  if (metric_.kind == MetricKind::histogram) {
    other_view_.counts = other_counts_;
    append_histogram(other_labels_, other_view_);
  } else {
    append_series("", other_labels_, "");
    append_value(other_value_);
  }
  other_labels_.clear();
  other_value_ = 0;
  other_counts_.clear();
  other_view_ = {};
}

void MetricsText::finish() { flush_other(); }

}  // namespace limpet::api
