// The layout table as C++ sees it, and every header of the SDK in one C++ translation unit.
#include "layout.h"
#include <limpet/cbor.h>

#define PICK(narrow, wide) (sizeof(void*) == 4 ? (narrow) : (wide))
#define CHECK_SIZE(type, narrow, wide) \
  static_assert(sizeof(type) == PICK(narrow, wide), "size of " #type);
#define CHECK_OFFSET(type, member, narrow, wide) \
  static_assert(offsetof(type, member) == PICK(narrow, wide), "offset of " #type "." #member);
LAYOUT(CHECK_SIZE, CHECK_OFFSET)

static limpet_status create(const limpet_host* host, const limpet_plugin** out) {
  (void)host, (void)out;
  return LIMPET_UNSUPPORTED;
}
LIMPET_DEFINE_ENTRY(create);
