#pragma once

// From settings to what is kept and worked on: classes, queues, rules of tools, schedules. Values
// in, values out. [main]

#include <vector>

#include "api/rights.hpp"
#include "config/settings.hpp"
#include "daemon/schedules.hpp"
#include "daemon/tool_rules.hpp"
#include "dispatch/consumer.hpp"
#include "dispatch/queue_types.hpp"
#include "store/classes.hpp"

namespace limpet::daemon {

[[nodiscard]] std::vector<store::ClassSettings> make_classes(const config::Settings& settings);
[[nodiscard]] std::vector<dispatch::QueueSettings> make_queues(const config::Settings& settings);
// Which types a class has, for those who only read some of them.
[[nodiscard]] std::vector<dispatch::ClassTypes> class_types(const store::Classes& classes);
[[nodiscard]] ToolRules make_tool_rules(const config::Settings& settings);
[[nodiscard]] api::RightsTable make_rights(const config::Settings& settings);
[[nodiscard]] std::vector<Schedule> make_schedules(const config::Settings& settings);

}  // namespace limpet::daemon
