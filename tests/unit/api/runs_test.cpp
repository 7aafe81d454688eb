// /v1/runs: submit, look, list, resolve, cancel, follow to the end.

#include <doctest/doctest.h>

#include <algorithm>

#include "codec/cbor_value.hpp"
#include "tests/unit/api/server_fixture.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

Event run_event(std::string_view type, uint64_t run) {
  Event event = make_event(std::string(type), 1);
  event.run = RunId(run);
  return event;
}

}  // namespace

TEST_CASE("runs: submitting answers 202 with the id, the same key again 200 with the first run") {
  ServerFixture server;
  const cli::HttpRequest request = {
      "POST",
      "/v1/runs",
      {{"Idempotency-Key", "k1"}},
      R"({"agent":"watchdog","input":{"n":1},"key":null,"priority":7,"deadline_ms":null})"};
  const cli::HttpResponse first = server.call(request);
  CHECK(first.status == 202);
  CHECK(first.body == R"({"run":"04hmasw9-1","created":true})");
  const cli::HttpResponse second = server.call(request);
  CHECK(second.status == 200);
  CHECK(second.body == R"({"run":"04hmasw9-1","created":false})");
  server.on_loop([&] {
    CHECK(server.services.submissions[0].priority == 7);
    CHECK(server.services.submissions[0].input == codec::cbor_map({{"n", 1}}));
  });
}

TEST_CASE("runs: a request that is wrong is refused with the member at fault") {
  const ServerFixture server;
  const auto detail = [&](const std::string& body) {
    const cli::HttpResponse response = server.post("/v1/runs", body);
    CHECK(response.status == 400);
    return response.body;
  };
  CHECK(has(detail("{}"), "`agent` is missing"));
  CHECK(has(detail(R"({"agent":"watchdog","prority":1})"), "`prority` is not known here"));
  CHECK(has(detail(R"({"agent":"watchdog","priority":10})"), "from 0 to 9"));
  CHECK(has(detail(R"({"agent":3})"), "`agent` is not a string"));
  CHECK(has(detail(R"({"agent":"a","agent":"b"})"), "`agent`"));
  CHECK(has(detail("[]"), "not a JSON object"));
  CHECK(has(detail("{\n\"agent\": nope}"), "line 2"));
  CHECK(server.post("/v1/runs", R"({"agent":"nobody"})").status == 404);
}

TEST_CASE("runs: a run is shown with its steps, input and output") {
  ServerFixture server;
  server.on_loop([&] {
    api::RunView view;
    view.run.id = RunId(7);
    view.run.agent = "watchdog";
    view.run.state = RunState::waiting;
    view.run.created = WallTime{1'700'000'000'000'000'000U};
    view.input = codec::cbor_map({{"n", 1}});
    Step step;
    step.ordinal = Ordinal(1);
    step.name = "tell";
    step.tool = "notify.write";
    step.state = StepState::unknown;
    step.started = Sequence(9);
    view.steps.push_back(step);
    server.services.runs.push_back(view);
  });
  const std::string body = server.get("/v1/runs/04hmasw9-7").body;
  CHECK(has(body, R"("run":"04hmasw9-7","agent":"watchdog","state":"waiting","reason":null)"));
  CHECK(has(body, R"("input":{"n":1},"output":null)"));
  CHECK(has(body, R"("name":"tell","kind":"call","state":"unknown","outcome":null)"));
  CHECK(has(body, R"("started":9,"finished":null)"));
  CHECK(has(body, R"("created":"2023-11-14T22:13:20Z")"));
  CHECK(server.get("/v1/runs/04hmasw9-8").status == 404);
  CHECK(server.get("/v1/runs/zzzzzzzz-7").status == 404);
  CHECK(server.get("/v1/runs/7").status == 404);
}

