#include "store/rescue.hpp"

#include <errno.h>
#include <unistd.h>

#include "platform/file_system.hpp"
#include "platform/files.hpp"
#include "store/environment.hpp"
#include "store/meta_pages.hpp"
#include "store/seed_file.hpp"

namespace limpet::store {

namespace {

Result<bool> rescue_meta_page(const RescueFacts& facts, Logger& logger) {
  const std::string file = store_file(facts.directory);
  LIMPET_TRY(const MetaPages pages, read_meta_pages(file));
  if (pages.both()) return false;
  if (pages.none()) return Error{ErrorCode::corrupt, both_meta_pages_bad};
  logger.line(LogLevel::error, "store",
              "meta page " + std::to_string(1 - pages.newest) +
                  " was damaged and is written again from the other one; the last commit may be "
                  "gone, so a new epoch begins");
  Marker marker = facts.marker.value_or(Marker{});
  marker.epoch_due = true;
  LIMPET_CHECK(write_marker(facts.directory, marker));
  LIMPET_CHECK(repair_meta_page(file, pages));
  return true;
}

// The file gets a second name, then an empty store takes its first one: there is always a store.
Result<void> set_aside(const RescueFacts& facts) {
  LIMPET_TRY(const platform::FileSystemFacts disk, platform::file_system_facts(facts.directory));
  if (disk.free_bytes < facts.store_bytes) {
    return Error{ErrorCode::full,
                 "store: store.mdb is damaged and the disk has no room for a new one beside it; "
                 "move store.mdb to another disk, or make room"};
  }
  const std::string file = store_file(facts.directory);
  const std::string aside = file + damaged_file_suffix;
  if (unlink(aside.c_str()) != 0 && errno != ENOENT) {
    return Error{ErrorCode::io, "store: remove the older damaged file", errno};
  }
  // Some file systems of cards know no second names.
  if (link(file.c_str(), aside.c_str()) != 0 && rename(file.c_str(), aside.c_str()) != 0) {
    return Error{ErrorCode::io, "store: set the damaged file aside", errno};
  }
  return platform::replace_file(file, make_seed_file());
}

std::string describe(const VerifyReport& report) {
  std::string text = std::to_string(report.rows) + " rows read, " +
                     std::to_string(report.problems) +
                     (report.problems == 1 ? " problem" : " problems");
  if (report.first.empty()) return text;
  return text + "; the first: " + report.first.front().key + ": " + report.first.front().text;
}

Result<void> rescue_by_walk(const RescueFacts& facts, const Walker& walker, Repairs& repairs,
                            Logger& logger) {
  logger.line(LogLevel::warning, "store", "reading the whole file to see whether it is sound");
  LIMPET_TRY(const VerifyReport report, walker(facts.directory));
  repairs.walked = true;
  if (report.good()) {
    logger.line(LogLevel::info, "store", "the file is sound: " + describe(report));
    return {};
  }
  if (report.tree_sound) {
    repairs.damaged_records = report.problems;
    logger.line(LogLevel::error, "store", "the file goes on with damage: " + describe(report));
    return {};
  }
  LIMPET_CHECK(set_aside(facts));
  repairs.set_aside = true;
  logger.line(LogLevel::error, "store",
              "the file is broken and was set aside as store.mdb.damaged; a new store begins: " +
                  describe(report));
  return {};
}

}  // namespace

Result<Repairs> rescue(const RescueFacts& facts, const Walker& walker, Logger& logger) {
  Repairs repairs;
  LIMPET_TRY(repairs.meta_page, rescue_meta_page(facts, logger));
  if (facts.suspect || repairs.meta_page) {
    LIMPET_CHECK(rescue_by_walk(facts, walker, repairs, logger));
  }
  return repairs;
}

}  // namespace limpet::store
