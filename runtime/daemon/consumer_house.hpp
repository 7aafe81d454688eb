#pragma once

// ConsumerHouse: the durable consumers of the log as the API sees them: readers that wait for
// events, acknowledgements that are answered when they are on disk. Owner: the daemon.
// Thread: [main]. Fails as api::ConsumerServices says.
// Limits: fetch_waits_max readers that wait; fetch_bytes_max of events in one answer; one pump
// looks at a few long stretches of unwanted events and leaves the rest to the next one.

#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "api/consumer_services.hpp"
#include "daemon/house.hpp"
#include "dispatch/consumers.hpp"

namespace limpet::daemon {

inline constexpr size_t fetch_waits_max = 256;
inline constexpr size_t fetch_bytes_max = 1024 * 1024;

struct FetchCounters {
  uint64_t waits_refused = 0;
  uint64_t acks = 0;
  uint64_t nacks = 0;
};

class ConsumerHouse final : public api::ConsumerServices {
 public:
  // `consumers` is loaded. `stir`: a round is wanted, as after a commit, because somebody waits now
  // or something may be given again; it must not call back at once.
  ConsumerHouse(House& house, dispatch::Consumers& consumers, std::function<void()> stir)
      : house_(house), consumers_(consumers), stir_(std::move(stir)) {}

  // Call after store.deliver() and when next_due() has come: serves those who wait, writes
  // positions that have moved.
  void pump();
  [[nodiscard]] std::optional<store::StoreMs> next_due();
  // Answers those who wait with nothing, and writes every position that has moved; whoever waits
  // from now on is answered at once.
  void close();

  void make_consumer(dispatch::ConsumerSettings settings, api::Done<std::monostate> done) override;
  void drop_consumer(std::string name, api::Done<std::monostate> done) override;
  uint64_t fetch(api::FetchRequest request, api::Done<api::Fetched> done) override;
  void cancel_fetch(uint64_t wait) override;
  void ack_events(std::string consumer, std::vector<Sequence> events, Sequence upto,
                  api::Done<std::monostate> done) override;
  void nack_events(std::string consumer, std::vector<Sequence> events, int64_t delay_ms,
                   api::Done<std::monostate> done) override;
  void set_consumer_paused(std::string name, bool paused, api::Done<std::monostate> done) override;
  void seek_consumer(std::string name, Sequence to, api::Done<std::monostate> done) override;
  [[nodiscard]] std::string consumers_json() override;

  [[nodiscard]] size_t waiting() const { return waits_.size(); }
  [[nodiscard]] const FetchCounters& counters() const { return counters_; }

 private:
  struct Wait {
    uint64_t id = 0;
    api::FetchRequest request;
    BootTime until;
    api::Done<api::Fetched> done;
  };

  [[nodiscard]] Result<api::Fetched> try_fetch(const api::FetchRequest& request);
  void append_json(const EventView& event, std::string& out) const;
  void serve_waits();
  void write_moved(bool all);
  [[nodiscard]] Result<void> commit(Result<dispatch::Edit> edit,
                                    const api::Done<std::monostate>& done);
  void apply(Result<dispatch::Edit> edit, const api::Done<std::monostate>& done);

  House& house_;
  dispatch::Consumers& consumers_;
  const std::function<void()> stir_;
  std::list<Wait> waits_;  // in the order of arrival
  uint64_t next_wait_ = 1;
  bool unread_ = false;  // a consumer has more to look at than one pump does
  bool closed_ = false;
  FetchCounters counters_;
};

}  // namespace limpet::daemon
