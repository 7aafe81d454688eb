#include "config/nearest.hpp"

#include <algorithm>
#include <numeric>

#include "base/check.hpp"

namespace limpet::config {

namespace {

constexpr size_t name_bytes_max = 64;  // of what is compared; the rest of a longer name is noise

size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replace});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view name, const std::vector<std::string_view>& candidates) {
  LIMPET_ASSERT(!candidates.empty());
  const std::string_view compared = name.substr(0, name_bytes_max);
  return *std::min_element(candidates.begin(), candidates.end(),
                           [compared](std::string_view a, std::string_view b) {
                             return distance(compared, a) < distance(compared, b);
                           });
}

}  // namespace limpet::config
