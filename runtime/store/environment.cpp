#include "store/environment.hpp"

#include <errno.h>
#include <lmdb.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/limits.hpp"
#include "store/copy.hpp"
#include "store/keys.hpp"
#include "store/lmdb_layout.hpp"
#include "store/marker.hpp"
#include "store/meta_pages.hpp"
#include "store/seed_file.hpp"

namespace limpet::store {

namespace {

constexpr const char* file_name = "/store.mdb";
constexpr unsigned readers_max = 16;  // main, and one for each reader of the API; none a client
constexpr mode_t file_mode = 0640;

Result<uint64_t> wanted_bytes(const OpenOptions& options) {
  const uint64_t wanted = options.max_bytes + reserve_bytes(options.max_bytes);
  const uint64_t rounded = (wanted + store_page_bytes - 1) / store_page_bytes * store_page_bytes;
  if (rounded > SIZE_MAX / 2) {
    return Error{ErrorCode::invalid, "store: max_bytes is larger than this machine's addresses"};
  }
  return rounded;
}

// The map must hold what the file holds; a file never shrinks by itself.
Result<void> check_file_fits(const std::string& file, uint64_t map_bytes) {
  LIMPET_TRY(uint64_t file_bytes, platform::file_size(file));
  if (file_bytes <= map_bytes) return {};
  return Error{ErrorCode::invalid,
               "store: max_bytes is smaller than the store's file; raise it, or make the file "
               "smaller with `limpet store compact`"};
}

Result<void> reserve_disk(const std::string& file, uint64_t bytes, Logger& logger) {
  const Result<void> reserved = platform::preallocate(file, bytes);
  if (reserved.ok()) return {};
  if (reserved.error().code == ErrorCode::unsupported) {
    logger.line(LogLevel::warning, "store",
                "this file system cannot preallocate; a full disk will stop the store");
    return {};
  }
  if (reserved.error().system_error == ENOSPC) {
    return Error{ErrorCode::full, "store: no room on the disk for max_bytes", ENOSPC};
  }
  return reserved.error();
}

// LMDB opens its files without O_CLOEXEC in the release we build on; children must not inherit
// them.
Result<EnvironmentHandle> open_lmdb(const std::string& file, uint64_t map_bytes) {
  MDB_env* raw = nullptr;
  if (const int code = mdb_env_create(&raw)) return lmdb_error(code, "store: create environment");
  EnvironmentHandle handle(raw);
  if (const int code = mdb_env_set_mapsize(raw, static_cast<size_t>(map_bytes))) {
    return lmdb_error(code, "store: set map size");
  }
  if (const int code = mdb_env_set_maxreaders(raw, readers_max)) {
    return lmdb_error(code, "store: set readers");
  }
  if (const int code = mdb_env_open(raw, file.c_str(), MDB_NOSUBDIR | MDB_NOTLS, file_mode)) {
    return lmdb_error(code, "store: open environment");
  }
  int descriptor = -1;
  mdb_env_get_fd(raw, &descriptor);
  LIMPET_CHECK(platform::set_close_on_exec(descriptor));
  int dead_readers = 0;
  mdb_reader_check(raw, &dead_readers);
  return handle;
}

// Repairs what can be, then lets LMDB open the file. `environment` gets the handle.
Result<Content> open_sound(Environment& environment, const RescueFacts& facts, Logger& logger) {
  environment.handle.reset();
  const std::string file = store_file(facts.directory);
  LIMPET_TRY(const Repairs repairs, rescue(facts, verify_in_child, logger));
  environment.repairs.add(repairs);
  if (repairs.walked) environment.starts.walked();
  LIMPET_CHECK(confirm_newest_meta(file));
  LIMPET_CHECK(check_file_fits(file, facts.store_bytes));
  LIMPET_CHECK(reserve_disk(file, facts.store_bytes, logger));
  LIMPET_TRY(environment.handle, open_lmdb(file, facts.store_bytes));
  return read_content(environment.handle.get());
}

void choose_epoch(Environment& environment, const OpenOptions& options, const Marker& marker,
                  Logger& logger) {
  const bool other_machine = !marker.machine_id.empty() && !options.machine_id.empty() &&
                             marker.machine_id != options.machine_id;
  environment.epoch_changed = !environment.created && (other_machine || marker.epoch_due);
  if (environment.created || environment.epoch_changed) environment.hot.epoch = options.new_epoch;
  if (!environment.epoch_changed) return;
  logger.line(LogLevel::warning, "store",
              other_machine
                  ? "this machine is not the one that wrote the store: a new epoch begins"
                  : "the store is a copy, or was repaired from an older state: a new epoch begins");
}

}  // namespace

void EnvironmentDeleter::operator()(MDB_env* environment) const { mdb_env_close(environment); }

uint64_t reserve_bytes(uint64_t max_bytes) {
  constexpr uint64_t floor_bytes = uint64_t{4} << 20;
  static_assert(floor_bytes >= 3 * limits::batch_bytes_max);
  return std::max(floor_bytes, max_bytes / 20);
}

Error lmdb_error(int code, const char* where) {
  switch (code) {
    case MDB_MAP_FULL: return Error{ErrorCode::full, where};
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_PANIC: return Error{ErrorCode::corrupt, where};
    case MDB_VERSION_MISMATCH: return Error{ErrorCode::unsupported, where};
    case ENOSPC: return Error{ErrorCode::full, where, ENOSPC};
    default:
      return Error{code > 0 ? ErrorCode::io : ErrorCode::internal, where, code > 0 ? code : 0};
  }
}

std::string store_file(const std::string& directory) { return directory + file_name; }

Result<Content> read_content(MDB_env* environment) {
  MDB_txn* transaction = nullptr;
  if (const int code = mdb_txn_begin(environment, nullptr, MDB_RDONLY, &transaction)) {
    return lmdb_error(code, "store: begin reading");
  }
  Content content;
  MDB_dbi tree = 0;
  int code = mdb_dbi_open(transaction, nullptr, 0, &tree);
  content.tree = tree;
  Result<HotRecord> hot(HotRecord{});
  if (code == 0) {
    const Key key = hot_key();
    MDB_val lookup{key.bytes().size(), const_cast<uint8_t*>(key.bytes().data())};
    MDB_val value{};
    code = mdb_get(transaction, tree, &lookup, &value);
    content.found = code == 0;
    if (content.found) {
      hot = decode_hot({static_cast<const uint8_t*>(value.mv_data), value.mv_size});
    }
  }
  // Commit, not abort: aborting would close the tree's handle, which is kept.
  mdb_txn_commit(transaction);
  if (code != 0 && code != MDB_NOTFOUND) return lmdb_error(code, "store: read hot record");
  LIMPET_TRY(content.hot, std::move(hot));
  return content;
}

Result<Environment> open_environment(const OpenOptions& options, const OpenMoment& moment,
                                     Logger& logger) {
  LIMPET_CHECK(platform::make_directories(options.directory));
  Environment environment;
  LIMPET_TRY(environment.lock, platform::lock_directory(options.directory));

  remove_unfinished_copy(options.directory);
  const std::string file = store_file(options.directory);
  const bool file_exists = platform::file_exists(file);
  LIMPET_TRY(std::optional<Marker> marker, read_marker(options.directory));
  LIMPET_CHECK(check_marker({marker.has_value(), file_exists, options.create}));
  LIMPET_TRY(const uint64_t map_bytes, wanted_bytes(options));
  environment.starts =
      Starts(options.directory,
             Start{options.boot, moment.boot_ms, moment.wall_ms, StartPhase::opening}, logger);
  if (!file_exists) LIMPET_CHECK(platform::replace_file(file, make_seed_file()));

  // At this point there is a file; it may be damaged.
  RescueFacts facts{options.directory, marker, environment.starts.walk_due(), map_bytes};
  Result<Content> content = open_sound(environment, facts, logger);
  if (!content.ok() && content.error().code == ErrorCode::corrupt && !environment.repairs.walked) {
    facts.suspect = true;
    content = open_sound(environment, facts, logger);
  }
  if (!content.ok()) return content.error();
  if (environment.repairs.meta_page) {
    LIMPET_TRY(marker, read_marker(options.directory));
  }
  environment.tree = content->tree;
  environment.hot = content->hot;
  environment.created = !content->found;

  // At this point the file is ours and readable. What follows decides under which epoch it goes on.
  choose_epoch(environment, options, marker.value_or(Marker{}), logger);
  environment.marker_due =
      !marker || environment.epoch_changed || marker->epoch_due || environment.created;
  return environment;
}

}  // namespace limpet::store
