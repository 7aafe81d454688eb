#pragma once

// What single texts in a config must be. Each answers what is wrong, or nothing. Private to this
// folder. [any]

#include <optional>
#include <string>
#include <string_view>

namespace limpet::config {

using TextProblem = std::optional<std::string>;

[[nodiscard]] TextProblem check_device_name(std::string_view text);
[[nodiscard]] TextProblem check_instance_name(std::string_view text);
[[nodiscard]] TextProblem check_agent_name(std::string_view text);
[[nodiscard]] TextProblem check_plugin_id(std::string_view text);
[[nodiscard]] TextProblem check_pattern(std::string_view text);
[[nodiscard]] TextProblem check_subject(std::string_view text);
[[nodiscard]] TextProblem check_key_template(std::string_view text);

[[nodiscard]] TextProblem check_address(std::string_view text);
[[nodiscard]] TextProblem check_cron(std::string_view text);
[[nodiscard]] TextProblem check_queue_name(std::string_view text);
[[nodiscard]] TextProblem check_event_type(std::string_view text);
[[nodiscard]] TextProblem check_backoff(std::string_view text);
[[nodiscard]] TextProblem check_tool_hint(std::string_view text);
[[nodiscard]] TextProblem check_principal(std::string_view text);
[[nodiscard]] TextProblem check_right(std::string_view text);

}  // namespace limpet::config
