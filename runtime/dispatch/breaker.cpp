#include "dispatch/breaker.hpp"

namespace limpet::dispatch {

namespace {

constexpr Duration probe_patience = seconds(1);  // until a probe that is under way is asked after

}  // namespace

Duration Breaker::wait(BootTime now) const {
  if (state_ == State::closed) return {};
  if (probing_) return probe_patience;
  return now < next_probe_ ? next_probe_ - now : Duration();
}

void Breaker::begin(BootTime) {
  if (state_ == State::closed) return;
  state_ = State::half_open;
  probing_ = true;
}

bool Breaker::report(bool success, BootTime now) {
  const State before = state_;
  const bool probe = probing_;
  if (success) {
    failures_ = 0;
    // A late success of before it opened says nothing about now.
    if (state_ == State::closed || probe) state_ = State::closed;
  } else if (settings_.failures > 0 && (probe || ++failures_ >= settings_.failures)) {
    if (state_ != State::open) ++opened_;
    state_ = State::open;
    next_probe_ = now + settings_.open_for;
  }
  probing_ = false;
  return state_ != before;
}

std::string_view to_string(Breaker::State state) {
  switch (state) {
    case Breaker::State::closed: return "closed";
    case Breaker::State::open: return "open";
    case Breaker::State::half_open: return "half_open";
  }
  return "";
}

}  // namespace limpet::dispatch
