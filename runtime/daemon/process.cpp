#include "daemon/process.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "codec/cbor_value.hpp"
#include "daemon/commit.hpp"
#include "daemon/setup.hpp"
#include "daemon/setup_work.hpp"
#include "platform/machine_id.hpp"
#include "platform/memory.hpp"
#include "platform/random.hpp"

namespace limpet::daemon {

namespace {

constexpr Duration drain_time = seconds(10);  // for open calls and requests; what is left is redone
constexpr Duration stall_limit = seconds(2);
constexpr Duration memory_watch_interval = seconds(2);
constexpr size_t worker_count = 4;

std::string sentence(const std::string& what, const Error& error) {
  return what + ": " + to_string(error) + " (" + std::string(error_advice(error.code)) + ")";
}

std::string parent_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
}

// Enough of the boot's id to tell it from others; 0: unknown.
uint32_t boot_number() {
  const Result<std::string> id = platform::boot_id();
  return id.ok() ? static_cast<uint32_t>(std::strtoul(id->substr(0, 8).c_str(), nullptr, 16)) : 0;
}

}  // namespace

Process::Process(config::Settings settings, platform::Clock& clock, Logger& logger)
    : settings_(std::move(settings)), clock_(clock), logger_(logger) {}

Process::~Process() {
  // The API goes first, so that no request comes in while the rest is taken down; the workers last
  // of those who may still call into the host.
  api_.reset();
  if (workers_) workers_->stop();
}

std::optional<std::string> Process::start() {
  if (auto problem = open_loop()) return problem;
  if (auto problem = open_store()) return problem;

  // From here on the store is ours and readable; nobody uses it yet.
  if (auto problem = load_plugins()) return problem;
  triggers_.emplace(make_triggers(settings_));
  runs_.emplace(*store_);
  house_.emplace(House{*store_, *runs_, dedup_, *triggers_, agents_, clock_, logger_,
                       "limpet/" + settings_.name});
  if (auto problem = load_classes()) return problem;
  intake_.emplace(*house_);
  imports_.emplace(*house_);
  turns_.emplace(*house_, *host_);
  if (auto problem = load_queues()) return problem;
  calls_.emplace(*house_, *host_, &*queue_house_);
  watch_for_culprits();
  pause_after_crashes();
  timers_.emplace(*house_);
  status_.emplace(StatusParts{*house_, settings_, *host_, *intake_, *turns_, *calls_, *timers_,
                              &*consumer_house_, &*schedules_, &*consumers_});
  rights_ = make_rights(settings_);
  services_.emplace(HouseServices::Parts{*house_, *intake_, *calls_, *host_, *status_, rights_,
                                         &*consumers_, &*imports_});
  if (const Result<void> loaded = dedup_.load(*store_); !loaded.ok()) {
    return sentence("cannot read the ids of recent events", loaded.error());
  }
  alarm_.emplace(*loop_, [this] { round(); });
  memory_watch_.emplace(*loop_, [this] { watch_memory(); });
  memory_watch_->arm_after(memory_watch_interval);

  // From here on events can be taken: the socket opens, sources begin, what the last stop left
  // behind goes on.
  record(event_type::store_state, "store",
         codec::cbor_map({{"state", store_->repairs().any() ? "repaired" : "open"},
                          {"incarnation", store_->incarnation().value()},
                          {"new", store_->created()},
                          {"new_epoch", store_->epoch_changed()},
                          {"meta_page_repaired", store_->repairs().meta_page},
                          {"set_aside", store_->repairs().set_aside},
                          {"damaged_records", store_->repairs().damaged_records},
                          {"unclean_starts", store_->unclean_starts()}}));
  // The socket first: if another daemon serves there, nothing has begun yet.
  if (auto problem = open_api()) return problem;
  for (const host::Refusal& refusal : host_->start()) {
    logger_.line(LogLevel::error, "host", refusal.sentence);
  }
  round();
  if (service_manager_) static_cast<void>(service_manager_->ready());
  logger_.line(LogLevel::info, "daemon",
               "serving at " + settings_.api.socket + ", epoch " + to_string(store_->epoch()));
  return std::nullopt;
}

