// limpet status: how the daemon does.

#include "cli/item.hpp"
#include "cli/remote.hpp"
#include "cli/verbs.hpp"
#include "codec/json.hpp"

namespace limpet::cli {

namespace {

// One line for each value, named by its path: "store.bytes: 4096". Objects in a list go by their
// name.
void print_flat(std::ostream& out, const std::string& path, ByteSpan item) {
  if (is_map(item)) {
    for_each_member(item, [&](std::string_view name, ByteSpan value) {
      if (name == "name" && !path.empty()) return;  // it is in the path already
      print_flat(out, path.empty() ? std::string(name) : path + "." + std::string(name), value);
    });
  } else if (is_array(item)) {
    size_t index = 0;
    for_each_item(item, [&](ByteSpan value) {
      const std::string name = display(member(value, "name"));
      print_flat(out, path + "." + (name.empty() ? std::to_string(index) : name), value);
      ++index;
    });
  } else {
    out << path << ": " << display(item) << "\n";
  }
}

}  // namespace

Exit status(const Context& context) {
  Remote remote(context);
  const std::optional<std::string> answer = remote.get("/v1/status");
  if (!answer) return remote.exit();
  const auto parsed = codec::json_to_cbor(*answer);
  if (context.globals.json || !parsed) {
    context.out << *answer << "\n";
  } else {
    print_flat(context.out, "", *parsed);
  }
  return Exit::ok;
}

}  // namespace limpet::cli
