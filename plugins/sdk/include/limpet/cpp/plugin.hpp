#pragma once
#include <memory>

#include "agents.hpp"
#include "tools.hpp"

// A plugin in C++: one class, and one macro at the end of its file.
//
//   class Thermometer {
//    public:
//     explicit Thermometer(Host& host);               no effects, the host is not to be called yet
//     static void check(View config);                 throws Failure
//     void activate(View config);                     throws Failure
//     void deactivate();
//     void call(Call& call, const Request& request);  see tools.hpp
//   };
//   LIMPET_PLUGIN(Thermometer)
//
// Extensions are offered for the members that exist: call (tools.hpp), turn (agents.hpp);
//   void start(limpet_bytes position); void stop();   a source
//   void settled(uint64_t token, limpet_status);      a source that wants to know
//   void on_timer(uint32_t id);                       timers
// Every exception is caught at the edge. Thread tags are those of the C functions.
namespace limpet::sdk {

template <typename Impl>
class Adapter {
 public:
  static limpet_status create(const limpet_host* host, const limpet_plugin** out) noexcept {
    try {
      *out = &(new Adapter(host))->face_;
      return LIMPET_OK;
    } catch (const std::bad_alloc&) {
      return LIMPET_NO_MEMORY;
    } catch (...) {
      return LIMPET_INTERNAL;
    }
  }

 private:
  explicit Adapter(const limpet_host* host)
      : face_{sizeof(limpet_plugin),
              LIMPET_ABI_MAJOR,
              LIMPET_ABI_MINOR,
              this,
              check,
              activate,
              deactivate,
              destroy,
              get_extension},
        host_(host),
        impl_(host_) {}

  static Adapter& of(const limpet_plugin* self) {
    return *static_cast<Adapter*>(self->plugin_data);
  }

  // Runs `work` so that nothing unwinds across the edge.
  template <typename Work>
  static limpet_status guarded(const limpet_plugin* self, Work work) noexcept {
    try {
      work(of(self));
      return LIMPET_OK;
    } catch (...) {
      return report_exception(of(self).host_);
    }
  }

  static limpet_status check(const limpet_plugin* self, limpet_bytes config) noexcept {
    return guarded(self, [&](Adapter&) { Impl::check(View(config)); });
  }

  static limpet_status activate(const limpet_plugin* self, limpet_bytes config) noexcept {
    return guarded(self, [&](Adapter& adapter) {
      adapter.host_.connect();
      if (has_call && !adapter.host_.tools()) {
        throw Failure(LIMPET_UNSUPPORTED, "the host does not offer " LIMPET_EXT_TOOLS);
      }
      adapter.impl_.activate(View(config));
    });
  }

  static void deactivate(const limpet_plugin* self) noexcept {
    guarded(self, [](Adapter& adapter) { adapter.impl_.deactivate(); });
  }

  static void destroy(const limpet_plugin* self) noexcept { delete &of(self); }

  static constexpr bool has_call = requires(Impl & impl, Call& call, const Request& request) {
    impl.call(call, request);
  };
  static constexpr bool has_cancel = requires(Impl & impl) { impl.cancel(uint64_t{}); };
  static constexpr bool has_lookup = requires(Impl & impl, const Request& request) {
    impl.lookup(request);
  };
  static constexpr bool has_turn = requires(Impl & impl, const Turn& turn, Decision& decision) {
    impl.turn(turn, decision);
  };
  static constexpr bool has_start = requires(Impl & impl) { impl.start(limpet_bytes{}); };
  static constexpr bool has_settled = requires(Impl & impl) {
    impl.settled(uint64_t{}, LIMPET_OK);
  };
  static constexpr bool has_timer = requires(Impl & impl) { impl.on_timer(uint32_t{}); };

  static limpet_status tools_call(const limpet_plugin* self, const limpet_call* call) noexcept {
    Adapter& adapter = of(self);
    Call open(adapter.host_, call->id);
    try {
      adapter.impl_.call(open, Request(call));
    } catch (...) {
      open.finish_by_exception();
    }
    return LIMPET_OK;
  }

  static void tools_cancel(const limpet_plugin* self, uint64_t id) noexcept {
    if constexpr (has_cancel) guarded(self, [=](Adapter& adapter) { adapter.impl_.cancel(id); });
  }

  static limpet_status tools_lookup(const limpet_plugin* self, const limpet_call* call,
                                    limpet_result* result_out) noexcept {
    return guarded(self, [=](Adapter& adapter) {
      Answer answer = adapter.impl_.lookup(Request(call));
      *result_out = {sizeof(limpet_result), answer.outcome, 0, 0, nullptr, answer.value.take()};
    });
  }

  static limpet_status agents_turn(const limpet_plugin* self, const limpet_turn* turn,
                                   limpet_buffer* decision_out) noexcept {
    return guarded(self, [=](Adapter& adapter) {
      Decision decision;
      adapter.impl_.turn(Turn(turn), decision);
      *decision_out = decision.encode(Impl::state_version).take();
    });
  }

  static limpet_status sources_start(const limpet_plugin* self, limpet_bytes position) noexcept {
    return guarded(self, [=](Adapter& adapter) { adapter.impl_.start(position); });
  }

  static void sources_stop(const limpet_plugin* self) noexcept {
    guarded(self, [](Adapter& adapter) { adapter.impl_.stop(); });
  }

  static void sources_settled(const limpet_plugin* self, uint64_t token,
                              limpet_status status) noexcept {
    guarded(self, [=](Adapter& adapter) { adapter.impl_.settled(token, status); });
  }

  static void timer_on_timer(const limpet_plugin* self, uint32_t id) noexcept {
    guarded(self, [=](Adapter& adapter) { adapter.impl_.on_timer(id); });
  }

  static const void* get_extension(const limpet_plugin*, const char* id) noexcept {
    const std::string_view wanted = id;
    if constexpr (has_call) {
      static constexpr limpet_plugin_tools tools = {tools_call, tools_cancel, lookup_or_null(),
                                                    nullptr};
      if (wanted == LIMPET_EXT_TOOLS) return &tools;
    }
    if constexpr (has_turn) {
      static constexpr limpet_plugin_agents agents = {Impl::state_version, Impl::state_version_min,
                                                      agents_turn};
      if (wanted == LIMPET_EXT_AGENTS) return &agents;
    }
    if constexpr (has_start) {
      static constexpr limpet_plugin_sources sources = {sources_start, sources_stop,
                                                        settled_or_null()};
      if (wanted == LIMPET_EXT_SOURCES) return &sources;
    }
    if constexpr (has_timer) {
      static constexpr limpet_plugin_timer timer = {timer_on_timer};
      if (wanted == LIMPET_EXT_TIMER) return &timer;
    }
    return nullptr;
  }

  static constexpr auto lookup_or_null() -> decltype(limpet_plugin_tools::lookup) {
    if constexpr (has_lookup) return tools_lookup;
    return nullptr;
  }

  static constexpr auto settled_or_null() -> decltype(limpet_plugin_sources::settled) {
    if constexpr (has_settled) return sources_settled;
    return nullptr;
  }

  limpet_plugin face_;
  Host host_;
  Impl impl_;
};

}  // namespace limpet::sdk

#define LIMPET_PLUGIN(Impl) LIMPET_DEFINE_ENTRY(limpet::sdk::Adapter<Impl>::create);
