#pragma once

// Cuts the power of a recorded life of the store at every sync, in many ways each, and checks what
// the next start finds. Owner: a test. Thread: one.

#include <chrono>
#include <string>
#include <vector>

#include "tests/crash/disk_model.hpp"
#include "tests/crash/fast_directory.hpp"
#include "tests/crash/recorded_life.hpp"
#include "tests/crash/seed.hpp"
#include "tests/crash/store_state.hpp"

namespace limpet::testing {

struct CutLimits {
  size_t images_max = 12;          // of one sync, beside "none" and "all"; a quarter when cut again
  size_t subsets = 64;             // random ones among which is drawn
  uint64_t again_every = 50;       // of so many images one is lived on from, and cut again
  std::chrono::seconds budget{0};  // zero: as long as it takes
};

struct CutFindings {
  uint64_t windows = 0;
  uint64_t images = 0;
  uint64_t torn_meta_pages = 0;
  uint64_t destroyed_meta_pages = 0;
  uint64_t cut_again = 0;
  bool out_of_time = false;
  uint64_t wrong = 0;
  std::vector<std::string> examples;  // of what was wrong: the first few
};

struct CutLife {
  uint64_t changes = 0;
  size_t window = 1;
  bool acknowledge_early = false;
};

class CutExplorer {
 public:
  CutExplorer(Chance& chance, CutLimits limits)
      : chance_(chance), limits_(limits), end_(std::chrono::steady_clock::now() + limits.budget) {}

  // Lives once on `base`, which holds `changes_before`, and cuts that life at every sync. A store
  // that was opened again is cut again, `depth` times.
  void explore(const DiskImage& base, uint64_t changes_before, const CutLife& life,
               unsigned depth = 1);

  [[nodiscard]] const CutFindings& findings() const { return findings_; }
  // What was done, for the log of the test run.
  void print(const char* what) const;

 private:
  enum class Damage { none, torn_page, destroyed_meta };
  // Which pending units reach the disk, and one that does so in part.
  struct Cut {
    std::vector<bool> chosen;
    size_t damaged = 0;
    ByteVector damaged_bytes;
    Damage damage = Damage::none;
  };

  [[nodiscard]] std::vector<Cut> cuts_of(const DiskModel& model);
  void add_tears(const DiskModel& model, size_t index, std::vector<Cut>& cuts_out);
  void visit_window(const DiskModel& model, const Promises& promises, unsigned depth);
  void visit(const DiskModel& model, const Cut& cut, const Promises& promises, unsigned depth);
  void blame(const std::string& what, const Cut& cut, const DiskModel& model);
  [[nodiscard]] bool over() const;

  Chance& chance_;
  const CutLimits limits_;
  const std::chrono::steady_clock::time_point end_;
  FastDirectory directory_;
  StoreState state_;
  CutFindings findings_;
};

}  // namespace limpet::testing