std::optional<std::string> Process::open_loop() {
  auto loop = loop::Loop::create({});
  if (!loop.ok()) return sentence("cannot start the main loop", loop.error());
  loop_ = std::move(loop).value();
  loop::WorkerPoolOptions options;
  options.thread_count = worker_count;
  auto workers = loop::WorkerPool::create(std::move(options));
  if (!workers.ok()) return sentence("cannot start the workers", workers.error());
  workers_ = std::move(workers).value();
  executor_ = std::make_unique<host::LoopExecutor>(*loop_, *workers_);
  auto signals = loop::Signals::create(*loop_, {SIGTERM, SIGINT, SIGHUP}, [this](int number) {
    if (number == SIGHUP) {
      logger_.line(LogLevel::warning, "daemon", "SIGHUP: a changed config is taken by a restart");
      return;
    }
    begin_stop(number == SIGTERM ? "SIGTERM" : "SIGINT");
  });
  if (!signals.ok()) return sentence("cannot take signals", signals.error());
  signals_ = std::move(signals).value();
  auto watch = loop::StallWatch::create(*loop_, stall_limit, [this](const loop::Stall& stall) {
    logger_.line(LogLevel::warning, "daemon",
                 "main has been busy for " + std::to_string(to_ms(stall.so_far)) + " ms with " +
                     stall.activity);
  });
  if (!watch.ok()) return sentence("cannot watch for stalls", watch.error());
  stall_watch_ = std::move(watch).value();
  service_manager_ =
      std::make_unique<platform::ServiceManager>(platform::take_service_environment());
  if (const auto interval = service_manager_->watchdog_interval()) {
    watchdog_.emplace(*loop_, [this, every = *interval] {
      // Progress, not presence: a store that is stuck lets the manager restart us.
      if (status_ && status_->health().ok) static_cast<void>(service_manager_->watchdog());
      watchdog_->arm_after(every);
    });
    watchdog_->arm_after(*interval);
  }
  return std::nullopt;
}

std::optional<std::string> Process::open_store() {
  store::OpenOptions options;
  options.directory = settings_.store.path;
  options.max_bytes = settings_.store.max_bytes;
  options.create = settings_.store.create;
  if (const auto id = platform::machine_id(); id.ok()) options.machine_id = *id;
  options.boot = boot_number();
  // Zero is "none".
  options.new_epoch = Epoch(std::max<uint64_t>(platform::SystemRandom().number() & epoch_mask, 1));
  auto opened =
      store::Store::open(options, {clock_, logger_, [this] { wake(); },
                                   milliseconds(static_cast<int64_t>(settings_.store.linger_ms))});
  if (!opened.ok()) {
    return sentence("cannot open the store in " + settings_.store.path, opened.error());
  }
  store_ = std::move(opened).value();
  return std::nullopt;
}

Result<ByteVector> Process::source_position(const std::string& instance) {
  LIMPET_TRY(const store::Reader::Snapshot snapshot, store_->reader().snapshot());
  LIMPET_TRY(const std::optional<ByteSpan> position,
             snapshot.get(store::source_position_key(instance)));
  return position ? ByteVector(position->begin(), position->end()) : ByteVector();
}

std::optional<std::string> Process::load_plugins() {
  host_ = host::create_host(host_options(settings_), *executor_, *this, logger_);
  for (const config::PluginSettings& plugin : settings_.plugins) {
    host::InstanceSettings instance = instance_settings(plugin);
    Result<ByteVector> position = source_position(plugin.name);
    if (!position.ok()) return sentence("cannot read the position of a source", position.error());
    instance.position = std::move(position).value();
    if (const auto refusal = host_->load(instance)) return refusal->sentence;
  }
  std::vector<std::string> problems;
  agents_ = make_agents(settings_, *host_, problems);
  if (!problems.empty()) return problems.front();
  return std::nullopt;
}

std::optional<std::string> Process::load_classes() {
  Result<store::Classes> classes = store::Classes::load(*store_, make_classes(settings_));
  if (!classes.ok()) return sentence("cannot read the classes of events", classes.error());
  classes_.emplace(std::move(classes).value());
  retention_.emplace(*house_, *classes_,
                     [this](uint8_t number) { return consumers_->floor_of(number); });
  house_->retention = &*retention_;
  consumers_.emplace(*store_, class_types(*classes_));
  const Result<std::vector<std::string>> damaged = consumers_->load();
  if (!damaged.ok()) return sentence("cannot read the consumers of the log", damaged.error());
  for (const std::string& name : *damaged) {
    logger_.line(LogLevel::error, "consumers", name + " cannot be read: make it anew");
  }
  consumer_house_.emplace(*house_, *consumers_, [this] { wake(); });
  return std::nullopt;
}

