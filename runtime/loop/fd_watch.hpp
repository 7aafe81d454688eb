#pragma once

// FdWatch: calls back on main while a descriptor is readable or writable (a pipe, a pidfd, a
// socket, an eventfd). Level-triggered: as long as it is wanted and ready, the callback comes
// again.
// Owner: whoever needs it; it borrows the descriptor, which must stay open until the watch is gone.
// Thread: [main]. May be destroyed in its own callback. Fails with: io (the descriptor cannot be
// watched: a regular file, or it is watched already).

#include <memory>

#include "base/result.hpp"
#include "loop/function.hpp"
#include "loop/loop.hpp"

namespace limpet::loop {

struct FdCallbacks {
  Task on_readable;
  Task on_writable;
};

class FdWatch {
 public:
  // Nothing is wanted at first. [main]
  [[nodiscard]] static Result<std::unique_ptr<FdWatch>> create(Loop& loop, int fd,
                                                               FdCallbacks callbacks);
  ~FdWatch();
  FdWatch(const FdWatch&) = delete;
  FdWatch& operator=(const FdWatch&) = delete;

  // Readable also means: the other side is gone, read() will tell. [main]
  void want_readable(bool wanted);
  void want_writable(bool wanted);

 private:
  struct State;
  explicit FdWatch(std::shared_ptr<State> state);

  // Shared with the operation that waits in the reactor: that may end after the watch is gone.
  std::shared_ptr<State> state_;
};

}  // namespace limpet::loop
