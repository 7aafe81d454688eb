#include "tests/crash/store_state.hpp"

#include "tests/crash/workload.hpp"
#include "tests/support/quiet_logger.hpp"

namespace limpet::testing {

StoreState::StoreState() : digests_(1) {}

void StoreState::add_row(Digest& digest, std::string_view key, std::string_view value) const {
  constexpr uint64_t prime = 0x100000001b3ull;
  const std::hash<std::string_view> hash;
  ++digest.rows;
  digest.hash = (digest.hash * prime + hash(key)) * prime + hash(value);
}

StoreState::Digest StoreState::expected(uint64_t number) {
  while (digests_.size() <= number) {
    store::Change change(hot_, 0, {});
    fill_change(digests_.size(), change);
    const Result<void> applied = change.for_each([this](const store::Operation& operation) {
      const std::string key(as_text(operation.key));
      if (operation.kind == store::OperationKind::erase ||
          operation.kind == store::OperationKind::trim) {
        rows_.erase(key);
      } else {
        rows_[key] = as_text(operation.value);
      }
      return Result<void>();
    });
    LIMPET_ASSERT(applied.ok());
    hot_ = change.hot();
    Digest digest;
    for (const auto& [key, value] : rows_) add_row(digest, key, value);
    digests_.push_back(digest);
  }
  return digests_[static_cast<size_t>(number)];
}

std::string StoreState::compare(store::Store& store, uint64_t number) {
  const auto snapshot = store.reader().snapshot();
  if (!snapshot.ok()) return "no snapshot: " + to_string(snapshot.error());
  Digest found;
  for (unsigned region = 0; region < 256; ++region) {
    if (region == 'A') continue;  // the hot record: it counts openings too
    const store::Key prefix(static_cast<char>(region));
    const auto scanned = snapshot->scan(prefix, prefix, [&](ByteSpan key, ByteSpan value) {
      add_row(found, as_text(key), as_text(value));
      return true;
    });
    if (!scanned.ok()) return "a region cannot be read: " + to_string(scanned.error());
  }
  const Digest right = expected(number);
  if (found != right) {
    return "after " + std::to_string(number) + " changes there are " + std::to_string(found.rows) +
           " rows, or others than the " + std::to_string(right.rows) + " that belong there";
  }
  uint64_t corrupt = 0;
  Sequence next(1);
  while (next < store.newest().next_sequence) {
    const auto events = snapshot->events(next, 1000, [](const EventView&) { return true; });
    if (!events.ok()) return "the log cannot be read: " + to_string(events.error());
    corrupt += events->corrupt;
    if (events->visited == 0) break;
    next = events->next;
  }
  if (corrupt != 0) return std::to_string(corrupt) + " damaged events";
  if (store.newest().next_sequence.value() != first_sequence_of(number + 1)) {
    return "the counters are not those of " + std::to_string(number) + " changes";
  }
  return "";
}

std::string StoreState::append(store::Store& store, uint64_t number) {
  store::Change change = store.begin();
  fill_change(number, change);
  Result<void> done = Error{ErrorCode::internal, "never answered"};
  change.on_done([&done](const Result<void>& result) { done = result; });
  const Result<void> submitted = store.submit(std::move(change));
  if (!submitted.ok()) return "refused: " + to_string(submitted.error());
  store.drain();
  return done.ok() ? "" : "not appended: " + to_string(done.error());
}

std::string StoreState::check(const std::string& directory, Promises promises, uint64_t more,
                              uint64_t* number_out) {
  platform::SystemClock clock;
  QuietLogger logger;
  auto opened = store::Store::open(small_store_in(directory), {clock, logger, nullptr, Duration{}});
  if (!opened.ok()) return "does not open: " + to_string(opened.error());
  store::Store& store = **opened;
  const Result<uint64_t> number = read_number(store);
  if (!number.ok()) return "the number cannot be read: " + to_string(number.error());
  if (number_out != nullptr) *number_out = *number;
  if (*number < promises.acknowledged) {
    return "lost: " + std::to_string(promises.acknowledged) + " changes were acknowledged, " +
           std::to_string(*number) + " are there";
  }
  if (*number > promises.submitted) return "there is more than anyone submitted";
  std::string wrong = compare(store, *number);
  for (uint64_t next = *number + 1; wrong.empty() && next <= *number + more; ++next) {
    wrong = append(store, next);
  }
  if (wrong.empty() && more > 0) wrong = compare(store, *number + more);
  return wrong;
}

}  // namespace limpet::testing
