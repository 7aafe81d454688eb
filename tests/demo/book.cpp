#include "tests/demo/book.hpp"

#include <fstream>

namespace limpet::demo {

Book::Book(std::string socket, std::string notices)
    : client_(std::move(socket)), notices_(std::move(notices)) {}

void Book::send_note() {
  const std::string id = "note-" + std::to_string(number_);
  const testing::Answer answer = client_.post(
      "/v1/events", R"({"specversion":"1.0","type":"demo.note","source":"demo","id":")" + id +
                        R"(","data":{"value":)" + std::to_string(number_) + "}}");
  if (answer.status == 200) {
    acknowledged_[id] = sent_before_ ? 0 : testing::number_of(answer.view()["first"]);
    ++number_;
  }
  sent_before_ = answer.status != 200;
}

bool Book::has_effect(const std::string& key) const {
  for (const std::string& one : effect_keys()) {
    if (one == key) return true;
  }
  return false;
}

// A line is its key, a tab, and the text.
std::vector<std::string> Book::effect_keys() const {
  std::vector<std::string> keys;
  std::ifstream file(notices_);
  for (std::string line; std::getline(file, line);) keys.push_back(line.substr(0, line.find('\t')));
  return keys;
}

Findings Book::compare(const std::vector<testing::LogEvent>& log) const {
  Findings findings;
  findings.acknowledged = acknowledged_.size();
  std::map<std::string, uint64_t> found;
  std::set<std::string> done;  // the calls of notify.write that were reported done
  for (const testing::LogEvent& event : log) {
    const sdk::View view = event.view();
    const std::string id(view["id"].text_or(""));
    if (view["type"].text_or("") == "demo.note" && !found.emplace(id, event.sequence).second) {
      ++findings.doubled;
    }
    const sdk::View data = view["data"];
    if (view["type"].text_or("") == "limpet.step.finished" &&
        data["tool"].text_or("") == "notify.write" && data["outcome"].text_or("") == "done") {
      done.insert(std::string(view["runid"].text_or("")) + std::string(data["step"].text_or("")));
    }
  }
  for (const auto& [id, sequence] : acknowledged_) {
    const auto place = found.find(id);
    const bool there = place != found.end() && (sequence == 0 || place->second == sequence);
    findings.lost += there ? 0 : 1;
  }
  std::set<std::string> keys;
  for (const std::string& key : effect_keys()) {
    ++findings.effects;
    findings.repeated += keys.insert(key).second ? 0 : 1;
  }
  findings.missing = done.size() > keys.size() ? done.size() - keys.size() : 0;
  return findings;
}

}  // namespace limpet::demo
