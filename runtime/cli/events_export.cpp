// limpet events export: events of the log as a file, as NDJSON or as a CBOR sequence.

#include <cstdio>
#include <fstream>

#include "cli/event_query.hpp"
#include "cli/remote.hpp"
#include "cli/verbs.hpp"
#include "codec/cbor.hpp"
#include "model/event.hpp"

namespace limpet::cli {

namespace {

// Counts what passes, and passes on what is an event: no signs of life. An item of CBOR can end in
// a later piece.
class Counter {
 public:
  Counter(std::ostream& out, bool cbor) : out_(out), cbor_(cbor) {}

  // False: it could not be written.
  bool take(std::string_view piece) {
    rest_.append(piece);
    size_t done = 0;
    while (const size_t size = cbor_ ? item_size(done) : line_size(done)) {
      const std::string_view one = std::string_view(rest_).substr(done, size);
      done += size;
      if (size == 1) continue;  // an empty line, an empty map
      ++events_;
      if (is_gap(one)) ++gaps_;
      out_.write(one.data(), static_cast<std::streamsize>(one.size()));
    }
    rest_.erase(0, done);
    return out_.good();
  }
  [[nodiscard]] bool whole() const { return rest_.empty(); }
  [[nodiscard]] uint64_t events() const { return events_ - gaps_; }
  [[nodiscard]] uint64_t gaps() const { return gaps_; }

 private:
  [[nodiscard]] size_t line_size(size_t from) const {
    const size_t end = rest_.find('\n', from);
    return end == std::string::npos ? 0 : end + 1 - from;
  }
  [[nodiscard]] size_t item_size(size_t from) const {
    codec::CborReader reader(as_bytes(rest_).subspan(from));
    reader.skip();
    return reader.ok() ? reader.offset() : 0;
  }
  // Only a gap has no place in the log.
  [[nodiscard]] bool is_gap(std::string_view one) const {
    const std::string_view head = one.substr(0, one.find("data"));
    return head.find(event_type::log_gap) != std::string_view::npos &&
           head.find("sequence") == std::string_view::npos;
  }

  std::ostream& out_;
  const bool cbor_;
  std::string rest_;
  uint64_t events_ = 0;
  uint64_t gaps_ = 0;
};

Exit download(const Context& context, const ExportOptions& options, std::ostream& out) {
  const std::optional<std::string> target = events_target(options.query);
  if (!target) {
    return fail(context, "--since is neither a time nor a duration such as 2h", Exit::usage);
  }
  const bool cbor = options.format == "cbor";
  Counter counter(out, cbor);
  Remote remote(context);
  bool written = true;
  const bool complete =
      remote.download(*target, cbor ? "application/cbor-seq" : "application/x-ndjson",
                      [&](std::string_view piece) { return written = counter.take(piece); });
  out.flush();
  if (!written || !out.good()) return fail(context, "cannot write the export");
  if (!complete) return remote.exit();
  if (!counter.whole()) return fail(context, "the last event came only in part");
  context.err << "exported " << counter.events() << " events" << std::endl;
  if (counter.gaps() > 0) {
    context.err << "limpet: at " << counter.gaps()
                << " places events are no longer stored; the export says where" << std::endl;
  }
  return Exit::ok;
}

}  // namespace

// A file has its name only when it is whole.
Exit export_events(const Context& context, const ExportOptions& options) {
  if (options.file.empty() || options.file == "-") return download(context, options, context.out);
  const std::string part = options.file + ".part";
  std::ofstream file(part, std::ios::binary | std::ios::trunc);
  if (!file) return fail(context, "cannot write " + part);
  const Exit exit = download(context, options, file);
  file.close();
  if (exit == Exit::ok && std::rename(part.c_str(), options.file.c_str()) == 0) return exit;
  static_cast<void>(std::remove(part.c_str()));
  return exit == Exit::ok ? fail(context, "cannot write " + options.file) : exit;
}

}  // namespace limpet::cli
