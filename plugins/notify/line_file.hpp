#pragma once
#include <cstddef>
#include <string>
#include <string_view>

// LineFile: a text file that only grows, one `key<TAB>text` a line, which other programs may read
// and rotate meanwhile: it is opened for each use.
// Owner: the plugin. Thread: any number at once [call, blocking]. Fails with values
// (append) and limpet::sdk::Failure (find).
// Limits: find() looks at the last tail_bytes_max bytes.
namespace limpet::notify {

enum class Found {
  yes,      // the whole line is there
  no,       // the whole file was looked at: never written
  unknown,  // a line has the key but is torn, or the file is longer than the tail
};

enum class Written {
  durable,  // on disk
  nothing,  // the file is as it was
  unknown,  // some of it, or all of it but perhaps not on disk
};

struct Append {
  Written written;
  std::string error;  // empty when durable
};

class LineFile {
 public:
  static constexpr std::size_t tail_bytes_max = 1024 * 1024;

  explicit LineFile(std::string path) : path_(std::move(path)) {}

  // Appends with one write(2) and fdatasync. A torn line of an earlier power cut is ended first.
  // `key` has neither tab nor line break; control characters of `text` become spaces.
  Append append(std::string_view key, std::string_view text) const;

  // Did an append with these arguments happen? Throws Failure(LIMPET_IO) when it cannot look.
  Found find(std::string_view key, std::string_view text) const;

 private:
  std::string path_;
};

}  // namespace limpet::notify
