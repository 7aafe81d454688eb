#include "api/long_poll.hpp"

#include <utility>

namespace limpet::api {

namespace {

constexpr uint32_t retry_after_ms = 1000;

}  // namespace

LongPoll::LongPoll(Exchange exchange, LongPollOptions options)
    : exchange_(std::move(exchange)), options_(std::move(options)) {}

std::shared_ptr<LongPoll> LongPoll::begin(const Exchange& exchange, LongPollOptions options) {
  const bool waits = options.waits;
  auto poll = std::make_shared<LongPoll>(exchange, std::move(options));
  if (exchange.watch({waits, [poll] { poll->abandon(); }})) return poll;
  exchange.respond(problem(Problem{503, "busy", "Too many wait at once.", retry_after_ms}));
  return nullptr;
}

void LongPoll::answer(Response response, std::function<void()> give_back) {
  if (gone_) {
    if (give_back) give_back();
    return;
  }
  answered_ = true;
  give_back_ = std::move(give_back);
  exchange_.respond(std::move(response));
}

void LongPoll::abandon() {
  gone_ = true;
  if (answered_) {
    if (const auto give_back = std::exchange(give_back_, nullptr)) give_back();
    return;
  }
  options_.cancel(number_);
  exchange_.respond(std::move(options_.nothing));
}

}  // namespace limpet::api
