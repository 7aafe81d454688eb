#include "waits.hpp"

#include <time.h>

#include <algorithm>

namespace limpet::notify {
namespace {

std::chrono::nanoseconds until(uint64_t deadline_ns) {
  timespec now = {};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  const uint64_t now_ns =
      static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
  return std::chrono::nanoseconds(deadline_ns > now_ns ? deadline_ns - now_ns : 0);
}

}  // namespace

Waits::Entry::Entry(Waits& waits, uint64_t id) : waits_(waits), id_(id) {
  std::scoped_lock lock(waits_.mutex_);
  waits_.open_.push_back({id, false});
}

Waits::Entry::~Entry() {
  std::scoped_lock lock(waits_.mutex_);
  std::erase_if(waits_.open_, [this](const Open& open) { return open.id == id_; });
}

Woken Waits::Entry::wait(std::chrono::milliseconds time, uint64_t deadline_ns) {
  std::chrono::nanoseconds limit = time;
  bool cut = false;
  if (deadline_ns != 0 && until(deadline_ns) < limit) {
    limit = until(deadline_ns);
    cut = true;
  }
  std::unique_lock lock(waits_.mutex_);
  const bool cancelled =
      waits_.changed_.wait_for(lock, limit, [this] { return waits_.is_cancelled(id_); });
  if (cancelled) return Woken::by_cancel;
  return cut ? Woken::by_deadline : Woken::by_time;
}

void Waits::cancel(uint64_t id) {
  std::scoped_lock lock(mutex_);
  for (Open& open : open_) {
    if (open.id == id) open.cancelled = true;
  }
  changed_.notify_all();
}

bool Waits::is_cancelled(uint64_t id) const {
  return std::any_of(open_.begin(), open_.end(),
                     [=](const Open& open) { return open.id == id && open.cancelled; });
}

}  // namespace limpet::notify
