#pragma once

// Loader: fills Settings from parsed documents by the key table. Private to this folder.
// Owner: parse_settings. Thread: [any]. Collects problems; never stops at the first.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/keys.hpp"
#include "config/load.hpp"
#include "config/value.hpp"

namespace limpet::config {

// Where a section and its keys were written, for checks that come after reading.
struct SectionPlaces {
  Place section;
  std::vector<std::pair<std::string_view, Place>> keys;  // names from the key table

  // The key's place, or the section's if the key was not written.
  [[nodiscard]] const Place& of(std::string_view key) const;
};

class Loader {
 public:
  Loader(Loaded& loaded, const Environment& environment);

  // One document; later ones override and add.
  void read(const Value& root);
  // What only the whole tells: names that must exist or differ. After the last document.
  void finish();

 private:
  template <class Section>
  void read_defaults(Section& section, std::string_view name);
  template <class Section>
  void read_section(const Value& table, Section& section, std::string_view name,
                    SectionPlaces& places);
  template <class Section>
  void read_list(const Value& list, std::vector<Section>& sections, std::string_view name,
                 std::vector<SectionPlaces>& places);
  template <class Section>
  void read_key(const Key<Section>& key, const Value& value, Section& section,
                const std::string& name);
  template <class Section>
  void read_single(const Value& value, Section& section, std::string_view name);
  template <class Section>
  void require_keys(std::string_view name, const SectionPlaces& places);

  void read_member(const Member& member);
  void unknown(const Value& value, const std::string& name, std::string_view last,
               const std::vector<std::string_view>& candidates);
  void problem(const Place& place, std::string key, std::string message);

  // Each answers whether `value` could be read; if not, the problem is noted.
  bool read_text(const KeyInfo& info, const Value& value, const std::string& name,
                 std::string& out);
  bool read_list_of_text(const KeyInfo& info, const Value& value, const std::string& name,
                         std::vector<std::string>& out);
  bool read_count(const KeyInfo& info, const Value& value, const std::string& name, uint64_t& out);
  bool read_duration(const KeyInfo& info, const Value& value, const std::string& name,
                     Duration& out);
  bool read_rate(const KeyInfo& info, const Value& value, const std::string& name,
                 RateSettings& out);
  bool read_table(const KeyInfo& info, Value value, const std::string& name, ByteVector& out);
  bool put_in(Value& value, const std::string& name);
  void wants(const KeyInfo& info, const Value& value, const std::string& name);

  void finish_plugins();
  void finish_agents();
  void finish_triggers();
  void make_schedule(TriggerSettings& trigger);
  void finish_api();
  void finish_classes();
  void finish_queues();
  void finish_tools();
  void finish_schedules();
  void finish_principals();

  Loaded& loaded_;
  const Environment& environment_;
  std::vector<SectionPlaces> plugins_;
  std::vector<SectionPlaces> agents_;
  std::vector<SectionPlaces> triggers_;
  std::vector<SectionPlaces> classes_;
  std::vector<SectionPlaces> queues_;
  std::vector<SectionPlaces> tools_;
  std::vector<SectionPlaces> schedules_;
  std::vector<SectionPlaces> principals_;
  size_t problems_more_ = 0;  // beyond problems_max
};

// The folder of a file's path, "." if it names none.
[[nodiscard]] std::string folder_of(const std::string& path);

}  // namespace limpet::config
