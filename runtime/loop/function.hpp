#pragma once

// UniqueFunction<R(A...)>: a callable that is moved, never copied, so that what it captures may own
// things (a unique_ptr, a completion). std::function cannot, and C++23's move_only_function is not
// in the compilers of the boards we build for.
// Owner: whoever holds it. Thread: as the callable. Captures up to six pointers live inside; larger
// ones cost one allocation when it is made.

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "base/check.hpp"

namespace limpet::loop {

template <class Signature>
class UniqueFunction;

template <class R, class... A>
class UniqueFunction<R(A...)> {
 public:
  UniqueFunction() = default;
  UniqueFunction(std::nullptr_t) {}

  // Implicit on purpose: a lambda is what one passes.
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, UniqueFunction> &&
           std::is_invocable_r_v<R, std::decay_t<F>&, A...>) UniqueFunction(F&& callable) {
    using Callable = std::decay_t<F>;
    if constexpr (fits<Callable>) {
      new (storage_) Callable(std::forward<F>(callable));
      actions_ = &inline_actions<Callable>;
    } else {
      new (storage_) std::unique_ptr<Callable>(new Callable(std::forward<F>(callable)));
      actions_ = &heap_actions<Callable>;
    }
  }

  UniqueFunction(UniqueFunction&& other) noexcept { take(other); }
  UniqueFunction& operator=(UniqueFunction&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  UniqueFunction(const UniqueFunction&) = delete;
  UniqueFunction& operator=(const UniqueFunction&) = delete;
  ~UniqueFunction() { reset(); }

  explicit operator bool() const { return actions_ != nullptr; }

  // REQUIRES: it holds a callable.
  R operator()(A... arguments) {
    LIMPET_ASSERT(actions_ != nullptr);
    return actions_->call(storage_, std::forward<A>(arguments)...);
  }

 private:
  struct Actions {
    R (*call)(void* storage, A&&... arguments);
    void (*move)(void* from, void* to);  // constructs in `to`, destroys in `from`
    void (*destroy)(void* storage);
  };

  static constexpr size_t storage_bytes = 6 * sizeof(void*);

  template <class F>
  static constexpr bool fits =
      sizeof(F) <= storage_bytes &&
      alignof(F) <= alignof(void*) && std::is_nothrow_move_constructible_v<F>;

  template <class Stored>
  static void move_stored(void* from, void* to) {
    new (to) Stored(std::move(*static_cast<Stored*>(from)));
    static_cast<Stored*>(from)->~Stored();
  }
  template <class Stored>
  static void destroy_stored(void* storage) {
    static_cast<Stored*>(storage)->~Stored();
  }

  template <class F>
  static constexpr Actions inline_actions = {
      [](void* storage, A&&... arguments) -> R {
        return (*static_cast<F*>(storage))(std::forward<A>(arguments)...);
      },
      &move_stored<F>, &destroy_stored<F>};
  template <class F>
  static constexpr Actions heap_actions = {
      [](void* storage, A&&... arguments) -> R {
        return (**static_cast<std::unique_ptr<F>*>(storage))(std::forward<A>(arguments)...);
      },
      &move_stored<std::unique_ptr<F>>, &destroy_stored<std::unique_ptr<F>>};

  void take(UniqueFunction& other) noexcept {
    if (other.actions_ == nullptr) return;
    other.actions_->move(other.storage_, storage_);
    actions_ = std::exchange(other.actions_, nullptr);
  }
  void reset() noexcept {
    if (actions_ != nullptr) std::exchange(actions_, nullptr)->destroy(storage_);
  }

  const Actions* actions_ = nullptr;
  alignas(void*) std::byte storage_[storage_bytes];
};

using Task = UniqueFunction<void()>;

}  // namespace limpet::loop
