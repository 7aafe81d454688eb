#include "api/event_source.hpp"

#include <algorithm>
#include <limits>

#include "base/limits.hpp"
#include "codec/event_json.hpp"
#include "dispatch/find_time.hpp"
#include "model/pattern.hpp"

namespace limpet::api {

namespace {

// A damaged record has no time; the next one has.
constexpr size_t probed_records_max = 64;

bool ends_run(std::string_view type) {
  return type == event_type::run_completed || type == event_type::run_failed ||
         type == event_type::run_cancelled;
}

bool matches(const EventFilter& filter, const EventView& event) {
  if (!filter.run.none() && event.run != filter.run) return false;
  if (!filter.subject.empty() && event.subject != filter.subject) return false;
  if (!filter.correlation.empty() && event.correlation != filter.correlation) return false;
  return filter.type_pattern.empty() || pattern_matches(filter.type_pattern, event.type);
}

EventFilter range_of(const EventFilter& filter) {
  EventFilter range;
  range.to = filter.to;
  return range;
}

}  // namespace

EventSource::EventSource(Services& services, EventQuery query, std::function<BootTime()> now)
    : services_(services),
      query_(std::move(query)),
      now_(std::move(now)),
      range_(range_of(query_.filter)),
      cbor_(services.epoch()),
      events_left_(query_.events_max.value_or(std::numeric_limits<uint64_t>::max())),
      pacer_(std::max<uint32_t>(query_.speed_percent, 1)) {
  if (query_.from) {
    next_ = std::max(*query_.from, Sequence(1));
  } else if (query_.since) {
    next_ = find_since(*query_.since);
  } else {
    next_ = query_.follow ? services.log_end() : services.log_begin();
  }
  // A run that has ended already: all its events are stored, so the end of the log is the end.
  if (query_.ends_with_run) {
    const Result<RunView> view = services_.get_run(query_.filter.run);
    run_ended_ = !view || is_final(view->run.state);
  }
}

Sequence EventSource::find_since(WallTime time) {
  const auto first_from = [this](Sequence from) -> Result<std::optional<dispatch::TimedEvent>> {
    std::optional<dispatch::TimedEvent> found;
    LIMPET_TRY(const ReadEnd end, services_.read_events({}, from, probed_records_max,
                                                        [&found](const EventView& event) {
                                                          found = {event.sequence, event.time};
                                                          return false;
                                                        }));
    static_cast<void>(end);
    return found;
  };
  const Result<Sequence> found =
      dispatch::find_time(time, services_.log_begin(), services_.log_end(), first_from);
  return found.ok() ? *found : services_.log_begin();  // the first pull will fail likewise
}

Pull EventSource::pull(std::string& out) {
  stopped_ = false;
  due_.reset();
  unwanted_.reset();
  const Result<ReadEnd> end =
      services_.read_events(range_, next_, limits::read_records_max,
                            [this, &out](const EventView& event) { return take(event, out); });
  if (!end) return Pull::failed;
  if (!stopped_) {
    const Sequence log_end = services_.log_end();
    const Sequence stop = range_.to.none() ? log_end : std::min(range_.to, log_end);
    const Sequence to = end->at_end ? stop : end->next;
    if (next_ < to) note_hole(to);
  }
  if (end->damaged && unwanted_) add_gap(*unwanted_);
  if (events_left_ == 0) return Pull::finished;
  if (due_) return Pull::waiting;
  if (stopped_ || !end->at_end) return Pull::more;
  if (gap_) append_gap(out, *std::exchange(gap_, std::nullopt));
  const bool past_last = !range_.to.none() && next_ >= range_.to;
  if (!query_.follow || run_ended_ || past_last) return Pull::finished;
  return Pull::waiting;
}

// One event of the log, in order. False: it was not taken, stop before it.
bool EventSource::take(const EventView& event, std::string& out) {
  if (event.sequence > next_) note_hole(event.sequence);
  if (matches(query_.filter, event)) {
    stopped_ = true;  // unless it is taken
    if (out.size() >= body_slice_bytes || events_left_ == 0) return false;
    if (query_.speed_percent > 0) {
      const BootTime now = now_();
      const BootTime due = pacer_.due(event.time, now);
      if (due > now) {
        due_ = due;
        return false;
      }
      pacer_.given(event.time, now);
    }
    if (gap_) append_gap(out, *std::exchange(gap_, std::nullopt));
    append_event(out, event);
    stopped_ = false;
    --events_left_;
    if (query_.ends_with_run && ends_run(event.type)) events_left_ = 0;
  }
  next_ = event.sequence.next();
  return true;
}

void EventSource::note_hole(Sequence to) {
  const store::LogGap hole{next_, to};
  next_ = to;
  if (services_.may_have_matched(query_.filter, hole.from)) return add_gap(hole);
  unwanted_ = store::LogGap{unwanted_ ? unwanted_->from : hole.from, hole.to};
}

void EventSource::add_gap(store::LogGap gap) {
  gap_ = store::LogGap{gap_ ? std::min(gap_->from, gap.from) : gap.from, gap.to};
}

void EventSource::append_event(std::string& out, const EventView& event) {
  const size_t before = out.size();
  if (append_form(out, event).ok()) return;
  out.resize(before);
  append_gap(out, {event.sequence, event.sequence.next()});  // damaged: said, not skipped
}

void EventSource::append_gap(std::string& out, store::LogGap gap) const {
  const store::GapEvent event(gap, Sequence());
  const Result<void> appended = append_form(out, event.view());
  LIMPET_ASSERT(appended.ok());  // it is ours, and small
}

Result<void> EventSource::append_form(std::string& out, const EventView& event) const {
  if (query_.format == EventFormat::cbor) return cbor_.append(out, event);
  if (query_.format == EventFormat::sse) {
    if (!event.sequence.none()) {
      out.append("id: ").append(std::to_string(event.sequence.value())).append("\n");
    }
    out.append("event: ").append(event.type).append("\ndata: ");
  }
  const Epoch epoch = event.sequence.none() ? Epoch() : services_.epoch();
  LIMPET_CHECK(codec::append_event_json(out, event, epoch));
  out.append(query_.format == EventFormat::sse ? "\n\n" : "\n");
  return {};
}

std::optional<Duration> EventSource::due_in() const {
  if (!due_) return std::nullopt;
  const BootTime now = now_();
  return *due_ > now ? *due_ - now : Duration{};
}

// In CBOR an empty map, which is no event; elsewhere what readers of lines pass over.
std::string_view EventSource::heartbeat() const {
  if (query_.format == EventFormat::cbor) return "\xa0";
  return query_.format == EventFormat::sse ? ":\n\n" : "\n";
}

}  // namespace limpet::api
