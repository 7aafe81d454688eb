#include "store/inspect.hpp"

#include <lmdb.h>

#include <cstring>

#include "store/lmdb_layout.hpp"
#include "store/read_cursor.hpp"

namespace limpet::store {

namespace {

constexpr unsigned free_list = 0;  // LMDB's own number of it; it may be read like any tree

// One row of the free list: a count, then that many page numbers, the largest first.
bool is_free_row(ByteSpan key, ByteSpan value, size_t last_page) {
  if (key.size() != sizeof(size_t) || value.size() < sizeof(size_t)) return false;
  size_t count = 0;
  std::memcpy(&count, value.data(), sizeof count);
  if (count > value.size() / sizeof(size_t) - 1) return false;
  size_t above = last_page + 1;
  for (size_t index = 1; index <= count; ++index) {
    size_t page = 0;
    std::memcpy(&page, value.data() + index * sizeof page, sizeof page);
    if (page < 2 || page >= above) return false;
    above = page;
  }
  return true;
}

Result<void> inspect_log(StoppedStore& store, Inspection& inspection) {
  LIMPET_TRY(const Reader::Snapshot snapshot, store.reader().snapshot());
  LIMPET_TRY(inspection.first, snapshot.first_event());
  if (inspection.first.none()) return {};
  const auto time_at = [&snapshot](Sequence sequence, WallTime& time_out) -> Result<void> {
    LIMPET_TRY(const EventsRead read, snapshot.events(sequence, 1, [&](const EventView& event) {
      time_out = event.time;
      return false;
    }));
    static_cast<void>(read);
    return {};
  };
  LIMPET_CHECK(time_at(inspection.first, inspection.oldest));
  const Key end = log_key(Sequence(UINT64_MAX), UINT8_MAX);
  LIMPET_TRY(const auto last, snapshot.last_before(end, Key('z')));
  const std::optional<LogPlace> place = last ? parse_log_key(last->key) : std::nullopt;
  return place ? time_at(place->sequence, inspection.newest) : Result<void>();
}

// A row of a name begins with its number: one byte of a class, two of a queue.
Result<void> inspect_names(StoppedStore& store, Inspection& inspection) {
  LIMPET_TRY(const Reader::Snapshot snapshot, store.reader().snapshot());
  const Key queues = queue_name_prefix();
  LIMPET_CHECK(snapshot.scan(queues, queues, [&](ByteSpan key, ByteSpan value) {
    if (value.size() < 2) return true;
    const auto number = static_cast<uint16_t>(value[0] << 8 | value[1]);
    inspection.queues[number] = name_in(key, queues);
    return true;
  }));
  const Key classes = class_name_prefix();
  return snapshot.scan(classes, classes, [&](ByteSpan key, ByteSpan value) {
    if (!value.empty()) inspection.classes[value[0]] = name_in(key, classes);
    return true;
  });
}

}  // namespace

Result<uint64_t> check_free_list(MDB_env* environment) {
  MDB_envinfo info{};
  mdb_env_info(environment, &info);
  LIMPET_TRY(ReadCursor cursor, ReadCursor::open(environment, free_list));
  uint64_t pages = 0;
  while (true) {
    LIMPET_TRY(const bool more, cursor.next());
    if (!more) return pages;
    if (!is_free_row(cursor.key(), cursor.value(), info.me_last_pgno)) {
      return Error{ErrorCode::corrupt, "store: the list of free pages"};
    }
    size_t count = 0;
    std::memcpy(&count, cursor.value().data(), sizeof count);
    pages += count;
  }
}

Result<Inspection> inspect(StoppedStore& store) {
  Inspection inspection;
  inspection.hot = store.hot();
  LIMPET_TRY(inspection.file_bytes, platform::file_size(store.file()));
  MDB_envinfo info{};
  mdb_env_info(store.environment(), &info);
  LIMPET_TRY(ReadCursor cursor, ReadCursor::open(store.environment(), store.tree()));
  const TreeStatistics tree = cursor.statistics();
  inspection.rows = tree.rows;
  inspection.used_bytes = (tree.pages + 2) * store_page_bytes;
  LIMPET_TRY(inspection.free_pages, check_free_list(store.environment()));
  const uint64_t file_pages = inspection.file_bytes / store_page_bytes;
  const uint64_t end_page = uint64_t{info.me_last_pgno} + 1;
  inspection.unused_pages = file_pages > end_page ? file_pages - end_page : 0;
  if (!store.has_content()) return inspection;
  LIMPET_CHECK(inspect_log(store, inspection));
  LIMPET_CHECK(inspect_names(store, inspection));
  return inspection;
}

Result<RowCounts> count_rows(StoppedStore& store) {
  RowCounts counts;
  LIMPET_TRY(ReadCursor cursor, ReadCursor::open(store.environment(), store.tree()));
  while (true) {
    LIMPET_TRY(const bool more, cursor.next());
    if (!more) return counts;
    const ByteSpan key = cursor.key();
    if (key.empty()) continue;
    RowCount& region = counts.regions[static_cast<char>(key[0])];
    ++region.rows;
    region.bytes += key.size() + cursor.value().size();
    if (key[0] != 'r') continue;
    if (const auto place = parse_ready_key(key)) ++counts.ready[place->lane.queue];
  }
}

}  // namespace limpet::store
