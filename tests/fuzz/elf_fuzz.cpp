// Anything as a plugin file, which is read before anyone decides to trust it.
#include <cstring>

#include "platform/elf_note.hpp"

namespace {

class Memory final : public limpet::platform::ElfBytes {
 public:
  explicit Memory(limpet::ByteSpan bytes) : bytes_(bytes) {}

  bool read(uint64_t offset, std::span<uint8_t> out) override {
    if (offset > bytes_.size() || out.size() > bytes_.size() - offset) return false;
    if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
    return true;
  }

 private:
  limpet::ByteSpan bytes_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Memory memory({data, size});
  const auto info = limpet::platform::read_elf(memory, {"Limpet", 1});
  if (info) (void)to_string(info.value().target);
  return 0;
}
