#pragma once
#include <cstdint>
#include <limpet/cpp/value.hpp>
#include <string>

// Incident: what a run remembers between turns; small, and plain CBOR in the store.
// Version 1: {phase, subject, since, opened, recovered, peak, above, announced}; times are
// nanoseconds since 1970; what is not known yet is left out.
namespace limpet::watchdog {

enum class Phase {
  quiet,       // nothing is remembered
  suspected,   // unhealthy since `since`, not for long enough yet
  gathering,   // opened; the call for evidence is under way
  announcing,  // reported; the call that tells a person is under way
  open,        // told; waits for recovery
  closing,     // recovered; the call that tells so is under way
};

struct Incident {
  Phase phase = Phase::quiet;
  std::string subject;
  uint64_t since_ns = 0;
  uint64_t opened_ns = 0;
  uint64_t recovered_ns = 0;  // 0: not healthy
  double peak = 0;
  double above = 0;
  std::string announced;  // outcome of the first notice: done, failed, unknown

  // From a run's state; an empty or unreadable one is a quiet incident.
  static Incident decode(sdk::View state);
  sdk::Encoder encode() const;
};

}  // namespace limpet::watchdog
