#pragma once

// Suspects: which turns and calls were under way when the process died, so that one that kills the
// process does not do so for ever, and none is blamed for another's crash.
// Owner: the daemon. Thread: [main]. Fails with: io, when the file cannot be mapped; without it
// nobody is a suspect.
// Limits: entries_max entries of 64 bytes; what is begun beyond them is not watched, and counted.
//
// What is under way stands in a small file that is mapped and never synced: it survives the process
// and not the machine (another boot's entries are not believed: a power cut is nobody's fault).
// One entry found at the start: it was alone, and the crash counts as its attempt. Several: nobody
// knows whose crash it was; each thing then runs alone until the suspects are through, at most
// alone_time, so that the next crash has one culprit.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "model/ids.hpp"

namespace limpet::daemon {

struct UnderWay {
  enum class Kind : uint8_t { turn = 1, call = 2 };
  Kind kind = Kind::turn;
  RunId run;
  Ordinal step;    // of a call
  Sequence event;  // of a turn
  friend bool operator==(const UnderWay&, const UnderWay&) = default;
};

class Suspects {
 public:
  static constexpr size_t entries_max = 128;
  static constexpr Duration alone_time = seconds(60);
  using Slot = uint32_t;
  static constexpr Slot no_slot = UINT32_MAX;

  Suspects() = default;  // watches nothing
  // Reads what the last life left and begins anew. `boot`: names this boot of the machine.
  [[nodiscard]] static Result<Suspects> open(const std::string& file, std::string_view boot,
                                             BootTime now);
  Suspects(Suspects&& other) noexcept { swap(other); }
  Suspects& operator=(Suspects&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Suspects();

  // The one that was alone when the process died; it is to be counted, once.
  [[nodiscard]] std::optional<UnderWay> take_culprit();
  // What was under way together with others.
  [[nodiscard]] const std::vector<UnderWay>& suspects() const { return suspects_; }

  // May one more begin? While there are suspects: only when nothing is under way.
  [[nodiscard]] bool may_begin(BootTime now);
  [[nodiscard]] Slot begin(const UnderWay& one);
  void end(Slot slot);

  // The process ends as it should: what is still under way is nobody's crash.
  void close();

  [[nodiscard]] size_t under_way() const { return under_way_; }
  [[nodiscard]] uint64_t unwatched() const { return unwatched_; }

 private:
  struct Page;
  void swap(Suspects& other) noexcept;

  Page* page_ = nullptr;  // mapped; null: watches nothing
  std::vector<UnderWay> suspects_;
  std::optional<UnderWay> culprit_;
  BootTime alone_until_;
  size_t under_way_ = 0;
  uint64_t unwatched_ = 0;
};

// begin() and end() as a scope.
class Watched {
 public:
  Watched(Suspects* suspects, const UnderWay& one)
      : suspects_(suspects),
        slot_(suspects == nullptr ? Suspects::no_slot : suspects->begin(one)) {}
  ~Watched() {
    if (suspects_ != nullptr) suspects_->end(slot_);
  }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

 private:
  Suspects* suspects_;
  Suspects::Slot slot_;
};

}  // namespace limpet::daemon
