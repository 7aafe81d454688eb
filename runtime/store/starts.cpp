#include "store/starts.hpp"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <utility>

#include "platform/files.hpp"

namespace limpet::store {

namespace {

constexpr const char* file_name = "/LIMPET-STARTS";
constexpr std::string_view first_line = "limpet starts\n";
constexpr std::string_view start_label = "start ";
constexpr size_t file_bytes = 512;  // one sector, written as a whole
// A line at most: label, boot in 8 digits, two times in 13, phase, " walked".
static_assert(first_line.size() + starts_kept_max * (6 + 9 + 14 + 14 + 7 + 7 + 1) <= file_bytes);
constexpr uint64_t time_ms_max = 9999999999999;

void append_hex(std::string& text, uint32_t value) {
  std::array<char, 8> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16);
  text.append(digits.data(), end.ptr);
}

// The next word of a line; the line is what is left.
std::string_view take_word(std::string_view& line) {
  const size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

template <class Number>
bool parse_number(std::string_view word, Number& value_out, int base) {
  const auto end = std::from_chars(word.data(), word.data() + word.size(), value_out, base);
  return end.ec == std::errc() && end.ptr == word.data() + word.size() && !word.empty();
}

std::string_view phase_name(StartPhase phase) {
  switch (phase) {
    case StartPhase::opening: return "opening";
    case StartPhase::open: return "open";
    case StartPhase::corrupt: return "corrupt";
  }
  return "opening";
}

bool parse_start(std::string_view line, Start& start_out) {
  if (!line.starts_with(start_label)) return false;
  line.remove_prefix(start_label.size());
  if (!parse_number(take_word(line), start_out.boot, 16)) return false;
  if (!parse_number(take_word(line), start_out.boot_ms, 10)) return false;
  if (!parse_number(take_word(line), start_out.store_ms, 10)) return false;
  const std::string_view phase = take_word(line);
  start_out.walked = line == "walked";
  for (const StartPhase one : {StartPhase::opening, StartPhase::open, StartPhase::corrupt}) {
    if (phase != phase_name(one)) continue;
    start_out.phase = one;
    return true;
  }
  return false;
}

// Did the process that made `start` crash while it opened the store, or soon after, before `next`?
bool crashed_early(const Start& start, const Start& next) {
  if (start.phase == StartPhase::opening) return true;
  return start.boot != 0 && start.boot == next.boot && next.boot_ms >= start.boot_ms &&
         next.boot_ms - start.boot_ms < starts_window_ms;
}

}  // namespace

bool walk_due(const std::vector<Start>& found, const Start& now) {
  if (!found.empty() && found.back().phase == StartPhase::corrupt) return true;
  if (found.size() < 2) return false;
  const Start& last = found[found.size() - 1];
  const Start& before = found[found.size() - 2];
  return !last.walked && !before.walked && crashed_early(before, last) && crashed_early(last, now);
}

uint32_t count_recent(const std::vector<Start>& found, uint64_t store_ms) {
  uint32_t count = 0;
  for (const Start& start : found) {
    // A start that never came to know the store's time has the time of the one before it.
    if (start.store_ms + starts_window_ms > store_ms) ++count;
  }
  return count;
}

std::string encode_starts(const std::vector<Start>& starts) {
  std::string text(first_line);
  const size_t skipped = starts.size() > starts_kept_max ? starts.size() - starts_kept_max : 0;
  for (size_t index = skipped; index < starts.size(); ++index) {
    const Start& start = starts[index];
    text.append(start_label);
    append_hex(text, start.boot);
    text.append(" ").append(std::to_string(std::min(start.boot_ms, time_ms_max)));
    text.append(" ").append(std::to_string(std::min(start.store_ms, time_ms_max)));
    text.append(" ").append(phase_name(start.phase));
    text.append(start.walked ? " walked\n" : "\n");
  }
  text.resize(file_bytes, '\n');
  return text;
}

std::vector<Start> parse_starts(std::string_view text) {
  std::vector<Start> starts;
  if (!text.starts_with(first_line)) return starts;
  text.remove_prefix(first_line.size());
  Start start;
  while (starts.size() < starts_kept_max && parse_start(text.substr(0, text.find('\n')), start)) {
    starts.push_back(start);
    text.remove_prefix(std::min(text.find('\n') + 1, text.size()));
  }
  return starts;
}

std::vector<Start> read_starts(const std::string& directory) {
  const Result<std::string> content = platform::read_file(directory + file_name, file_bytes);
  return content.ok() ? parse_starts(*content) : std::vector<Start>();
}

Starts::Starts(const std::string& directory, const Start& now, Logger& logger)
    : file_(directory + file_name),
      found_(read_starts(directory)),
      now_(now),
      running_(true),
      logger_(&logger) {
  // Without a plausible clock the store's time is not yet known; it is not before that of the last.
  if (!found_.empty()) now_.store_ms = std::max(now_.store_ms, found_.back().store_ms);
  write_or_log(true);
}

Starts::~Starts() {
  if (!running_ || logger_ == nullptr) return;
  running_ = false;
  write_or_log(false);
}

bool Starts::walk_due() const { return store::walk_due(found_, now_); }

void Starts::walked() {
  now_.walked = true;
  write_or_log(true);
}

void Starts::opened(uint64_t store_ms) {
  now_.phase = StartPhase::open;
  now_.store_ms = store_ms;
  write_or_log(false);
}

uint32_t Starts::unclean_recent(uint64_t store_ms) const { return count_recent(found_, store_ms); }

void Starts::closed() {
  found_.clear();
  running_ = false;
  write_or_log(false);
}

void Starts::corrupt() {
  now_.phase = StartPhase::corrupt;
  write_or_log(true);
  running_ = false;  // the line stays
}

void Starts::swap(Starts& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(found_, other.found_);
  std::swap(now_, other.now_);
  std::swap(running_, other.running_);
  std::swap(logger_, other.logger_);
}

Result<void> Starts::write(bool sync) const {
  std::vector<Start> starts = found_;
  if (running_) starts.push_back(now_);
  const std::string text = encode_starts(starts);
  const platform::OwnedDescriptor file(open(file_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0640));
  if (!file) return Error{ErrorCode::io, "store: open LIMPET-STARTS", errno};
  if (pwrite(file.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return Error{ErrorCode::io, "store: write LIMPET-STARTS", errno};
  }
  if (sync && fdatasync(file.get()) != 0) {
    return Error{ErrorCode::io, "store: sync LIMPET-STARTS", errno};
  }
  return {};
}

void Starts::write_or_log(bool sync) {
  if (logger_ == nullptr) return;
  const Result<void> written = write(sync);
  if (!written.ok()) logger_->line(LogLevel::warning, "store", to_string(written.error()));
}

}  // namespace limpet::store
