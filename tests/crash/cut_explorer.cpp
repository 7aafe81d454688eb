#include "tests/crash/cut_explorer.hpp"

#include <algorithm>
#include <cstdio>

#include "base/check.hpp"

namespace limpet::testing {

namespace {

constexpr size_t examples_max = 5;
constexpr uint64_t changes_after_cut = 3;
constexpr size_t images_again_max = 8;  // of one sync of a life after a cut
constexpr size_t always_visited = 2;    // the first two cuts of a window: none and all
constexpr unsigned sectors = disk_page_bytes / disk_sector_bytes;

}  // namespace

bool CutExplorer::over() const {
  return limits_.budget.count() > 0 && std::chrono::steady_clock::now() >= end_;
}

void CutExplorer::explore(const DiskImage& base, uint64_t changes_before, const CutLife& life,
                          unsigned depth) {
  const std::string live = directory_.file("live-" + std::to_string(depth));
  const std::string trace_path = directory_.file("trace-" + std::to_string(depth));
  std::filesystem::remove(trace_path);
  write_image(base, live);
  const ProgramResult ended =
      live_recorded({live, trace_path, life.changes, life.window, life.acknowledge_early, ""});
  if (ended.exit_code != 0) {
    ++findings_.wrong;
    findings_.examples.push_back("the workload ended with " + std::to_string(ended.exit_code) +
                                 ": " + ended.output);
    return;
  }
  const Trace trace(trace_path);
  DiskModel model(live, base);
  Promises promises{changes_before, changes_before};
  for (const TraceRecord& record : trace.records()) {
    if (over()) break;
    if (record.head.kind == RecordKind::marker) {
      const auto number = static_cast<uint64_t>(record.head.offset);
      const auto kind = static_cast<MarkerKind>(record.head.handle);
      if (kind == MarkerKind::submitted) promises.submitted = number;
      if (kind == MarkerKind::acknowledged) promises.acknowledged = number;
    }
    LIMPET_ASSERT(model.begin(record));
    if (DiskModel::syncs(record)) visit_window(model, promises, depth);
    model.finish(record);
  }
  visit_window(model, promises, depth);
}

std::vector<CutExplorer::Cut> CutExplorer::cuts_of(const DiskModel& model) {
  const size_t count = model.pending().size();
  std::vector<Cut> cuts{{std::vector<bool>(count, false), 0, {}, Damage::none},
                        {std::vector<bool>(count, true), 0, {}, Damage::none}};
  for (size_t index = 0; index < count; ++index) {
    Cut alone = cuts[0];
    alone.chosen[index] = true;
    Cut missing = cuts[1];
    missing.chosen[index] = false;
    cuts.push_back(std::move(alone));
    cuts.push_back(std::move(missing));
    add_tears(model, index, cuts);
  }
  for (size_t subset = 0; subset < limits_.subsets && count > 1; ++subset) {
    Cut cut = cuts[0];
    for (size_t index = 0; index < count; ++index) cut.chosen[index] = chance_.up_to(1) == 1;
    cuts.push_back(std::move(cut));
  }
  return cuts;
}

// A page whose sectors are partly the old ones. LMDB's meta pages are torn in every place, others
// in one. A meta page on its way may also come out as nothing that anyone wrote.
void CutExplorer::add_tears(const DiskModel& model, size_t index, std::vector<Cut>& cuts_out) {
  const DiskUnit& unit = model.pending()[index];
  if (unit.kind != DiskUnit::Kind::data) return;
  ByteVector old = model.below(unit);
  old.resize(unit.bytes.size());
  const bool is_meta = model.is_meta(unit);
  Cut cut{std::vector<bool>(model.pending().size(), true), index, {}, Damage::torn_page};
  for (unsigned first = 1; first < sectors; ++first) {
    if (!is_meta && first != 1 + chance_.up_to(sectors - 2)) continue;
    for (const bool new_first : {true, false}) {
      cut.damaged_bytes = unit.bytes;
      for (size_t at = 0; at < old.size(); ++at) {
        const size_t sector = (unit.offset + at) % disk_page_bytes / disk_sector_bytes;
        if ((sector < first) != new_first) cut.damaged_bytes[at] = old[at];
      }
      cuts_out.push_back(cut);
    }
  }
  // Writing the same bytes again changes no sector that a disk would have to erase.
  if (!is_meta || old == unit.bytes) return;
  cut.damage = Damage::destroyed_meta;
  for (const size_t size : {disk_sector_bytes, disk_page_bytes}) {
    for (const uint8_t value : {uint8_t{0}, uint8_t{0xff}, uint8_t{0xa5}}) {
      cut.damaged_bytes.assign(size, value);
      cuts_out.push_back(cut);
    }
  }
}

void CutExplorer::visit_window(const DiskModel& model, const Promises& promises, unsigned depth) {
  ++findings_.windows;
  std::vector<Cut> cuts = cuts_of(model);
  // The first stay; of the others a random choice comes to stand behind them.
  const size_t drawn =
      depth == 0 ? std::min(limits_.images_max / 4, images_again_max) : limits_.images_max;
  const size_t wanted = std::min(cuts.size(), always_visited + drawn);
  for (size_t index = always_visited; index < wanted; ++index) {
    const auto left = static_cast<uint32_t>(cuts.size() - index - 1);
    std::swap(cuts[index], cuts[index + chance_.up_to(left)]);
  }
  if (model.pending().empty()) cuts.resize(1);
  for (size_t index = 0; index < std::min(wanted, cuts.size()) && !over(); ++index) {
    visit(model, cuts[index], promises, depth);
  }
  findings_.out_of_time = over();
}

void CutExplorer::visit(const DiskModel& model, const Cut& cut, const Promises& promises,
                        unsigned depth) {
  std::vector<DiskUnit> units = model.pending();
  if (cut.damage != Damage::none) {
    DiskUnit& damaged = units[cut.damaged];
    damaged.bytes = cut.damaged_bytes;
    // The whole of what the disk was writing at that place.
    if (cut.damage == Damage::destroyed_meta) damaged.offset -= damaged.offset % disk_page_bytes;
    findings_.torn_meta_pages += model.is_meta(units[cut.damaged]) ? 1 : 0;
  }
  const bool destroyed = cut.damage == Damage::destroyed_meta;
  findings_.destroyed_meta_pages += destroyed ? 1 : 0;
  const DiskImage image = model.image(units, cut.chosen);
  const std::string directory = directory_.file("image");
  write_image(image, directory);
  uint64_t number = 0;
  const std::string wrong = state_.check(directory, promises, changes_after_cut, &number);
  ++findings_.images;
  if (wrong.empty()) {
    if (depth == 0 || findings_.images % limits_.again_every != 0) return;
    ++findings_.cut_again;
    return explore(image, number, {changes_after_cut, 1, false}, depth - 1);
  }
  blame(wrong, cut, model);
}

void CutExplorer::blame(const std::string& what, const Cut& cut, const DiskModel& model) {
  ++findings_.wrong;
  if (findings_.examples.size() == examples_max) return;
  std::string example = what + "; window " + std::to_string(findings_.windows) + ", on disk";
  for (size_t index = 0; index < cut.chosen.size(); ++index) {
    if (!cut.chosen[index]) continue;
    const DiskUnit& unit = model.pending()[index];
    example += " " + (unit.kind == DiskUnit::Kind::data
                          ? "page " + std::to_string(unit.offset / disk_page_bytes)
                          : "size or name");
  }
  if (cut.damage != Damage::none) {
    example += cut.damage == Damage::torn_page ? ", torn: page " : ", destroyed: page ";
    example += std::to_string(model.pending()[cut.damaged].offset / disk_page_bytes);
  }
  findings_.examples.push_back(example);
}

void CutExplorer::print(const char* what) const {
  std::printf(
      "%s: %llu syncs cut, %llu disk images (%llu with a torn meta page, %llu with a destroyed "
      "one), %llu lived on and cut again, %llu wrong%s\n",
      what, static_cast<unsigned long long>(findings_.windows),
      static_cast<unsigned long long>(findings_.images),
      static_cast<unsigned long long>(findings_.torn_meta_pages),
      static_cast<unsigned long long>(findings_.destroyed_meta_pages),
      static_cast<unsigned long long>(findings_.cut_again),
      static_cast<unsigned long long>(findings_.wrong),
      findings_.out_of_time ? "; out of time" : "");
}

}  // namespace limpet::testing
