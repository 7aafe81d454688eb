#include "api/metrics_text.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "tests/support/exposition.hpp"
#include "tests/unit/api/server_fixture.hpp"

using namespace limpet;
using namespace limpet::testing;
using api::MetricKind;
using api::MetricsText;

namespace {

size_t lines_with(const std::string& text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("metrics_text: counters and gauges, with labels and without") {
  std::string out;
  MetricsText metrics(out);
  metrics.family({"limpet_events_total", MetricKind::counter, "Events taken."});
  metrics.value(api::Labels(), 12);
  metrics.family({"limpet_queue_tasks", MetricKind::gauge, "Tasks that are not dead."});
  metrics.value({{"queue", "jobs"}, {"tenant", "a"}}, 3);
  metrics.value({{"queue", "mail"}, {"tenant", ""}}, 0.5);
  metrics.finish();
  CHECK(out ==
        "# HELP limpet_events_total Events taken.\n"
        "# TYPE limpet_events_total counter\n"
        "limpet_events_total 12\n"
        "# HELP limpet_queue_tasks Tasks that are not dead.\n"
        "# TYPE limpet_queue_tasks gauge\n"
        "limpet_queue_tasks{queue=\"jobs\",tenant=\"a\"} 3\n"
        "limpet_queue_tasks{queue=\"mail\",tenant=\"\"} 0.5\n");
  CHECK(exposition_fault(out).empty());
}

TEST_CASE("metrics_text: quotes, backslashes and line feeds are escaped") {
  std::string out;
  MetricsText metrics(out);
  metrics.family({"m", MetricKind::gauge, "a \\ and\na \"quote\""});
  metrics.value({{"l", "a\\b\n\"c\" \xc3\xa9"}}, 1);
  metrics.finish();
  CHECK(out ==
        "# HELP m a \\\\ and\\na \"quote\"\n"
        "# TYPE m gauge\n"
        "m{l=\"a\\\\b\\n\\\"c\\\" \xc3\xa9\"} 1\n");
  CHECK(exposition_fault(out).empty());
}

TEST_CASE("metrics_text: large, small and no numbers") {
  std::string out;
  MetricsText metrics(out);
  metrics.family({"m", MetricKind::gauge, "Numbers."});
  metrics.value({{"n", "exact"}}, 9007199254740991.0);
  metrics.value({{"n", "large"}}, 1.5e300);
  metrics.value({{"n", "less"}}, -0.001);
  metrics.value({{"n", "nan"}}, std::numeric_limits<double>::quiet_NaN());
  metrics.value({{"n", "inf"}}, std::numeric_limits<double>::infinity());
  metrics.value({{"n", "ninf"}}, -std::numeric_limits<double>::infinity());
  metrics.finish();
  CHECK(contains(out, "{n=\"exact\"} 9007199254740991\n"));
  CHECK(contains(out, "{n=\"large\"} 1.5e+300\n"));
  CHECK(contains(out, "{n=\"less\"} -0.001\n"));
  CHECK(contains(out, "{n=\"nan\"} NaN\n"));
  CHECK(contains(out, "{n=\"inf\"} +Inf\n"));
  CHECK(contains(out, "{n=\"ninf\"} -Inf\n"));
  CHECK(exposition_fault(out).empty());
}

TEST_CASE("metrics_text: a histogram is cumulative, in seconds, and ends with +Inf") {
  FastHistogram histogram;
  histogram.record(microseconds(1));
  histogram.record(microseconds(3));
  histogram.record(seconds(10));
  std::string out;
  MetricsText metrics(out);
  metrics.family({"limpet_commit_seconds", MetricKind::histogram, "Commits."});
  metrics.histogram(api::Labels(), histogram.view());
  metrics.finish();
  CHECK(contains(out, "limpet_commit_seconds_bucket{le=\"1e-06\"} 1\n"));
  CHECK(contains(out, "limpet_commit_seconds_bucket{le=\"2e-06\"} 1\n"));
  CHECK(contains(out, "limpet_commit_seconds_bucket{le=\"4e-06\"} 2\n"));
  CHECK(contains(out, "limpet_commit_seconds_bucket{le=\"1.048576\"} 2\n"));
  CHECK(contains(out, "limpet_commit_seconds_bucket{le=\"+Inf\"} 3\n"));
  CHECK(contains(out, "limpet_commit_seconds_sum 10.000004\n"));
  CHECK(contains(out, "limpet_commit_seconds_count 3\n"));
  CHECK_MESSAGE(exposition_fault(out).empty(), exposition_fault(out));
}

TEST_CASE("metrics_text: series beyond the limit become one, which adds them up") {
  std::string out;
  MetricsText metrics(out, {100, 50});
  metrics.family({"a_total", MetricKind::counter, "Many."});
  for (int tenant = 0; tenant < 200; ++tenant) {
    metrics.value({{"queue", "jobs"}, {"tenant", std::to_string(tenant)}}, 2);
  }
  metrics.family({"b", MetricKind::gauge, "Few."});
  metrics.value({{"queue", "jobs"}}, 1);
  metrics.family({"c_total", MetricKind::counter, "Many again."});
  for (int tenant = 0; tenant < 200; ++tenant) {
    metrics.value({{"tenant", std::to_string(tenant)}}, 1);
  }
  metrics.family({"d", MetricKind::gauge, "Has no labels, so it is always there."});
  metrics.value(api::Labels(), 9);
  metrics.finish();
  CHECK(lines_with(out, "\na_total{") == 51);
  CHECK(contains(out, "a_total{queue=\"other\",tenant=\"other\"} 300\n"));
  CHECK(contains(out, "b{queue=\"jobs\"} 1\n"));
  CHECK(lines_with(out, "\nc_total{") == 50);
  CHECK(contains(out, "c_total{tenant=\"other\"} 151\n"));
  CHECK(contains(out, "\nd 9\n"));
  CHECK(metrics.merged() == 301);
  CHECK_MESSAGE(exposition_fault(out).empty(), exposition_fault(out));
}

TEST_CASE("metrics_text: histograms beyond the limit are merged bucket by bucket") {
  SlowHistogram histogram;
  histogram.record(milliseconds(3));
  histogram.record(seconds(100000));
  std::string out;
  MetricsText metrics(out, {4096, 60});  // two of them have 52 lines
  metrics.family({"h", MetricKind::histogram, "Times."});
  for (int tool = 0; tool < 5; ++tool) {
    metrics.histogram({{"tool", std::to_string(tool)}}, histogram.view());
  }
  metrics.finish();
  CHECK(lines_with(out, "\nh_count{") == 3);
  CHECK(contains(out, "h_bucket{tool=\"other\",le=\"0.004\"} 3\n"));
  CHECK(contains(out, "h_count{tool=\"other\"} 6\n"));
  CHECK_MESSAGE(exposition_fault(out).empty(), exposition_fault(out));
}

TEST_CASE("metrics_text: by default no more than 4096 lines and one for each family's rest") {
  std::string out;
  MetricsText metrics(out);
  std::vector<std::string> names;
  for (int family = 0; family < 8; ++family) names.push_back("m" + std::to_string(family));
  for (const std::string& name : names) {
    metrics.family({name, MetricKind::gauge, "Many."});
    for (int tenant = 0; tenant < 3000; ++tenant) {
      metrics.value({{"tenant", std::to_string(tenant)}}, 1);
    }
  }
  metrics.finish();
  CHECK(lines_with(out, "{tenant=") == 4096 + 8);
  CHECK_MESSAGE(exposition_fault(out).empty(), exposition_fault(out));
}

TEST_CASE("metrics_text: the checker of these tests sees what is wrong") {
  CHECK_FALSE(exposition_fault("m 1").empty());
  CHECK_FALSE(exposition_fault("m 1\n").empty());
  const std::string gauge = "# HELP m x\n# TYPE m gauge\n";
  CHECK(exposition_fault(gauge + "m 1\n").empty());
  CHECK_FALSE(exposition_fault(gauge + "m one\n").empty());
  CHECK_FALSE(exposition_fault(gauge + "n 1\n").empty());
  CHECK_FALSE(exposition_fault(gauge + "m 1\nm 1\n").empty());
  CHECK_FALSE(exposition_fault(gauge + "m{a=\"1\",a=\"2\"} 1\n").empty());
  CHECK_FALSE(exposition_fault(gauge + "m{a=\"1} 1\n").empty());
  CHECK_FALSE(exposition_fault(gauge + "m 1\n" + gauge).empty());
  CHECK_FALSE(exposition_fault("# HELP m x\n# TYPE m counter\nm 1\n").empty());
  const std::string histogram = "# HELP h x\n# TYPE h histogram\n";
  CHECK_FALSE(
      exposition_fault(histogram + "h_bucket{le=\"+Inf\"} 2\nh_sum 1\nh_count 1\n").empty());
  CHECK_FALSE(exposition_fault(histogram + "h_bucket{le=\"1\"} 2\nh_sum 1\nh_count 2\n").empty());
  CHECK_FALSE(exposition_fault(histogram + "h_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\n"
                                           "h_sum 1\nh_count 1\n")
                  .empty());
}

TEST_CASE("metrics: are served as the format's media type") {
  ServerFixture server;
  server.on_loop([&] { server.services.metrics = "# HELP m x\n# TYPE m gauge\nm 1\n"; });
  const cli::HttpResponse response = server.get("/metrics");
  CHECK(response.status == 200);
  CHECK(response.header("content-type") == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(contains(response.body, "\nm 1\n"));
}
