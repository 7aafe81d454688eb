#include "platform/machine_id.hpp"

#include "platform/files.hpp"

namespace limpet::platform {

Result<std::string> parse_machine_id(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  if (text.empty() || text == "uninitialized") {
    return Error{ErrorCode::not_found, "machine id: not set"};
  }
  const bool digits = text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (text.size() != 32 || !digits) {
    return Error{ErrorCode::corrupt, "machine id: not 32 hexadecimal digits"};
  }
  return std::string(text);
}

Result<std::string> machine_id() {
  Result<std::string> text = read_file("/etc/machine-id", 256);
  // Without systemd the message bus keeps it.
  if (!text) text = read_file("/var/lib/dbus/machine-id", 256);
  if (!text) return text.error();
  return parse_machine_id(*text);
}

Result<std::string> boot_id() {
  LIMPET_TRY(const std::string text, read_file("/proc/sys/kernel/random/boot_id", 256));
  return text.substr(0, text.find('\n'));
}

}  // namespace limpet::platform