TEST_CASE("runs: are listed newest first, by state, agent and page") {
  ServerFixture server;
  server.on_loop([&] {
    for (uint64_t id = 1; id <= 5; ++id) {
      api::RunView view;
      view.run.id = RunId(id);
      view.run.agent = id == 3 ? "other" : "watchdog";
      view.run.state = id == 2 ? RunState::failed : RunState::waiting;
      server.services.runs.push_back(view);
    }
  });
  const std::string page = server.get("/v1/runs?limit=2").body;
  CHECK(page.find("04hmasw9-5") < page.find("04hmasw9-4"));
  CHECK_FALSE(has(page, "\"run\":\"04hmasw9-3\""));
  CHECK(has(page, R"("next":"04hmasw9-4"})"));
  const std::string rest = server.get("/v1/runs?limit=9&before=04hmasw9-4").body;
  CHECK(has(rest, "04hmasw9-1"));
  CHECK(has(rest, R"("next":null})"));
  CHECK(has(server.get("/v1/runs?state=failed").body, R"("run":"04hmasw9-2")"));
  CHECK(has(server.get("/v1/runs?agent=other").body, R"("run":"04hmasw9-3")"));
  CHECK(server.get("/v1/runs?state=asleep").status == 400);
}

TEST_CASE("runs: a step of unknown outcome is settled by name or ordinal") {
  ServerFixture server;
  server.on_loop([&] {
    api::RunView view;
    view.run.id = RunId(7);
    for (uint32_t ordinal = 1; ordinal <= 3; ++ordinal) {
      Step step;
      step.ordinal = Ordinal(ordinal);
      step.name = "tell";
      step.state = ordinal == 2 ? StepState::unknown : StepState::finished;
      view.steps.push_back(step);
    }
    server.services.runs.push_back(view);
  });
  const std::string steps = "/v1/runs/04hmasw9-7/steps/";
  CHECK(server.post(steps + "tell/resolve", R"({"outcome":"done","value":{"id":4}})").status ==
        200);
  CHECK(server.post(steps + "3/resolve", R"({"outcome":"fail","reason":"no"})").status == 200);
  CHECK(server.post(steps + "none/resolve", R"({"outcome":"retry"})").status == 404);
  CHECK(server.post(steps + "2/resolve", R"({"outcome":"perhaps"})").status == 400);
  std::vector<api::Resolution> resolutions;
  server.on_loop([&] {
    resolutions = server.services.resolutions;
    server.services.may_operate = false;
  });
  REQUIRE(resolutions.size() == 2);
  CHECK(resolutions[0].step == Ordinal(2));
  CHECK(resolutions[0].value == codec::cbor_map({{"id", 4}}));
  CHECK(resolutions[1].outcome == Outcome::failed);
  CHECK(server.post(steps + "2/resolve", R"({"outcome":"retry"})").status == 403);
}

TEST_CASE("runs: cancelling an ended run is a conflict") {
  ServerFixture server;
  REQUIRE(server.post("/v1/runs", R"({"agent":"watchdog"})").status == 202);
  CHECK(server.post("/v1/runs/04hmasw9-1/cancel", "").status == 200);
  const cli::HttpResponse again = server.post("/v1/runs/04hmasw9-1/cancel", "");
  CHECK(again.status == 409);
  CHECK(has(again.body, "The run has ended."));
}

TEST_CASE("runs: a run's stream shows its events only and ends with the run") {
  ServerFixture server;
  REQUIRE(server.post("/v1/runs", R"({"agent":"watchdog"})").status == 202);
  cli::HttpClient client = server.connect();
  REQUIRE(
      client.send({"GET", "/v1/runs/04hmasw9-1/events", {{"Accept", "text/event-stream"}}, ""}));
  REQUIRE(client.read_head());
  CHECK(has(read_until(client, "\n\n", 1), "event: limpet.run.created\n"));
  server.on_loop([&] {
    server.services.append(make_event("a.b", 1));
    server.services.append(run_event(event_type::step_started, 1));
    server.services.append(run_event(event_type::run_completed, 1));
    server.services.runs[0].run.state = RunState::completed;
    server.services.append(run_event(event_type::step_progress, 1));
  });
  const std::string rest = read_until(client, "\n\n", 100);
  CHECK(has(rest, "id: 3\nevent: limpet.step.started\n"));
  CHECK(has(rest, "id: 4\nevent: limpet.run.completed\n"));
  CHECK_FALSE(has(rest, "a.b"));
  CHECK_FALSE(has(rest, "progress"));
  // A run that has ended is shown whole and then ends too, whether or not one follows.
  const cli::HttpResponse whole = server.get("/v1/runs/04hmasw9-1/events?follow=true");
  CHECK(std::count(whole.body.begin(), whole.body.end(), '\n') == 3);
  CHECK(server.get("/v1/runs/04hmasw9-9/events").status == 404);
}
