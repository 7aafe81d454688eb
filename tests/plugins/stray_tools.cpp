#include <map>
#include <set>
#include <stdexcept>

#include "stray.hpp"

namespace stray {

namespace {

std::set<Stray*>& alive() {
  // Never destroyed: what is on it must still be reachable when leaks are looked for.
  static auto* const strays = new std::set<Stray*>;
  return *strays;
}

void let_go(Stray& stray) {
  {
    const std::lock_guard lock(stray.mutex);
    stray.released_now = true;
  }
  stray.released.notify_all();
}

// One call as a tool's function sees it.
struct Call {
  Stray& stray;
  const limpet_call& call;

  void finish(limpet_buffer value) const {
    limpet_result result{};
    result.struct_size = sizeof result;
    result.value = value;
    stray.host_tools->finish(stray.host, call.id, &result);
  }
  void finish_text(const std::string& text) const { finish(moved_text(text)); }
  uint64_t number(const char* key, uint64_t otherwise) const {
    return number_at(call.arguments, key, otherwise);
  }
  std::string text(const char* key) const { return text_at(call.arguments, key); }
};

limpet_status echo(const Call& call) {
  const limpet_bytes& bytes = call.call.arguments;
  call.finish(moved({bytes.data, bytes.data + bytes.size}));
  return LIMPET_OK;
}

limpet_status status(const Call& call) {
  call.stray.host->set_error(call.stray.host, "the status speaks");
  return static_cast<limpet_status>(call.number("status", LIMPET_INTERNAL));
}

limpet_status throw_out(const Call&) { throw std::runtime_error("out of a C function"); }

limpet_status status_after_finish(const Call& call) {
  call.finish_text("done");
  return LIMPET_INTERNAL;
}

limpet_status garbage(const Call& call) {
  call.finish(moved({0xa1, 0x01}));  // a map of one pair that ends after the key
  return LIMPET_OK;
}

limpet_status gigabyte(const Call& call) {
  limpet_buffer value = moved({0xf6});
  value.size = 1u << 30;
  call.finish(value);
  return LIMPET_OK;
}

limpet_status no_bytes(const Call& call) {
  limpet_buffer value{};
  value.size = 7;
  call.finish(value);
  return LIMPET_OK;
}

limpet_status no_result(const Call& call) {
  call.stray.host_tools->finish(call.stray.host, call.call.id, nullptr);
  return LIMPET_OK;
}

limpet_status short_result(const Call& call) {
  limpet_result result{};
  result.struct_size = 8;
  call.stray.host_tools->finish(call.stray.host, call.call.id, &result);
  return LIMPET_OK;
}

limpet_status outcome(const Call& call) {
  limpet_result result{};
  result.struct_size = sizeof result;
  result.outcome = static_cast<limpet_outcome>(call.number("outcome", 77));
  result.retry_after_ms = 1500;
  result.error = "as\nasked \xff";
  call.stray.host_tools->finish(call.stray.host, call.call.id, &result);
  return LIMPET_OK;
}

limpet_status twice(const Call& call) {
  call.finish_text("first");
  call.finish_text("second");
  return LIMPET_OK;
}

limpet_status hold(const Call& call) {
  call.stray.held.push_back(call.call.id);
  return LIMPET_OK;
}

limpet_status finish_held(const Call& call) {
  for (const uint64_t id : call.stray.held) {
    limpet_call held = call.call;
    held.id = id;
    Call{call.stray, held}.finish_text("held");
  }
  call.stray.held.clear();
  call.finish_text("");
  return LIMPET_OK;
}

limpet_status progress_held(const Call& call) {
  std::string answers;
  for (const uint64_t id : call.stray.held) {
    answers +=
        std::to_string(call.stray.host_tools->progress(call.stray.host, id, 250, "a quarter"));
  }
  call.finish_text(answers);
  return LIMPET_OK;
}

limpet_status stray_finish(const Call& call) {
  limpet_result result{};
  result.struct_size = sizeof result;
  result.value = moved_text("for nobody");
  call.stray.host_tools->finish(call.stray.host, 123456789, &result);
  call.finish_text("");
  return LIMPET_OK;
}

limpet_status wait(const Call& call) {
  std::unique_lock lock(call.stray.mutex);
  call.stray.released.wait(lock, [&] { return call.stray.released_now; });
  lock.unlock();
  call.finish_text("released");
  return LIMPET_OK;
}

limpet_status release(const Call& call) {
  let_go(call.stray);
  call.finish_text("");
  return LIMPET_OK;
}

limpet_status release_all(const Call& call) {
  for (Stray* stray : alive()) let_go(*stray);
  call.finish_text("");
  return LIMPET_OK;
}

// {event, position, token, times}: the answers of emit() as digits.
limpet_status emit(const Call& call) {
  limpet_bytes event{nullptr, 0};
  limpet_cbor_get_bytes(limpet_cbor_find(limpet_cbor_read(call.call.arguments), "event"), &event);
  const std::string position = call.text("position");
  const limpet_bytes place{reinterpret_cast<const uint8_t*>(position.data()),
                           static_cast<uint32_t>(position.size())};
  std::string answers;
  for (uint64_t left = call.number("times", 1); left > 0; --left) {
    const uint64_t token = call.number("token", 0);
    answers += std::to_string(call.stray.host_sources->emit(call.stray.host, token, event, place));
  }
  call.finish_text(answers);
  return LIMPET_OK;
}

limpet_status arm(const Call& call) {
  const uint64_t period_ns = call.number("period_ns", 1000000000);
  const auto id = static_cast<uint32_t>(call.number("id", 1));
  call.finish_text(std::to_string(call.stray.host_timer->start(call.stray.host, period_ns, id)));
  return LIMPET_OK;
}

limpet_status disarm(const Call& call) {
  call.stray.host_timer->stop(call.stray.host, static_cast<uint32_t>(call.number("id", 1)));
  call.finish_text("");
  return LIMPET_OK;
}

limpet_status log(const Call& call) {
  for (uint64_t left = call.number("times", 1); left > 0; --left) {
    call.stray.host_log->log(call.stray.host, LIMPET_LOG_WARNING, call.text("text").c_str());
  }
  call.finish_text("");
  return LIMPET_OK;
}

limpet_status read_outside(const Call& call) {
  limpet_buffer event{};
  call.finish_text(std::to_string(call.stray.host_agents->read(call.stray.host, 1, 1, &event)));
  return LIMPET_OK;
}

template <std::string Stray::*Text>
limpet_status tell(const Call& call) {
  call.finish_text(call.stray.*Text);
  return LIMPET_OK;
}

using Function = limpet_status (*)(const Call&);

limpet_status call_tool(const limpet_plugin* self, const limpet_call* call) {
  static const std::map<std::string, Function> functions = {
      {"echo", echo},
      {"count", echo},
      {"work", echo},
      {"status", status},
      {"throw", throw_out},
      {"status_after_finish", status_after_finish},
      {"garbage", garbage},
      {"gigabyte", gigabyte},
      {"no_bytes", no_bytes},
      {"no_result", no_result},
      {"short_result", short_result},
      {"bad_outcome", outcome},
      {"outcome", outcome},
      {"twice", twice},
      {"hold", hold},
      {"hold_again", hold},
      {"finish_held", finish_held},
      {"progress_held", progress_held},
      {"stray_finish", stray_finish},
      {"wait", wait},
      {"release", release},
      {"release_all", release_all},
      {"emit", emit},
      {"arm", arm},
      {"disarm", disarm},
      {"log", log},
      {"read_outside", read_outside},
      {"cancels", tell<&Stray::cancels>},
      {"settlements", tell<&Stray::settlements>},
      {"ticks", tell<&Stray::ticks>},
      {"position", tell<&Stray::position>},
  };
  const auto function = functions.find(call->tool);
  if (function == functions.end()) return LIMPET_NOT_FOUND;
  return function->second(Call{*static_cast<Stray*>(self->plugin_data), *call});
}

void cancel(const limpet_plugin* self, uint64_t id) {
  static_cast<Stray*>(self->plugin_data)->cancels += std::to_string(id) + " ";
}

// The key says what the answer is.
limpet_status lookup(const limpet_plugin*, const limpet_call* call, limpet_result* result_out) {
  const std::string key = call->key;
  if (key == "busy") return LIMPET_UNAVAILABLE;
  if (key == "throw") throw std::runtime_error("cannot look");
  result_out->outcome = key == "happened" ? LIMPET_DONE : LIMPET_RETRY;
  result_out->value = key == "garbage" ? moved({0xff}) : moved_text(key);
  if (key == "garbage") result_out->outcome = LIMPET_DONE;
  return LIMPET_OK;
}

}  // namespace

const limpet_plugin_tools tools = {call_tool, cancel, lookup, nullptr};

Stray* enter() {
  auto* const stray = new Stray;
  alive().insert(stray);
  return stray;
}

void leave(Stray* stray) {
  alive().erase(stray);
  delete stray;
}

limpet_buffer moved(std::vector<uint8_t> bytes) {
  auto* const owned = new std::vector<uint8_t>(std::move(bytes));
  limpet_buffer buffer{};
  buffer.data = owned->data();
  buffer.size = static_cast<uint32_t>(owned->size());
  buffer.producer = owned;
  buffer.release = [](limpet_buffer* self) {
    delete static_cast<std::vector<uint8_t>*>(self->producer);
    self->release = nullptr;
  };
  return buffer;
}

limpet_buffer moved_text(const std::string& text) {
  std::vector<uint8_t> bytes(text.size() + 9);
  limpet_cbor_writer writer = limpet_cbor_writer_to(bytes.data(), bytes.size());
  limpet_cbor_put_text(&writer, text.data(), text.size());
  bytes.resize(writer.size);
  return moved(std::move(bytes));
}

std::string text_at(limpet_bytes map, const char* key) {
  const char* text = "";
  uint32_t size = 0;
  limpet_cbor_get_text(limpet_cbor_find(limpet_cbor_read(map), key), &text, &size);
  return std::string(text, size);
}

uint64_t number_at(limpet_bytes map, const char* key, uint64_t otherwise) {
  limpet_cbor_get_uint(limpet_cbor_find(limpet_cbor_read(map), key), &otherwise);
  return otherwise;
}

}  // namespace stray
