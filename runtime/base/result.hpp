#pragma once

// Result<T>: a T, or the Error that says why there is none. Result<void> is success or an Error.
// Owner: the caller. Thread: as T. Reading the wrong side is our bug and aborts.
//
//   Result<Sequence> first = log.append(events);
//   if (!first) return first.error();
//   LIMPET_TRY(Sequence last, log.last());     // the same in one line

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/check.hpp"
#include "base/error.hpp"

namespace limpet {

template <class T>
class [[nodiscard]] Result {
 public:
  // Implicit on purpose: `return value;` and `return Error{...};` are how functions end.
  template <class U = T>
  requires(std::is_convertible_v<U&&, T> && !std::is_same_v<std::remove_cvref_t<U>, Error> &&
           !std::is_same_v<std::remove_cvref_t<U>, Result>) Result(U&& value)
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, error) {}

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  [[nodiscard]] T& value() & {
    LIMPET_ASSERT(ok());
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] const T& value() const& {
    LIMPET_ASSERT(ok());
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] T&& value() && {
    LIMPET_ASSERT(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  [[nodiscard]] const Error& error() const {
    LIMPET_ASSERT(!ok());
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(error) {}

  [[nodiscard]] bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  void value() const { LIMPET_ASSERT(ok()); }
  [[nodiscard]] const Error& error() const {
    LIMPET_ASSERT(error_.has_value());
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

}  // namespace limpet

#define LIMPET_CONCAT_INNER(a, b) a##b
#define LIMPET_CONCAT(a, b) LIMPET_CONCAT_INNER(a, b)

// LIMPET_TRY(Type name, expression): declares `name` with the value, or returns the error.
#define LIMPET_TRY(declaration, expression)          \
  auto LIMPET_CONCAT(try_, __LINE__) = (expression); \
  if (!LIMPET_CONCAT(try_, __LINE__).ok()) {         \
    return LIMPET_CONCAT(try_, __LINE__).error();    \
  }                                                  \
  declaration = std::move(LIMPET_CONCAT(try_, __LINE__)).value()

// LIMPET_CHECK(expression): for Result<void>: goes on, or returns the error.
#define LIMPET_CHECK(expression)                         \
  do {                                                   \
    auto check_result = (expression);                    \
    if (!check_result.ok()) return check_result.error(); \
  } while (false)
