// limpet status: how the daemon does.

#include "cli/item.hpp"
#include "cli/remote.hpp"
#include "cli/stopped.hpp"
#include "cli/verbs.hpp"
#include "codec/json.hpp"

namespace limpet::cli {

namespace {

// A store that nobody serves says what it holds.
Exit status_of_stopped(const Context& context) {
  Exit exit = Exit::ok;
  std::optional<store::StoppedStore> store = open_stopped(context, exit);
  if (!store) return exit;
  const Result<ByteVector> found = stopped_status(*store);
  if (!found.ok()) return fail(context, to_string(found.error()));
  if (!context.globals.json) {
    print_flat(context.out, *found);
    return Exit::ok;
  }
  const Result<std::string> json = codec::cbor_to_json(*found);
  if (!json.ok()) return fail(context, to_string(json.error()));
  context.out << *json << "\n";
  return Exit::ok;
}

}  // namespace

Exit status(const Context& context) {
  if (is_stopped(context)) return status_of_stopped(context);
  Remote remote(context);
  const std::optional<std::string> answer = remote.get("/v1/status");
  if (!answer) return remote.exit();
  const auto parsed = codec::json_to_cbor(*answer);
  if (context.globals.json || !parsed) {
    context.out << *answer << "\n";
  } else {
    print_flat(context.out, *parsed);
  }
  return Exit::ok;
}

}  // namespace limpet::cli