std::optional<std::string> Process::load_queues() {
  dispatch::Queues::Wiring wiring{
      *store_,
      clock_,
      house_->source,
      platform::SystemRandom().number(),
      [this](const EventView& event) { follow_event(*house_, event); },
      [this](std::string_view type) { return classes_->class_of(type); }};
  queues_.emplace(std::move(wiring));
  if (const Result<void> loaded = queues_->load(make_queues(settings_)); !loaded.ok()) {
    return sentence("cannot read the queues", loaded.error());
  }
  tool_rules_ = make_tool_rules(settings_);
  house_->queues = &*queues_;
  house_->tools = &tool_rules_;
  queue_house_.emplace(*house_, [this] { wake(); });
  drop_reports_.emplace(*house_);
  schedules_.emplace(*house_, make_schedules(settings_));
  if (const Result<void> loaded = schedules_->load(); !loaded.ok()) {
    return sentence("cannot read the schedules", loaded.error());
  }
  return std::nullopt;
}

// Beside the socket, which is where a system keeps what need not survive a boot.
void Process::watch_for_culprits() {
  const std::string file = parent_of(settings_.api.socket) + "/limpet-under-way";
  if (const auto made = platform::make_directories(parent_of(file)); !made.ok()) return;
  const Result<std::string> boot = platform::boot_id();
  Result<Suspects> opened = Suspects::open(file, boot.ok() ? *boot : "", clock_.boot());
  if (!opened.ok()) {
    logger_.line(LogLevel::warning, "daemon",
                 sentence("nothing is known of what the last process died of", opened.error()));
    return;
  }
  suspects_ = std::move(opened).value();
  house_->suspects = &suspects_;
  const std::optional<UnderWay> culprit = suspects_.take_culprit();
  if (!culprit) return;
  const bool turn = culprit->kind == UnderWay::Kind::turn;
  logger_.line(LogLevel::warning, "daemon",
               std::string("the last process died during a ") + (turn ? "turn" : "call") +
                   " of run " + qualified_id(store_->epoch(), culprit->run.value()));
  turn ? turns_->blame(*culprit) : calls_->blame(*culprit);
}

// A process that dies again and again is looked at by a person before it moves valves again.
void Process::pause_after_crashes() {
  const uint64_t limit = settings_.limits.unclean_starts;
  if (limit == 0 || store_->unclean_starts() < limit) return;
  house_->turns_paused = true;
  house_->calls_paused = true;
  logger_.line(LogLevel::error, "daemon",
               std::to_string(store_->unclean_starts()) +
                   " unclean ends within ten minutes: turns and calls are paused until `limpet "
                   "queue resume turns` and `limpet queue resume calls`");
}

std::optional<std::string> Process::open_api() {
  if (const auto made = platform::make_directories(parent_of(settings_.api.socket)); !made.ok()) {
    return sentence("cannot make the folder of " + settings_.api.socket, made.error());
  }
  api::ServerOptions options;
  options.socket.path = settings_.api.socket;
  if (!settings_.api.tcp.empty()) {
    const Result<std::string> file = platform::read_file(settings_.api.token_file, 64 * 1024);
    if (!file.ok()) return sentence("cannot read " + settings_.api.token_file, file.error());
    auto tokens = api::TokenTable::parse(*file);
    if (!tokens.ok()) return settings_.api.token_file + ": " + tokens.detail();
    api::TcpOptions tcp;
    tcp.listen.address = settings_.api.tcp;
    tcp.tokens = std::move(tokens).value();
    options.tcp = std::move(tcp);
  }
  auto api =
      api::Api::create(*loop_, {*services_, &*queue_house_, &*consumer_house_}, std::move(options));
  if (!api.ok()) return sentence("cannot listen at " + settings_.api.socket, api.error());
  api_ = std::move(api).value();
  return std::nullopt;
}

int Process::serve() {
  loop_->run();
  // At this point nobody adds work any more. What was submitted is committed and answered.
  store_->drain();
  suspects_.close();
  if (const auto failure = store_->failure()) {
    logger_.line(LogLevel::error, "store", sentence("the store has closed", *failure));
    return 1;
  }
  return exit_code_;
}

void Process::wake() {
  if (woken_.exchange(true)) return;
  // At most one such post is under way, so the loop's limit cannot be what refuses it; if it ever
  // were, the next commit would try again.
  if (!loop_->post([this] { round(); })) woken_ = false;
}

