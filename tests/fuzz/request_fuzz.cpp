// Anything as HTTP, in pieces whose size the first byte chooses. However the bytes arrive, the
// parser ends in the same state and returns its share of the common budget.
#include <algorithm>

#include "api/request_parser.hpp"
#include "tests/fuzz/require.hpp"

using limpet::api::BodyBudget;
using limpet::api::ParseState;
using limpet::api::RequestLimits;
using limpet::api::RequestParser;
using limpet::fuzz::require;

namespace {

// How many requests were taken, and how it ended.
struct Outcome {
  size_t requests = 0;
  ParseState state = ParseState::empty;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome parse(std::string_view bytes, size_t piece_bytes_max) {
  const RequestLimits limits{.header_bytes_max = 512, .header_count_max = 8, .body_bytes_max = 256};
  BodyBudget budget{.bytes_max = 1024};
  Outcome outcome;
  {
    RequestParser parser(limits, budget);
    while (!bytes.empty() && parser.state() != ParseState::failed) {
      const size_t taken = parser.feed(bytes.substr(0, piece_bytes_max));
      require(taken <= bytes.size());
      bytes.remove_prefix(taken);
      if (parser.state() == ParseState::complete) {
        (void)parser.take_request();
        ++outcome.requests;
      } else if (taken == 0) {
        break;
      }
    }
    require(budget.bytes_used <= budget.bytes_max);
    outcome.state = parser.state();
  }
  require(budget.bytes_used == 0);
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes = limpet::as_text({data + 1, size - 1});
  const size_t piece_bytes_max = std::max<size_t>(1, data[0]);
  require(parse(bytes, piece_bytes_max) == parse(bytes, 1));
  return 0;
}
