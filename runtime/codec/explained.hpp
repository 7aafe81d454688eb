#pragma once

// Explained<T>: a T, or a Refusal: an Error with a sentence of its own for the person who sent the
// input ("`time` is not an RFC 3339 time: 'noon'"). For the rim, where input is refused with more
// than a literal; it allocates. LIMPET_TRY takes it like a Result and keeps the Error alone.
// Owner: the caller. Thread: as T. Reading the wrong side is our bug and aborts.

#include <string>
#include <utility>
#include <variant>

#include "base/check.hpp"
#include "base/error.hpp"

namespace limpet::codec {

struct Refusal {
  Error error;
  std::string detail;  // one sentence without a full stop
};

template <class T>
class [[nodiscard]] Explained {
 public:
  // Implicit on purpose, as in Result.
  Explained(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Explained(Refusal refusal) : state_(std::in_place_index<1>, std::move(refusal)) {}

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

  [[nodiscard]] const Refusal& refusal() const {
    LIMPET_ASSERT(!ok());
    return *std::get_if<1>(&state_);
  }
  [[nodiscard]] const Error& error() const { return refusal().error; }
  [[nodiscard]] const std::string& detail() const { return refusal().detail; }

 private:
  std::variant<T, Refusal> state_;
};

}  // namespace limpet::codec
