// limpet events import: an export, or any file of CloudEvents, into the log as history: the events
// keep type, source, id and time, and nothing follows from them. What came before is a duplicate,
// so an import that broke off is simply repeated.

#include <cstdlib>
#include <fstream>

#include "base/limits.hpp"
#include "cli/item.hpp"
#include "cli/remote.hpp"
#include "cli/verbs.hpp"
#include "codec/cbor.hpp"
#include "codec/json.hpp"

namespace limpet::cli {

namespace {

constexpr size_t read_bytes = 64 * 1024;
constexpr size_t batch_bytes_max = limits::batch_bytes_max / 2;  // the log's form may be larger

struct Totals {
  uint64_t events = 0;
  uint64_t duplicates = 0;
};

// Cuts the input into requests of whole events.
class Batches {
 public:
  explicit Batches(std::istream& in) : in_(in) {}

  // The next batch; empty: there is none, or the rest is cut (see cut()).
  std::string next() {
    size_t size = 0;
    for (size_t count = 0; count < limits::batch_events_max; ++count) {
      size_t one = 0;
      while ((one = event_size(size)) == 0 && read_more()) {
      }
      if (one == 0 || (size > 0 && size + one > batch_bytes_max)) break;
      size += one;
    }
    std::string batch = rest_.substr(0, size);
    rest_.erase(0, size);
    return batch;
  }
  // Is it a CBOR sequence? Known after the first next().
  [[nodiscard]] bool cbor() const { return cbor_; }
  [[nodiscard]] bool cut() const { return !rest_.empty(); }

 private:
  bool read_more() {
    if (!in_.good()) return false;
    const size_t before = rest_.size();
    rest_.resize(before + read_bytes);
    in_.read(rest_.data() + before, static_cast<std::streamsize>(read_bytes));
    rest_.resize(before + static_cast<size_t>(in_.gcount()));
    if (before == 0 && !rest_.empty() && !begun_) {
      begun_ = true;
      cbor_ = (static_cast<uint8_t>(rest_.front()) & 0xe0) == 0xa0;
    }
    return rest_.size() > before;
  }
  // Of the one at `from`; 0: it is not whole yet.
  [[nodiscard]] size_t event_size(size_t from) const {
    if (from == rest_.size()) return 0;
    if (cbor_) {
      codec::CborReader reader(as_bytes(rest_).subspan(from));
      reader.skip();
      return reader.ok() ? reader.offset() : 0;
    }
    const size_t end = rest_.find('\n', from);
    if (end != std::string::npos) return end + 1 - from;
    return in_.good() ? 0 : rest_.size() - from;  // a last line without its end
  }

  std::istream& in_;
  std::string rest_;
  bool begun_ = false;
  bool cbor_ = false;
};

uint64_t count_of(const std::string& answer, std::string_view name) {
  const auto parsed = codec::json_to_cbor(answer);
  const std::string text = parsed ? display(member(*parsed, name)) : "";
  return text.empty() ? 0 : std::strtoull(text.c_str(), nullptr, 10);
}

bool blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

Exit import_from(const Context& context, std::istream& in) {
  Batches batches(in);
  Remote remote(context);
  Totals totals;
  while (true) {
    const std::string batch = batches.next();
    if (batch.empty()) break;
    if (!batches.cbor() && blank(batch)) continue;
    const HttpRequest request = {
        "POST",
        "/v1/events?import=true",
        {{"Content-Type", batches.cbor() ? "application/cbor-seq" : "application/x-ndjson"}},
        batch};
    const std::optional<std::string> answer = remote.post(request);
    if (!answer) {
      context.err << "limpet: " << totals.events << " events were imported before; repeat the "
                  << "import to go on" << std::endl;
      return remote.exit();
    }
    const uint64_t first = count_of(*answer, "first");
    if (first > 0) totals.events += count_of(*answer, "last") - first + 1;
    totals.duplicates += count_of(*answer, "duplicates");
  }
  if (batches.cut()) return fail(context, "the input ends within an event");
  if (context.globals.json) {
    context.out << R"({"imported":)" << totals.events << R"(,"duplicates":)" << totals.duplicates
                << "}" << std::endl;
  } else {
    context.out << "imported " << totals.events << ", " << totals.duplicates << " were there"
                << std::endl;
  }
  return Exit::ok;
}

}  // namespace

Exit import_events(const Context& context, const std::string& file) {
  if (file == "-") return import_from(context, context.in);
  std::ifstream in(file, std::ios::binary);
  if (!in) return fail(context, "cannot read " + file);
  return import_from(context, in);
}

}  // namespace limpet::cli
