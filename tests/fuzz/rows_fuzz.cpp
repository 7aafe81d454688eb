// Anything as a row that the queues keep beside an event, and as the texts of a person that decide
// who may ask and when something ticks. Each must refuse it or answer a value that is written the
// same way again.
#include <array>
#include <string_view>

#include "api/tokens.hpp"
#include "model/cron.hpp"
#include "store/consumer_record.hpp"
#include "store/queue_record.hpp"
#include "store/task_record.hpp"
#include "tests/fuzz/require.hpp"

using limpet::ByteSpan;
using limpet::fuzz::require;
namespace store = limpet::store;

namespace {

void try_task(ByteSpan bytes) {
  if (const auto facts = store::parse_task_facts(bytes)) {
    limpet::ByteVector written;
    store::encode_task_facts(*facts, written);
    const auto again = store::parse_task_facts(written);
    require(again.has_value());
    require(again->lane == facts->lane && again->ready_at == facts->ready_at);
    require(again->group == facts->group && again->once == facts->once);
  }
  if (const auto state = store::parse_task_state(bytes)) {
    std::array<uint8_t, store::task_state_bytes> buffer;
    require(store::parse_task_state(store::encode_task_state(*state, buffer)) == state);
  }
  if (const auto letter = store::parse_dead_letter(bytes)) {
    const auto again = store::parse_dead_letter(store::encode_dead_letter(*letter));
    require(again.has_value() && again->reason == letter->reason);
  }
}

void try_text(std::string_view text) {
  static_cast<void>(limpet::api::TokenTable::parse(text));
  const auto cron = limpet::parse_cron(text);
  if (!cron) return;
  const limpet::WallTime now{1'795'178'096'000'000'000};
  const auto next = limpet::next_time(*cron, now);
  require(!next || *next > now);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteSpan bytes(data, size);
  try_task(bytes);
  static_cast<void>(store::decode_consumer(bytes));
  static_cast<void>(store::parse_queue_record(bytes));
  static_cast<void>(store::parse_tenant_record(bytes));
  static_cast<void>(store::parse_task_key_record(bytes));
  try_text({reinterpret_cast<const char*>(data), size});
  return 0;
}
