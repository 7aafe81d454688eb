#pragma once

// MetricsText: writes what is measured in the text exposition format 0.0.4, which Prometheus and
// its kin read.
// Owner: whoever shows the metrics; it borrows the string. Thread: [any]. Never fails.
// Limits: lines_max lines with labels in all and family_lines_max in one family; what is beyond
// them is added up into one more series of the family, whose labels are all "other", so that many
// tenants cost the reader no more than some.
//
//   MetricsText metrics(out);
//   metrics.family({"limpet_queue_tasks", MetricKind::gauge, "Tasks that are not dead."});
//   metrics.value({{"queue", "jobs"}}, 12);
//   metrics.finish();

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/histogram.hpp"

namespace limpet::api {

inline constexpr std::string_view media_metrics = "text/plain; version=0.0.4; charset=utf-8";

enum class MetricKind : uint8_t { counter, gauge, histogram };

struct Metric {
  std::string_view name;  // [a-zA-Z_][a-zA-Z0-9_]*; a counter's ends in _total
  MetricKind kind;
  std::string_view help;
};

struct Label {
  std::string_view name;   // as a metric's
  std::string_view value;  // any UTF-8
};
using Labels = std::span<const Label>;

struct MetricsLimits {
  size_t lines_max = 4096;
  size_t family_lines_max = 1024;
};

class MetricsText {
 public:
  explicit MetricsText(std::string& out, MetricsLimits limits = {}) : out_(out), limits_(limits) {}

  // Begins a family: all its series follow, then the next one. REQUIRES: each name once; all series
  // of it have the same label names in the same order; the texts live until the next family.
  void family(const Metric& metric);

  // One series of a counter or gauge. REQUIRES: `labels` differ from those before.
  void value(Labels labels, double value);
  void value(std::initializer_list<Label> labels, double value) {
    this->value(Labels(labels.begin(), labels.size()), value);
  }
  // One series of a histogram, in seconds. REQUIRES: as value; the same unit and bucket count for
  // all series of a family.
  void histogram(Labels labels, const HistogramView& view);
  void histogram(std::initializer_list<Label> labels, const HistogramView& view) {
    histogram(Labels(labels.begin(), labels.size()), view);
  }

  // Writes what was added up. Call it last.
  void finish();

  // Series that were added to an `other` so far.
  [[nodiscard]] uint64_t merged() const { return merged_; }

 private:
  [[nodiscard]] bool take_lines(Labels labels, size_t lines);
  void keep_other(Labels labels);
  void append_series(std::string_view suffix, Labels labels, std::string_view bound);
  void append_value(double value);
  void append_histogram(Labels labels, const HistogramView& view);
  void flush_other();

  std::string& out_;
  const MetricsLimits limits_;
  Metric metric_ = {};
  size_t lines_ = 0;
  size_t family_lines_ = 0;
  uint64_t merged_ = 0;

  // What is beyond the limits, of the current family.
  std::vector<Label> other_labels_;  // empty: nothing
  double other_value_ = 0;
  std::vector<uint64_t> other_counts_;
  HistogramView other_view_;
};

}  // namespace limpet::api
