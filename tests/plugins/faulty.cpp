// A plugin that cannot be loaded, each build of it for another reason: FAULT_<reason> says which.
// Without one it is in order, and its manifest is what is wrong.

#include <limpet/plugin.h>

#include <stdexcept>

namespace {

const limpet_host* host_of(const limpet_plugin* self) {
  return static_cast<const limpet_host*>(self->plugin_data);
}

limpet_status accept(const limpet_plugin* self, limpet_bytes) {
  host_of(self)->set_error(host_of(self), nullptr);
  return LIMPET_OK;
}

void ignore(const limpet_plugin*) {}
const void* no_extension(const limpet_plugin*, const char*) { return nullptr; }

limpet_plugin make_face(const limpet_host* host) {
  limpet_plugin face{};
  face.struct_size = sizeof face;
  face.abi_major = LIMPET_ABI_MAJOR;
  face.abi_minor = LIMPET_ABI_MINOR;
  face.plugin_data = const_cast<limpet_host*>(host);
  face.check = accept;
  face.activate = accept;
  face.deactivate = ignore;
  face.destroy = ignore;
  face.get_extension = no_extension;
  return face;
}

[[maybe_unused]] limpet_status create(const limpet_host* host, const limpet_plugin** out) {
  limpet_plugin face = make_face(host);
#if defined(FAULT_CALLS_HOST)
  if (host->get_extension(host, "limpet.log/draft-1") != nullptr) return LIMPET_INTERNAL;
#elif defined(FAULT_CREATE_FAILS)
  host->set_error(host, "the bus is on fire");
  return LIMPET_IO;
#elif defined(FAULT_NOTHING_CREATED)
  return LIMPET_OK;
#elif defined(FAULT_SHORT_FACE)
  face.struct_size = offsetof(limpet_plugin, get_extension);
#elif defined(FAULT_NO_FUNCTIONS)
  face.activate = nullptr;
#elif defined(FAULT_THROWS)
  throw std::runtime_error("out of a C function");
#endif
  // Not from the heap: a face that the host cannot use it cannot destroy either.
  static limpet_plugin kept;
  kept = face;
  *out = &kept;
  return LIMPET_OK;
}

}  // namespace

#if defined(FAULT_NO_ENTRY)
// Nothing that the host could find.
#elif defined(FAULT_OTHER_MAJOR)
const limpet_entry_point limpet_entry = {
    sizeof(limpet_entry_point), LIMPET_ABI_MAJOR + 1, 0, nullptr, 0, 0, create};
#elif defined(FAULT_OTHER_MANIFEST)
const limpet_entry_point limpet_entry = {
    sizeof(limpet_entry_point), LIMPET_ABI_MAJOR, LIMPET_ABI_MINOR, "{}", 2, 0, create};
#elif defined(FAULT_SHORT_ENTRY)
const limpet_entry_point limpet_entry = {offsetof(limpet_entry_point, create),
                                         LIMPET_ABI_MAJOR,
                                         LIMPET_ABI_MINOR,
                                         nullptr,
                                         0,
                                         0,
                                         nullptr};
#elif defined(FAULT_NO_CREATE)
const limpet_entry_point limpet_entry = {
    sizeof(limpet_entry_point), LIMPET_ABI_MAJOR, LIMPET_ABI_MINOR, nullptr, 0, 0, nullptr};
#else
LIMPET_DEFINE_ENTRY(create);
#endif
