#include "tests/unit/api/fake_consumers.hpp"

#include <utility>

namespace limpet::testing {

namespace {

api::Refusal no_consumer(const std::string& name) {
  return {{ErrorCode::not_found, "test: consumer"}, "There is no consumer `" + name + "`."};
}

}  // namespace

void FakeConsumers::answer(const std::string& name, const api::Done<std::monostate>& done) const {
  if (made.count(name) == 0) return done(no_consumer(name));
  done(std::monostate{});
}

void FakeConsumers::arrive() {
  const auto done = std::exchange(wait_, nullptr);
  done(std::exchange(events, {}));
}

void FakeConsumers::make_consumer(dispatch::ConsumerSettings settings,
                                  api::Done<std::monostate> done) {
  const auto found = made.find(settings.name);
  if (found != made.end() && found->second.type_pattern != settings.type_pattern) {
    return done(api::Refusal{{ErrorCode::conflict, "test: consumer"}, "It has other settings."});
  }
  made[settings.name] = settings;
  done(std::monostate{});
}

void FakeConsumers::drop_consumer(std::string name, api::Done<std::monostate> done) {
  answer(name, done);
  made.erase(name);
}

uint64_t FakeConsumers::fetch(api::FetchRequest request, api::Done<api::Fetched> done) {
  fetches.push_back(request);
  if (made.count(request.consumer) == 0) {
    done(no_consumer(request.consumer));
    return 0;
  }
  if (!events.events.empty() || request.wait_ms == 0) {
    done(std::exchange(events, {}));
    return 0;
  }
  wait_ = std::move(done);
  return 9;
}

void FakeConsumers::cancel_fetch(uint64_t wait) {
  cancelled.push_back(wait);
  wait_ = nullptr;
}

void FakeConsumers::ack_events(std::string consumer, std::vector<Sequence> acked, Sequence upto,
                               api::Done<std::monostate> done) {
  acks.push_back({consumer, std::move(acked), upto});
  answer(consumer, done);
}

void FakeConsumers::nack_events(std::string consumer, std::vector<Sequence> nacked,
                                int64_t delay_ms, api::Done<std::monostate> done) {
  nacks.push_back({consumer, std::move(nacked), delay_ms});
  answer(consumer, done);
}

void FakeConsumers::set_consumer_paused(std::string name, bool pause,
                                        api::Done<std::monostate> done) {
  paused[name] = pause;
  answer(name, done);
}

void FakeConsumers::seek_consumer(std::string name, Sequence to, api::Done<std::monostate> done) {
  sought[name] = to;
  answer(name, done);
}

}  // namespace limpet::testing
