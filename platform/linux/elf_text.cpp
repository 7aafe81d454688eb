#include <algorithm>
#include <charconv>

#include "platform/elf_note.hpp"

namespace limpet::platform {

namespace {

struct MachineName {
  uint16_t machine;
  std::string_view name32;
  std::string_view name64;
};

constexpr MachineName machine_names[] = {
    {3, "32-bit x86", ""},
    {8, "32-bit MIPS", "64-bit MIPS"},
    {20, "32-bit PowerPC", ""},
    {21, "", "64-bit PowerPC"},
    {22, "", "s390x"},
    {40, "32-bit ARM", ""},
    {62, "x32", "64-bit x86"},
    {183, "", "64-bit ARM"},
    {243, "32-bit RISC-V", "64-bit RISC-V"},
    {258, "", "64-bit LoongArch"},
};

// Takes the number before the first dot off `text`; an empty or odd one counts as zero.
uint64_t take_number(std::string_view& text) {
  const std::string_view part = text.substr(0, text.find('.'));
  text.remove_prefix(std::min(text.size(), part.size() + 1));
  uint64_t value = 0;
  std::from_chars(part.data(), part.data() + part.size(), value);
  return value;
}

}  // namespace

ElfTarget this_target() {
  ElfTarget target;
#if defined(__x86_64__)
  target.machine = 62;
#elif defined(__aarch64__)
  target.machine = 183;
#elif defined(__arm__)
  target.machine = 40;
#elif defined(__i386__)
  target.machine = 3;
#elif defined(__riscv)
  target.machine = 243;
#elif defined(__powerpc64__)
  target.machine = 21;
#elif defined(__mips__)
  target.machine = 8;
#else
#error "name this machine's e_machine here"
#endif
  target.bits = sizeof(void*) == 8 ? 64 : 32;
  target.big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
  return target;
}

std::string to_string(ElfTarget target) {
  std::string text;
  for (const MachineName& entry : machine_names) {
    if (entry.machine == target.machine) text = target.bits == 64 ? entry.name64 : entry.name32;
  }
  if (text.empty()) {
    text =
        "machine " + std::to_string(target.machine) + " (" + std::to_string(target.bits) + "-bit)";
  }
  // The usual order of the bi-endian ones goes without saying.
  const bool usually_big = target.machine == 8 || target.machine == 20 || target.machine == 22;
  if (target.big_endian && !usually_big) text += ", big-endian";
  return text;
}

bool version_older(std::string_view a, std::string_view b) {
  while (!a.empty() || !b.empty()) {
    const uint64_t left = take_number(a);
    const uint64_t right = take_number(b);
    if (left != right) return left < right;
  }
  return false;
}

std::string newest_version(const std::vector<std::string>& versions, std::string_view family) {
  std::string_view newest;
  for (const std::string& version : versions) {
    const std::string_view text = version;
    if (text.size() <= family.size() + 1 || text[family.size()] != '_') continue;
    if (text.substr(0, family.size()) != family) continue;
    const std::string_view number = text.substr(family.size() + 1);
    // "GLIBC_PRIVATE" is no number: it ties the plugin to one build, which dlopen will tell.
    if (number.front() < '0' || number.front() > '9') continue;
    if (newest.empty() || version_older(newest, number)) newest = number;
  }
  return std::string(newest);
}

}  // namespace limpet::platform
