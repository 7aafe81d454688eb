#pragma once

// Demo: the main job in under a minute. A daemon watches this machine, the demo gives it a reason
// to, kills it twice while it acts on the world, and counts what was lost or repeated: nothing.
// Owner: main. [main]

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/demo/book.hpp"
#include "tests/demo/follower.hpp"
#include "tests/demo/machine.hpp"
#include "tests/demo/timeline.hpp"
#include "tests/support/temporary_directory.hpp"

namespace limpet::demo {

class Demo {
 public:
  explicit Demo(std::string config_template);

  // The exit code: 0 when the incident came to its end and nothing was lost or repeated.
  [[nodiscard]] int run();

 private:
  [[nodiscard]] bool prepare();
  [[nodiscard]] bool start_daemon();
  [[nodiscard]] bool kill_and_restart(const std::string& why);
  [[nodiscard]] bool play();
  [[nodiscard]] bool play_round();
  void learn(const testing::LogEvent& event);
  [[nodiscard]] bool maybe_kill();
  [[nodiscard]] int conclude(bool played);

  const std::string config_template_;
  testing::TemporaryDirectory directory_;
  const std::string socket_;
  const std::string notices_;
  MemoryState memory_;
  Timeline timeline_;
  Book book_;
  std::optional<testing::ChildProgram> daemon_;
  std::unique_ptr<Follower> follower_;
  std::vector<std::unique_ptr<Load>> loads_;

  // What the log has told so far.
  std::string incident_run_;
  std::string open_call_;  // the idempotency key of a notify.write that has begun; empty: none
  bool incident_ended_ = false;
  size_t notes_seen_ = 0;
  bool killed_before_write_ = false;
  bool killed_after_write_ = false;
};

}  // namespace limpet::demo
