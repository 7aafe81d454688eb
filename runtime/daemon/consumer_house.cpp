#include "daemon/consumer_house.hpp"

#include "daemon/answers.hpp"

#include <algorithm>
#include <set>

#include "api/json_writer.hpp"
#include "codec/event_json.hpp"
#include "store/consumer_record.hpp"

namespace limpet::daemon {

namespace {

constexpr uint32_t waits_retry_ms = 1000;
constexpr size_t scans_max = 4;

// Rounded up, so that it is due when the alarm rings.
store::StoreMs at(store::StoreMs now_ms, BootTime now, BootTime due) {
  if (due <= now) return now_ms;
  return now_ms + (due.ns - now.ns + 999999) / 1000000;
}

std::string_view to_text(dispatch::StartAt start) {
  switch (start) {
    case dispatch::StartAt::all: return "all";
    case dispatch::StartAt::fresh: return "new";
    case dispatch::StartAt::last: return "last";
    case dispatch::StartAt::sequence: return "sequence";
    case dispatch::StartAt::time: return "time";
  }
  return "";
}

void append_settings(api::JsonObject& object, const dispatch::ConsumerSettings& settings,
                     Epoch epoch) {
  object.text_or_null("type", settings.type_pattern);
  object.text_or_null("subject", settings.subject_pattern);
  object.text_or_null(
      "run", settings.run.none() ? std::string() : qualified_id(epoch, settings.run.value()));
  object.text("start", to_text(settings.start));
  const bool original = settings.pace == dispatch::Pace::original;
  object.text("pace", original ? "original" : "instant");
  object.number("speed_percent", settings.speed_percent);
  object.text("ack", settings.ack == dispatch::AckMode::none ? "none" : "explicit");
  object.number("max_in_flight", settings.in_flight_max);
  object.number("ack_wait_ms", static_cast<uint64_t>(to_ms(settings.ack_wait)));
  object.number("backoff_max_ms", static_cast<uint64_t>(to_ms(settings.backoff_max)));
}

}  // namespace

void ConsumerHouse::pump() {
  serve_waits();
  write_moved(false);
}

std::optional<store::StoreMs> ConsumerHouse::next_due() {
  const BootTime now = house_.clock.boot();
  std::optional<BootTime> due = consumers_.write_due(now);
  const auto sooner = [&due](BootTime one) { due = std::min(due.value_or(one), one); };
  if (unread_) sooner(now);
  for (const Wait& wait : waits_) {
    sooner(wait.until);
    const dispatch::Consumer* const consumer = consumers_.find(wait.request.consumer);
    const auto one = consumer == nullptr ? std::nullopt : consumer->next_due();
    if (one) sooner(*one);
  }
  if (!due) return std::nullopt;
  return at(house_.store.now_ms(), now, *due);
}

void ConsumerHouse::close() {
  closed_ = true;
  serve_waits();
  write_moved(true);
}

// Fetching -------------------------------------------------------------------------------------

uint64_t ConsumerHouse::fetch(api::FetchRequest request, api::Done<api::Fetched> done) {
  // Who came first is served first.
  const bool others = std::ranges::any_of(
      waits_, [&](const Wait& wait) { return wait.request.consumer == request.consumer; });
  api::Fetched fetched;
  if (!others || request.wait_ms <= 0) {
    Result<api::Fetched> now = try_fetch(request);
    if (!now.ok()) {
      done(refusal_of(now.error()));
      return 0;
    }
    fetched = std::move(now).value();
  }
  if (!fetched.events.empty() || request.wait_ms <= 0 || closed_) {
    done(std::move(fetched));
    return 0;
  }
  if (waits_.size() >= fetch_waits_max) {
    ++counters_.waits_refused;
    done(api::Refusal{Error{ErrorCode::busy, "consumer: fetch"},
                      "Too many readers wait for events.", waits_retry_ms});
    return 0;
  }
  const BootTime until = house_.clock.boot() + milliseconds(request.wait_ms);
  waits_.push_back({next_wait_, std::move(request), until, std::move(done)});
  stir_();
  return next_wait_++;
}

void ConsumerHouse::cancel_fetch(uint64_t id) {
  std::erase_if(waits_, [id](const Wait& wait) { return wait.id == id; });
}

Result<api::Fetched> ConsumerHouse::try_fetch(const api::FetchRequest& request) {
  const dispatch::Consumer* const consumer = consumers_.find(request.consumer);
  if (consumer == nullptr) return Error{ErrorCode::not_found, "consumer: there is none"};
  const bool acks = consumer->settings().ack == dispatch::AckMode::explicit_each;
  api::Fetched fetched;
  size_t bytes = 0;
  const dispatch::FetchLimits wanted{
      std::min(request.events_max, dispatch::consumer_fetch_events_max), house_.clock.boot()};
  LIMPET_TRY(
      const dispatch::FetchEnd end,
      consumers_.fetch(request.consumer, wanted, [&](const EventView& event, uint32_t delivery) {
        if (bytes >= fetch_bytes_max) return false;
        append_json(event, fetched.events.emplace_back());
        bytes += fetched.events.back().size();
        fetched.deliveries.push_back(delivery);
        if (acks) fetched.sequences.push_back(event.sequence);
        return true;
      }));
  if (end.more && fetched.events.empty()) unread_ = true;
  fetched.pending = consumer->pending();
  return fetched;
}

void ConsumerHouse::append_json(const EventView& event, std::string& out) const {
  if (codec::append_event_json(out, event, house_.store.epoch()).ok()) return;
  // Damaged: said, not skipped.
  const store::GapEvent gap({event.sequence, event.sequence.next()}, event.sequence);
  static_cast<void>(codec::append_event_json(out, gap.view(), house_.store.epoch()));
}

void ConsumerHouse::serve_waits() {
  const BootTime now = house_.clock.boot();
  std::set<std::string, std::less<>> dry;  // consumers that have nothing just now
  std::vector<std::pair<api::Done<api::Fetched>, api::Answer<api::Fetched>>> answers;
  size_t scans = 0;
  bool unread = false;
  for (auto wait = waits_.begin(); wait != waits_.end();) {
    const bool ask = !dry.contains(wait->request.consumer) && scans < scans_max && !closed_;
    std::optional<api::Answer<api::Fetched>> answer;
    if (ask) {
      unread_ = false;
      Result<api::Fetched> fetched = try_fetch(wait->request);
      if (!fetched.ok()) {
        answer = refusal_of(fetched.error());
      } else if (!fetched->events.empty()) {
        answer = std::move(fetched).value();
      } else {
        dry.insert(wait->request.consumer);
        if (unread_) ++scans;
      }
      unread = unread || unread_;
    } else if (scans >= scans_max) {
      unread = true;
    }
    if (!answer && (closed_ || now >= wait->until)) answer = api::Fetched();
    if (!answer) {
      ++wait;
      continue;
    }
    answers.emplace_back(std::move(wait->done), std::move(*answer));
    wait = waits_.erase(wait);
  }
  unread_ = unread;
  // At the end: an answer may bring the next request.
  for (auto& [done, answer] : answers) done(std::move(answer));
}

// Changes --------------------------------------------------------------------------------------

Result<void> ConsumerHouse::commit(Result<dispatch::Edit> edit,
                                   const api::Done<std::monostate>& done) {
  if (!edit.ok()) return edit.error();
  store::Change change = house_.store.begin();
  consumers_.write(change, *edit);
  change.on_done([done](const Result<void>& result) {
    if (result.ok()) {
      done(std::monostate());
    } else {
      done(refusal_of(result.error()));
    }
  });
  LIMPET_CHECK(house_.store.submit(std::move(change)));
  consumers_.keep(std::move(edit).value());
  return {};
}

void ConsumerHouse::apply(Result<dispatch::Edit> edit, const api::Done<std::monostate>& done) {
  const Result<void> result = commit(std::move(edit), done);
  if (!result.ok()) done(refusal_of(result.error()));
}

void ConsumerHouse::make_consumer(dispatch::ConsumerSettings settings,
                                  api::Done<std::monostate> done) {
  if (const auto fault = dispatch::fault_of(settings)) {
    return done(
        api::Refusal{Error{ErrorCode::invalid, "consumer: settings"}, std::string(*fault), 0});
  }
  if (const Result<void> room = admit_new_work(house_, settings.type_pattern.size() + 512);
      !room.ok()) {
    return done(refusal_of(room.error()));
  }
  apply(consumers_.make(settings), done);
}

void ConsumerHouse::drop_consumer(std::string name, api::Done<std::monostate> done) {
  apply(consumers_.drop(name), done);
}

void ConsumerHouse::ack_events(std::string consumer, std::vector<Sequence> events, Sequence upto,
                               api::Done<std::monostate> done) {
  ++counters_.acks;
  apply(consumers_.ack(consumer, events, upto), done);
}

// Nothing of it is stored, so there is nothing to wait for.
void ConsumerHouse::nack_events(std::string consumer, std::vector<Sequence> events,
                                int64_t delay_ms, api::Done<std::monostate> done) {
  ++counters_.nacks;
  const BootTime due = house_.clock.boot() + milliseconds(std::max<int64_t>(delay_ms, 0));
  const Result<void> result = consumers_.nack(consumer, events, due);
  if (!result.ok()) return done(refusal_of(result.error()));
  done(std::monostate());
  stir_();
}

void ConsumerHouse::set_consumer_paused(std::string name, bool paused,
                                        api::Done<std::monostate> done) {
  apply(consumers_.pause(name, paused), done);
}

void ConsumerHouse::seek_consumer(std::string name, Sequence to, api::Done<std::monostate> done) {
  apply(consumers_.seek(name, to), done);
}

void ConsumerHouse::write_moved(bool all) {
  const BootTime now = house_.clock.boot();
  const auto due = consumers_.write_due(now);
  if (!due || (!all && *due > now)) return;
  store::Change change = house_.store.begin();
  if (!(all ? consumers_.write_all(change) : consumers_.write_moved(change, now))) return;
  // Busy: with a later round. Closed: what moved is given again.
  if (house_.store.submit(std::move(change)).ok()) consumers_.kept_moved();
}

std::string ConsumerHouse::consumers_json() {
  std::string out;
  api::JsonArray list(out);
  const auto all = consumers_.stats(house_.clock.wall());
  if (!all.ok()) house_.logger.line(LogLevel::error, "consumers", to_string(all.error()));
  for (size_t index = 0; all.ok() && index < all->size(); ++index) {
    const dispatch::ConsumerStats& stats = (*all)[index];
    list.item();
    api::JsonObject object(out);
    object.text("name", stats.name);
    object.boolean("paused", stats.paused);
    object.number("cursor", stats.cursor.value());
    object.number("pending", stats.pending);
    object.number("lag", stats.lag);
    object.number("oldest_age_ms", static_cast<uint64_t>(to_ms(stats.oldest_age)));
    object.number("delivered", stats.delivered);
    object.number("redelivered", stats.redelivered);
    object.number("acked", stats.acked);
    object.number("skipped", stats.skipped);
    append_settings(object, consumers_.find(stats.name)->settings(), house_.store.epoch());
    object.end();
  }
  list.end();
  return out;
}

}  // namespace limpet::daemon
