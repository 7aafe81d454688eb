#include "loop/reactor.hpp"

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/signal_set.hpp>
#include <chrono>

#include "loop/fd_watch.hpp"
#include "loop/signals.hpp"

namespace limpet::loop {

// Only main touches the context, so its locks are compiled in but switched off.
struct Reactor::Context {
  asio::io_context io{ASIO_CONCURRENCY_HINT_UNSAFE};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
};

Reactor::Reactor(std::unique_ptr<Context> context) : context_(std::move(context)) {}
Reactor::~Reactor() = default;

Result<std::unique_ptr<Reactor>> Reactor::create() {
  try {
    return std::unique_ptr<Reactor>(new Reactor(std::make_unique<Context>()));
  } catch (const std::system_error& failure) {
    return Error{ErrorCode::io, "loop: create", failure.code().value()};
  }
}

void Reactor::run() {
  context_->io.restart();
  context_->io.run();
}

void Reactor::run_one(Duration limit) {
  if (context_->io.stopped()) context_->io.restart();
  context_->io.run_one_for(std::chrono::nanoseconds(limit.ns));
}

void Reactor::stop() { context_->io.stop(); }

// FdWatch -------------------------------------------------------------------------------------

struct FdWatch::State {
  struct Side {
    Task callback;
    bool wanted = false;
    bool waiting = false;  // an operation is in the reactor
  };

  State(Loop& the_loop, asio::io_context& io) : loop(the_loop), descriptor(io) {}

  static void wait(const std::shared_ptr<State>& self, Side State::*side,
                   asio::posix::descriptor_base::wait_type type) {
    if ((*self.*side).waiting) return;
    (*self.*side).waiting = true;
    self->descriptor.async_wait(type, [self, side, type](const asio::error_code& error) {
      Side& mine = *self.*side;
      mine.waiting = false;
      if (self->gone || !mine.wanted) return;
      if (!error) {
        Round round(self->loop);
        mine.callback();
      }
      if (!self->gone && mine.wanted) wait(self, side, type);
    });
  }

  Loop& loop;
  asio::posix::stream_descriptor descriptor;
  Side readable;
  Side writable;
  bool gone = false;
};

FdWatch::FdWatch(std::shared_ptr<State> state) : state_(std::move(state)) {}

FdWatch::~FdWatch() {
  state_->gone = true;
  // Gives the descriptor back to its owner, open, and ends what waits on it.
  static_cast<void>(state_->descriptor.release());
}

Result<std::unique_ptr<FdWatch>> FdWatch::create(Loop& loop, int fd, FdCallbacks callbacks) {
  auto state = std::make_shared<State>(loop, loop.reactor().context().io);
  state->readable.callback = std::move(callbacks.on_readable);
  state->writable.callback = std::move(callbacks.on_writable);
  asio::error_code error;
  state->descriptor.assign(fd, error);
  if (error) return Error{ErrorCode::io, "loop: watch a descriptor", error.value()};
  return std::unique_ptr<FdWatch>(new FdWatch(std::move(state)));
}

void FdWatch::want_readable(bool wanted) {
  state_->readable.wanted = wanted;
  if (wanted) State::wait(state_, &State::readable, asio::posix::descriptor_base::wait_read);
}

void FdWatch::want_writable(bool wanted) {
  state_->writable.wanted = wanted;
  if (wanted) State::wait(state_, &State::writable, asio::posix::descriptor_base::wait_write);
}

// Signals -------------------------------------------------------------------------------------

struct Signals::State {
  State(Loop& the_loop, asio::io_context& io) : loop(the_loop), set(io) {}

  static void wait(const std::shared_ptr<State>& self) {
    self->set.async_wait([self](const asio::error_code& error, int number) {
      if (error || self->gone) return;
      {
        Round round(self->loop);
        self->on_signal(number);
      }
      if (!self->gone) wait(self);
    });
  }

  Loop& loop;
  asio::signal_set set;
  UniqueFunction<void(int)> on_signal;
  bool gone = false;
};

Signals::Signals(std::shared_ptr<State> state) : state_(std::move(state)) {}

Signals::~Signals() {
  state_->gone = true;
  asio::error_code ignored;
  state_->set.cancel(ignored);
  state_->set.clear(ignored);
}

Result<std::unique_ptr<Signals>> Signals::create(Loop& loop, std::initializer_list<int> numbers,
                                                 UniqueFunction<void(int)> on_signal) {
  auto state = std::make_shared<State>(loop, loop.reactor().context().io);
  state->on_signal = std::move(on_signal);
  for (const int number : numbers) {
    asio::error_code error;
    state->set.add(number, error);
    if (error) return Error{ErrorCode::io, "loop: watch a signal", error.value()};
  }
  State::wait(state);
  return std::unique_ptr<Signals>(new Signals(std::move(state)));
}

}  // namespace limpet::loop
