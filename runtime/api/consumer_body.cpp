#include "api/consumer_body.hpp"

#include <algorithm>
#include <cmath>

#include "api/body.hpp"
#include "api/query.hpp"
#include "api/run_id.hpp"
#include "base/limits.hpp"
#include "codec/cbor.hpp"
#include "codec/rfc3339.hpp"
#include "model/pattern.hpp"

namespace limpet::api {

namespace {

constexpr size_t name_bytes_max = 64;
constexpr size_t word_bytes_max = 16;
constexpr int64_t in_flight_max = 100000;
constexpr int64_t wait_ms_min = 100;
constexpr int64_t wait_ms_max = int64_t{24} * 3600 * 1000;
constexpr double speed_min = 0.01;
constexpr double speed_max = 100;

bool name_valid(std::string_view name) {
  const auto plain = [](char character) {
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') || character == '-' || character == '_' ||
           character == '.';
  };
  return !name.empty() && name.size() <= name_bytes_max &&
         std::all_of(name.begin(), name.end(), plain);
}

void read_filter(BodyReader& body, Epoch epoch, dispatch::ConsumerSettings& settings) {
  std::string run;
  body.text("type", {settings.type_pattern, limits::event_type_bytes_max});
  body.text("subject", {settings.subject_pattern, limits::event_attribute_bytes_max});
  body.text("run", {run, word_bytes_max * 2});
  if (!settings.type_pattern.empty() && !pattern_valid(settings.type_pattern)) {
    body.refuse("Member `type` is not a pattern such as `sensor.*` or `limpet.#`.");
  }
  if (run.empty()) return;
  const std::optional<RunId> id = parse_run_id(run, epoch);
  if (!id) body.refuse("Member `run` is not the id of a run of this store.");
  settings.run = id.value_or(RunId());
}

// {"sequence":7} or {"time":"2026-07-13T08:24:56Z"}; false: neither.
bool read_start_map(codec::CborReader& reader, dispatch::ConsumerSettings& settings) {
  if (reader.map() != 1) return false;
  const std::string_view name = reader.text();
  if (name == "sequence") {
    const bool text = reader.peek() == codec::CborKind::text;
    const uint64_t number = text ? parse_number(reader.text()).value_or(0) : reader.uint();
    settings.start = dispatch::StartAt::sequence;
    settings.start_sequence = Sequence(number);
    return reader.ok() && number > 0;
  }
  if (name != "time") return false;
  const std::optional<WallTime> time = codec::parse_rfc3339(reader.text());
  settings.start = dispatch::StartAt::time;
  settings.start_time = time.value_or(WallTime{});
  return reader.ok() && time;
}

bool read_start_word(std::string_view word, dispatch::StartAt& start) {
  if (word == "all") {
    start = dispatch::StartAt::all;
  } else if (word == "new") {
    start = dispatch::StartAt::fresh;
  } else if (word == "last") {
    start = dispatch::StartAt::last;
  } else {
    return false;
  }
  return true;
}

void read_start(BodyReader& body, dispatch::ConsumerSettings& settings) {
  ByteVector item;
  body.item("start", item);
  if (item.empty()) return;
  codec::CborReader reader(item);
  const bool good = reader.peek() == codec::CborKind::map
                        ? read_start_map(reader, settings)
                        : read_start_word(reader.text(), settings.start);
  if (good) return;
  body.refuse(
      "Member `start` is \"all\", \"new\", \"last\", {\"sequence\":7} or "
      "{\"time\":\"2026-07-13T08:24:56Z\"}.");
}

void read_pace(BodyReader& body, dispatch::ConsumerSettings& settings) {
  std::string pace;
  ByteVector speed;
  body.text("pace", {pace, word_bytes_max});
  body.item("speed", speed);
  if (pace == "original") {
    settings.pace = dispatch::Pace::original;
  } else if (!pace.empty() && pace != "instant") {
    body.refuse("Member `pace` is \"instant\" or \"original\".");
  }
  if (speed.empty()) return;
  codec::CborReader reader(speed);
  const double factor = reader.number();
  // Written so that not-a-number fails too.
  if (!reader.ok() || !(factor >= speed_min && factor <= speed_max)) {
    return body.refuse("Member `speed` is a number from 0.01 to 100.");
  }
  settings.speed_percent = static_cast<uint32_t>(std::lround(factor * 100));
}

void read_ack(BodyReader& body, dispatch::ConsumerSettings& settings) {
  std::string ack;
  int64_t in_flight = settings.in_flight_max;
  int64_t ack_wait_ms = to_ms(settings.ack_wait);
  int64_t backoff_max_ms = to_ms(settings.backoff_max);
  body.text("ack", {ack, word_bytes_max});
  body.number("max_in_flight", {in_flight, 1, in_flight_max});
  body.number("ack_wait_ms", {ack_wait_ms, wait_ms_min, wait_ms_max});
  body.number("backoff_max_ms", {backoff_max_ms, wait_ms_min, wait_ms_max});
  if (ack == "none") {
    settings.ack = dispatch::AckMode::none;
  } else if (!ack.empty() && ack != "explicit") {
    body.refuse("Member `ack` is \"explicit\" or \"none\".");
  }
  settings.in_flight_max = static_cast<uint32_t>(in_flight);
  settings.ack_wait = milliseconds(ack_wait_ms);
  settings.backoff_max = milliseconds(backoff_max_ms);
}

}  // namespace

std::optional<Response> read_consumer(const Request& request, Epoch epoch,
                                      dispatch::ConsumerSettings& settings) {
  settings.name = request.segments[2];
  BodyReader body(request.body);
  read_filter(body, epoch, settings);
  read_start(body, settings);
  read_pace(body, settings);
  read_ack(body, settings);
  if (!name_valid(settings.name)) {
    body.refuse("A consumer's name has 1 to 64 letters, digits, dots, dashes and underlines.");
  }
  return body.refusal();
}

}  // namespace limpet::api
