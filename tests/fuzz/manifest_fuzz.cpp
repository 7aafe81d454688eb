// Anything as the manifest in a plugin's ELF note. What is refused is refused with a reason.
#include "host/manifest.hpp"
#include "tests/fuzz/require.hpp"

#include "base/bytes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto parsed = limpet::host::parse_manifest(limpet::as_text({data, size}));
  if (const auto* reason = std::get_if<std::string>(&parsed)) {
    limpet::fuzz::require(!reason->empty());
  } else {
    (void)std::get<limpet::host::Manifest>(parsed).default_name();
  }
  return 0;
}
