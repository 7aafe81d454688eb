#pragma once

// Error: why something expected to fail did fail, as a value that fits in a few registers.
// Owner: whoever holds it; it owns nothing. Thread: [any]. Never allocates.
//
// An Error says what (code), where (a string literal, so that it can be kept without a heap) and,
// when the operating system refused, its errno. What the person should do follows from the code: it
// is the third column of the list, and the API and the CLI print it.

#include <cstdint>
#include <string>
#include <string_view>

namespace limpet {

// One list feeds the enum, the names that scripts see, and the advice.
//   X(name, text, advice)
#define LIMPET_ERROR_CODES(X)                                                    \
  X(invalid, "invalid", "correct the input; nothing was changed")                \
  X(too_large, "too-large", "send less at once; nothing was changed")            \
  X(not_found, "not-found", "check the name or id")                              \
  X(exists, "exists", "it is already there; nothing was changed")                \
  X(full, "full", "retry later or raise the limit; nothing was changed")         \
  X(busy, "busy", "retry after the time given; nothing was changed")             \
  X(closed, "closed", "it is shutting down or has failed; restart it")           \
  X(timeout, "timeout", "retry; the outcome may be unknown")                     \
  X(denied, "denied", "the policy or the permissions forbid it")                 \
  X(corrupt, "corrupt", "run `limpet doctor`; the damaged record is kept aside") \
  X(unsupported, "unsupported", "this build or this version does not offer it")  \
  X(conflict, "conflict", "the state has moved on; read it again")               \
  X(io, "io", "look at the disk and its permissions, then restart")              \
  X(plugin, "plugin", "look at the plugin's error; it is in the log")            \
  X(internal, "internal", "a fault of Limpet; please report it")

enum class ErrorCode : uint8_t {
#define LIMPET_X(name, text, advice) name,
  LIMPET_ERROR_CODES(LIMPET_X)
#undef LIMPET_X
};

// The name scripts may rely on, e.g. "too-large". [any, no-alloc]
[[nodiscard]] std::string_view error_name(ErrorCode code);

// One clause on what to do about it. [any, no-alloc]
[[nodiscard]] std::string_view error_advice(ErrorCode code);

struct Error {
  ErrorCode code;
  const char* where;     // a string literal: what was being done, e.g. "store: open marker file"
  int system_error = 0;  // errno, or 0

  friend bool operator==(const Error& a, const Error& b) { return a.code == b.code; }
};

// "io: store: open marker file: Permission denied". For logs and messages; allocates. [any]
[[nodiscard]] std::string to_string(const Error& error);

}  // namespace limpet
