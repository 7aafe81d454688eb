#pragma once

// FakeConsumers: the log's consumers behind the API: what was asked, and events to be fetched. Used
// on the loop's thread only, as FakeServices.

#include <map>
#include <string>
#include <vector>

#include "api/consumer_services.hpp"

namespace limpet::testing {

class FakeConsumers final : public api::ConsumerServices {
 public:
  struct Acked {
    std::string consumer;
    std::vector<Sequence> events;
    Sequence upto;
  };
  struct Nacked {
    std::string consumer;
    std::vector<Sequence> events;
    int64_t delay_ms = 0;
  };

  // What a test sets or looks at.
  std::map<std::string, dispatch::ConsumerSettings> made;
  std::map<std::string, bool> paused;
  std::map<std::string, Sequence> sought;
  std::vector<api::FetchRequest> fetches;
  std::vector<uint64_t> cancelled;
  std::vector<Acked> acks;
  std::vector<Nacked> nacks;
  api::Fetched events;  // the next fetch takes them

  // Answers the fetch that waits with `events`.
  void arrive();
  [[nodiscard]] bool waiting() const { return static_cast<bool>(wait_); }

  void make_consumer(dispatch::ConsumerSettings settings, api::Done<std::monostate> done) override;
  void drop_consumer(std::string name, api::Done<std::monostate> done) override;
  uint64_t fetch(api::FetchRequest request, api::Done<api::Fetched> done) override;
  void cancel_fetch(uint64_t wait) override;
  void ack_events(std::string consumer, std::vector<Sequence> acked, Sequence upto,
                  api::Done<std::monostate> done) override;
  void nack_events(std::string consumer, std::vector<Sequence> nacked, int64_t delay_ms,
                   api::Done<std::monostate> done) override;
  void set_consumer_paused(std::string name, bool pause, api::Done<std::monostate> done) override;
  void seek_consumer(std::string name, Sequence to, api::Done<std::monostate> done) override;
  [[nodiscard]] std::string consumers_json() override { return R"({"consumers":[]})"; }

 private:
  void answer(const std::string& name, const api::Done<std::monostate>& done) const;

  api::Done<api::Fetched> wait_;
};

}  // namespace limpet::testing
