#include "daemon/suspects.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "platform/files.hpp"

namespace limpet::daemon {

namespace {

constexpr std::array<char, 8> magic = {'l', 'i', 'm', 'p', 'e', 't', 'f', '1'};

// As it lies in the file. Only a process of the same build on the same boot reads it.
struct Entry {
  uint8_t kind;  // 0: free; written last, cleared first
  uint8_t reserved[3];
  uint32_t step;
  uint64_t run;
  uint64_t event;
  uint8_t padding[40];
};
static_assert(sizeof(Entry) == 64);

}  // namespace

struct Suspects::Page {
  std::array<char, 8> magic;
  std::array<char, 56> boot;
  std::array<Entry, entries_max> entries;
};

Result<Suspects> Suspects::open(const std::string& file, std::string_view boot, BootTime now) {
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return Error{ErrorCode::io, "suspects: open the file", errno};
  const platform::OwnedDescriptor owned(fd);
  if (ftruncate(fd, sizeof(Page)) != 0) return Error{ErrorCode::io, "suspects: size", errno};
  void* const memory = mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return Error{ErrorCode::io, "suspects: map the file", errno};
  Suspects suspects;
  suspects.page_ = static_cast<Page*>(memory);
  Page& page = *suspects.page_;
  std::array<char, 56> this_boot{};
  std::copy_n(boot.begin(), std::min(boot.size(), this_boot.size()), this_boot.begin());
  if (page.magic == magic && page.boot == this_boot) {
    for (const Entry& entry : page.entries) {
      if (entry.kind != 1 && entry.kind != 2) continue;
      suspects.suspects_.push_back({static_cast<UnderWay::Kind>(entry.kind), RunId(entry.run),
                                    Ordinal(entry.step), Sequence(entry.event)});
    }
  }
  std::memset(memory, 0, sizeof(Page));
  page.magic = magic;
  page.boot = this_boot;
  if (suspects.suspects_.size() == 1) {
    suspects.culprit_ = suspects.suspects_.front();
    suspects.suspects_.clear();
  }
  if (!suspects.suspects_.empty()) suspects.alone_until_ = now + alone_time;
  return suspects;
}

Suspects::~Suspects() {
  if (page_ != nullptr) munmap(page_, sizeof(Page));
}

void Suspects::swap(Suspects& other) noexcept {
  std::swap(page_, other.page_);
  std::swap(suspects_, other.suspects_);
  std::swap(culprit_, other.culprit_);
  std::swap(alone_until_, other.alone_until_);
  std::swap(under_way_, other.under_way_);
  std::swap(unwatched_, other.unwatched_);
}

std::optional<UnderWay> Suspects::take_culprit() { return std::exchange(culprit_, std::nullopt); }

bool Suspects::may_begin(BootTime now) {
  if (suspects_.empty() || under_way_ == 0) return true;
  if (now < alone_until_) return false;
  suspects_.clear();
  return true;
}

Suspects::Slot Suspects::begin(const UnderWay& one) {
  ++under_way_;
  std::erase(suspects_, one);
  if (page_ == nullptr) return no_slot;
  const auto free = std::ranges::find(page_->entries, 0, &Entry::kind);
  if (free == page_->entries.end()) {
    ++unwatched_;
    return no_slot;
  }
  free->run = one.run.value();
  free->step = one.step.value();
  free->event = one.event.value();
  // The kernel keeps what this thread has written; only the compiler could change the order.
  std::atomic_signal_fence(std::memory_order_release);
  free->kind = static_cast<uint8_t>(one.kind);
  return static_cast<Slot>(free - page_->entries.begin());
}

void Suspects::end(Slot slot) {
  if (under_way_ > 0) --under_way_;
  if (page_ == nullptr || slot >= entries_max) return;
  page_->entries[slot].kind = 0;
}

void Suspects::close() {
  if (page_ != nullptr) page_->entries.fill(Entry{});
}

}  // namespace limpet::daemon
