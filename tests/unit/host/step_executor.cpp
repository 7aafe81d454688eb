#include "step_executor.hpp"

#include <doctest/doctest.h>

#include "codec/cbor.hpp"

namespace limpet::host::test {

BootTime StepExecutor::now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

void StepExecutor::post(loop::Task work) {
  const std::lock_guard lock(mutex_);
  posts_.push_back(std::move(work));
}

bool StepExecutor::submit(loop::Task work) {
  const std::lock_guard lock(mutex_);
  if (jobs_.size() >= jobs_max) return false;
  jobs_.push_back(std::move(work));
  return true;
}

void StepExecutor::wake_at(BootTime due, loop::Task work) {
  due_ = due;
  wake_ = std::move(work);
}

bool StepExecutor::run_main() {
  loop::Task work;
  {
    const std::lock_guard lock(mutex_);
    if (!posts_.empty()) {
      work = std::move(posts_.front());
      posts_.pop_front();
    }
  }
  if (!work && due_ && *due_ <= now()) {
    due_.reset();
    work = std::move(wake_);
  }
  if (!work) return false;
  work();
  return true;
}

std::optional<loop::Task> StepExecutor::take_job() {
  const std::lock_guard lock(mutex_);
  if (jobs_.empty()) return std::nullopt;
  loop::Task job = std::move(jobs_.front());
  jobs_.pop_front();
  return job;
}

bool StepExecutor::run_jobs() {
  bool any = false;
  while (std::optional<loop::Task> job = take_job()) {
    (*job)();
    any = true;
  }
  return any;
}

void StepExecutor::settle() {
  while (run_main() || run_jobs()) {
  }
}

void StepExecutor::advance(Duration duration) {
  {
    const std::lock_guard lock(mutex_);
    now_ = now_ + duration;
  }
  while (run_main()) {
  }
}

size_t StepExecutor::posts() const {
  const std::lock_guard lock(mutex_);
  return posts_.size();
}

World::World(HostOptions options)
    : host(create_host(std::move(options), executor, observer, logger)) {}

World::~World() {
  if (started_) stop(seconds(0));
}

void World::start_stray(ByteVector config, std::string position) {
  InstanceSettings settings = settings_of("stray");
  settings.config = std::move(config);
  settings.position.assign(position.begin(), position.end());
  const auto refusal = host->load(settings);
  CAPTURE(refusal ? refusal->sentence : "");
  REQUIRE_FALSE(refusal.has_value());
  started_ = true;
  REQUIRE(host->start().empty());
}

Result<void> World::begin(uint64_t id, const std::string& tool, ByteVector arguments) {
  ToolCall call;
  call.id = id;
  call.tool = "stray." + tool;
  call.key = "run/step/1";
  call.arguments = std::move(arguments);
  return host->call(std::move(call),
                    [this, id](ToolResult result) { results[id].push_back(std::move(result)); });
}

ToolResult World::call(const std::string& tool, ByteVector arguments) {
  const uint64_t id = ++last_id_;
  const Result<void> begun = begin(id, tool, std::move(arguments));
  REQUIRE(begun.ok());
  REQUIRE(results[id].size() == 1);
  CHECK(results[id].front().id == id);
  return results[id].front();
}

std::string World::ask(const std::string& tool, ByteVector arguments) {
  const ToolResult result = call(tool, std::move(arguments));
  CHECK(result.outcome == Outcome::done);
  return text_of(result.value);
}

std::vector<std::string> World::stop(Duration patience) {
  started_ = false;
  std::optional<std::vector<std::string>> unfinished;
  host->stop(executor.now() + patience,
             [&](std::vector<std::string> names) { unfinished = std::move(names); });
  executor.settle();
  // The deadline, then the grace of the calls that were told to cancel.
  executor.advance(patience);
  executor.advance(milliseconds(1000));
  REQUIRE(unfinished.has_value());
  return *unfinished;
}

std::string plugin_path(const std::string& name) {
  return std::string(LIMPET_TEST_PLUGINS) + "/" + name + ".so";
}

InstanceSettings settings_of(const std::string& plugin) {
  InstanceSettings settings;
  settings.name = plugin;
  settings.path = plugin_path(plugin);
  return settings;
}

std::string text_of(ByteSpan item) {
  codec::CborReader reader(item);
  const std::string text(reader.text());
  return reader.finish().ok() ? text : "?";
}

}  // namespace limpet::host::test
