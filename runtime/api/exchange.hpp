#pragma once

// Exchange: the right to answer one request, once, now or later. BodySource: a body that is pulled
// piece by piece at the pace of its reader.
// Owner: whoever handles the request; copies mean the same request. Thread: [main]. Never fails:
// when the connection is gone, or has been answered, an answer goes nowhere.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/response.hpp"
#include "base/time.hpp"

namespace limpet::api {

class Connection;

enum class Pull : uint8_t {
  more,      // it gave what it could for now; ask again as soon as that is sent
  waiting,   // nothing is there; ask again after the next commit
  finished,  // that was all
  failed,    // it cannot go on: the connection is broken off, so that nobody takes this for the end
};

// Owner: the connection, until `finished` or the end of the connection. Thread: [main].
class BodySource {
 public:
  virtual ~BodySource() = default;
  // Appends to `out`, which is empty, about body_slice_bytes. Called only when all that it gave
  // before has been taken, so a reader that stalls costs nothing but its connection.
  [[nodiscard]] virtual Pull pull(std::string& out) = 0;
  // After `waiting`: when to ask again even without a commit; nullopt: never.
  [[nodiscard]] virtual std::optional<Duration> due_in() const { return std::nullopt; }
  // What to send when nothing was sent for a while, so that both sides notice a dead peer. A
  // literal.
  [[nodiscard]] virtual std::string_view heartbeat() const = 0;
};

inline constexpr size_t body_slice_bytes = 16 * 1024;

// What a request needs to know of its client while it waits, and while its answer, which gives
// something away, is on its way.
struct Watch {
  bool waits =
      false;  // may take long: counts into waits_max, and is called when waiting is in vain
  // Called at most once, if the client goes away before it was handed the whole answer. With
  // `waits` also, before the answer, when the client sends no more or the server closes: then an
  // answer now still reaches whoever reads.
  std::function<void()> on_gone;
};

class Exchange {
 public:
  Exchange(std::weak_ptr<Connection> connection, uint64_t number)
      : connection_(std::move(connection)), number_(number) {}

  void respond(Response response) const;
  // `head` carries status and media type; its body is not sent.
  void respond(Response head, std::unique_ptr<BodySource> source) const;

  // False: too many wait, or the client is gone; `watch` is dropped uncalled. REQUIRES: not
  // answered yet; once a request.
  [[nodiscard]] bool watch(Watch watch) const;

 private:
  std::weak_ptr<Connection> connection_;
  uint64_t number_;
};

using Handler = std::function<void(Request, Exchange)>;

}  // namespace limpet::api
