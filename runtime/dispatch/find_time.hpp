#pragma once

// find_time: where in the log a time begins, in as many looks as the logarithm of its length.
//
// What it promises: the event at the answer (if there is one) is of `time` or later, and the stored
// event right before it is earlier. Where times only grow that is the first event of that time or
// later. Where they do not (a clock that was set back, imported history) there can be several such
// places, and it finds one of them.

#include <optional>

#include "base/result.hpp"
#include "base/time.hpp"
#include "model/ids.hpp"

namespace limpet::dispatch {

struct TimedEvent {
  Sequence sequence;
  WallTime time;
};

// `first_from(Sequence) -> Result<std::optional<TimedEvent>>` is the first stored event from there
// on. Answers within [begin, end]. Errors: those of `first_from`.
template <class FirstFrom>
[[nodiscard]] Result<Sequence> find_time(WallTime time, Sequence begin, Sequence end,
                                         FirstFrom first_from) {
  while (begin < end) {
    const Sequence middle = begin.plus((end.value() - begin.value()) / 2);
    LIMPET_TRY(const std::optional<TimedEvent> event, first_from(middle));
    if (!event || event->sequence >= end || event->time >= time) {
      end = middle;
    } else {
      begin = event->sequence.next();
    }
  }
  return begin;
}

}  // namespace limpet::dispatch
