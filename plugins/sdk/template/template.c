/* The smallest real plugin: one quick tool, one config key. Read it from the bottom up. */
#include <limpet/cbor.h>
#include <limpet/ext/draft/tools.h>
#include <limpet/plugin.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX_BYTES_MAX 64

/* An instance. `face` is what the host sees of it. */
typedef struct template_plugin {
  limpet_plugin face;
  const limpet_host* host;
  const limpet_host_tools* host_tools;
  char prefix[PREFIX_BYTES_MAX + 1];
} template_plugin;

static template_plugin* instance_of(const limpet_plugin* self) {
  return (template_plugin*)self->plugin_data;
}

static uint64_t fnv1a(uint64_t hash, const char* text, size_t size) {
  for (size_t i = 0; i < size; i++) hash = (hash ^ (uint8_t)text[i]) * 0x100000001b3u;
  return hash;
}

static void release_value(limpet_buffer* buffer) {
  free(buffer->producer);
  buffer->release = NULL;
}

/* {"hash": "16 digits"}, in memory that the host releases. False: out of memory. */
static bool encode_hash(uint64_t hash, limpet_buffer* value_out) {
  static const char digits[] = "0123456789abcdef";
  char text[16];
  uint8_t* data = malloc(32);
  if (!data) return false;
  for (int i = 15; i >= 0; i--, hash >>= 4) text[i] = digits[hash & 15];
  limpet_cbor_writer writer = limpet_cbor_writer_to(data, 32);
  limpet_cbor_put_map(&writer, 1);
  limpet_cbor_put_string(&writer, "hash");
  limpet_cbor_put_text(&writer, text, sizeof text);
  value_out->data = data;
  value_out->size = (uint32_t)writer.size;
  value_out->release = release_value;
  value_out->producer = data;
  return true;
}

/* The host has checked the arguments against the manifest; a plugin still looks before it leaps. */
static limpet_status tools_call(const limpet_plugin* self, const limpet_call* call) {
  template_plugin* plugin = instance_of(self);
  limpet_result result = {0};
  const char* text = NULL;
  uint32_t size = 0;
  result.struct_size = sizeof result;
  if (!limpet_cbor_get_text(limpet_cbor_find(limpet_cbor_read(call->arguments), "text"), &text,
                            &size)) {
    result.outcome = LIMPET_FAILED;
    result.error = "text is missing";
  } else {
    uint64_t hash = fnv1a(0xcbf29ce484222325u, plugin->prefix, strlen(plugin->prefix));
    if (!encode_hash(fnv1a(hash, text, size), &result.value)) return LIMPET_NO_MEMORY;
  }
  plugin->host_tools->finish(plugin->host, call->id, &result);
  return LIMPET_OK;
}

/* Too quick to be cancelled. */
static void tools_cancel(const limpet_plugin* self, uint64_t id) { (void)self, (void)id; }

static const limpet_plugin_tools tools = {tools_call, tools_cancel, NULL, NULL};

/* The prefix is optional; present, it must be a text that fits. */
static limpet_status read_prefix(const limpet_plugin* self, limpet_bytes config, char* prefix) {
  limpet_cbor item = limpet_cbor_find(limpet_cbor_read(config), "prefix");
  prefix[0] = 0;
  if (limpet_cbor_kind_of(item) == LIMPET_CBOR_NOTHING) return LIMPET_OK;
  if (limpet_cbor_copy_text(item, prefix, PREFIX_BYTES_MAX + 1)) return LIMPET_OK;
  instance_of(self)->host->set_error(instance_of(self)->host, "prefix: a text of 64 bytes at most");
  return LIMPET_INVALID;
}

static limpet_status check(const limpet_plugin* self, limpet_bytes config) {
  char ignored[PREFIX_BYTES_MAX + 1];
  return read_prefix(self, config, ignored);
}

static limpet_status activate(const limpet_plugin* self, limpet_bytes config) {
  template_plugin* plugin = instance_of(self);
  plugin->host_tools = plugin->host->get_extension(plugin->host, LIMPET_EXT_TOOLS);
  if (!plugin->host_tools) return LIMPET_UNSUPPORTED;
  return read_prefix(self, config, plugin->prefix);
}

static void deactivate(const limpet_plugin* self) { (void)self; }

static void destroy(const limpet_plugin* self) { free(instance_of(self)); }

static const void* get_extension(const limpet_plugin* self, const char* extension_id) {
  (void)self;
  return strcmp(extension_id, LIMPET_EXT_TOOLS) == 0 ? &tools : NULL;
}

static limpet_status create(const limpet_host* host, const limpet_plugin** out) {
  template_plugin* plugin = calloc(1, sizeof *plugin);
  if (!plugin) return LIMPET_NO_MEMORY;
  plugin->host = host;
  plugin->face = (limpet_plugin){sizeof(limpet_plugin),
                                 LIMPET_ABI_MAJOR,
                                 LIMPET_ABI_MINOR,
                                 plugin,
                                 check,
                                 activate,
                                 deactivate,
                                 destroy,
                                 get_extension};
  *out = &plugin->face;
  return LIMPET_OK;
}

LIMPET_DEFINE_ENTRY(create);