void Process::round() {
  woken_ = false;
  const BootTime begun = clock_.boot();
  store_->deliver();
  if (const auto failure = store_->failure(); failure && !stopping_) {
    exit_code_ = 1;
    begin_stop("the store has closed: " + to_string(*failure));
  }
  queue_house_->pump();
  consumer_house_->pump();
  if (!stopping_) {
    timers_->pump();
    schedules_->pump();
    retention_->pump();
    drop_reports_->pump();
    turns_->pump();
  }
  calls_->pump();
  runs_->sweep();
  services_->committed();
  house_->measures.round.record(clock_.boot() - begun);
  set_alarm();
  stop_if_drained();
}

void Process::set_alarm() {
  std::optional<store::StoreMs> due;
  for (const auto& one :
       {turns_->next_due(), calls_->next_due(), timers_->next_due(), queue_house_->next_due(),
        consumer_house_->next_due(), schedules_->next_due(), retention_->next_due(),
        drop_reports_->next_due()}) {
    if (one) due = std::min(due.value_or(*one), *one);
  }
  if (!due || stopping_) return alarm_->cancel();
  const store::StoreMs now = store_->now_ms();
  // What is due already waits for a commit that is on its way, or for room; that commit wakes us.
  const int64_t delay_ms = *due > now ? static_cast<int64_t>(*due - now) : 1;
  alarm_->arm_after(milliseconds(delay_ms));
}

// What the process holds itself; clean pages of files, such as the store's, can always be taken
// back.
void Process::watch_memory() {
  memory_watch_->arm_after(memory_watch_interval);
  const Result<platform::MemoryUse> use = platform::memory_use();
  if (!use.ok()) return;
  const bool pressed = use->anonymous_bytes > settings_.limits.memory_bytes;
  if (pressed == house_->memory_pressed) return;
  house_->memory_pressed = pressed;
  logger_.line(LogLevel::warning, "daemon",
               pressed ? "above limits.memory: new work is refused until it has shrunk"
                       : "below limits.memory again");
  if (pressed) static_cast<void>(platform::release_free_memory());
}

void Process::record(std::string_view type, std::string_view subject, ByteVector data) {
  Event event;
  event.type = type;
  event.source = house_->source;
  event.subject = subject;
  event.time = clock_.wall();
  event.data = std::move(data);
  Commit commit(*house_);
  const Result<Sequence> appended = commit.append(event);
  Result<void> result;
  if (!appended.ok()) result = appended.error();
  if (result.ok()) result = commit.submit(nullptr);
  if (!result.ok()) logger_.line(LogLevel::error, "daemon", to_string(result.error()));
}

host::Taken Process::emitted(const host::Emission& emission) {
  if (stopping_) return host::Taken::full;
  return intake_->emit(
      emission, [this, instance = emission.instance, id = emission.id](const Result<void>& fate) {
        host_->settled(instance, id, fate);
      });
}

void Process::state_changed(std::string_view instance, host::InstanceState state,
                            std::string_view reason) {
  if (!reason.empty()) {
    logger_.line(LogLevel::warning, "host",
                 std::string(instance) + " is " + std::string(host::to_string(state)) + ": " +
                     std::string(reason));
  }
  if (!house_) return;
  record(event_type::plugin_state, instance,
         codec::cbor_map(
             {{"plugin", instance}, {"state", host::to_string(state)}, {"reason", reason}}));
}

// Progress is for leases, which tool calls in this process do not have: their deadline is fixed.
void Process::progressed(uint64_t, uint32_t, std::string_view) {}

void Process::begin_stop(const std::string& why) {
  if (stopping_) return;
  stopping_ = true;
  logger_.line(LogLevel::info, "daemon", "stopping: " + why);
  if (service_manager_) static_cast<void>(service_manager_->stopping());
  alarm_->cancel();
  calls_->close();
  queue_house_->close();
  consumer_house_->close();
  retention_->close();
  drop_reports_->close();
  host_->stop(loop::Loop::now() + drain_time, [this](const std::vector<std::string>& left) {
    for (const std::string& one : left) logger_.line(LogLevel::warning, "host", one);
    host_drained_ = true;
    stop_if_drained();
  });
  drain_limit_.emplace(*loop_, [this] {
    logger_.line(LogLevel::warning, "daemon", "not drained in time; the next start goes on");
    loop_->stop();
  });
  drain_limit_->arm_after(drain_time + seconds(5));
  api_->close([this] {
    api_drained_ = true;
    stop_if_drained();
  });
}

void Process::stop_if_drained() {
  if (stopping_ && host_drained_ && api_drained_ && calls_->open() == 0 && turns_->open() == 0) {
    loop_->stop();
  }
}

}  // namespace limpet::daemon
