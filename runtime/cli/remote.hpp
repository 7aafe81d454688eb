#pragma once

// Remote: the daemon as a verb sees it: requests to the API with their failures put into words and
// exit codes.
// Owner: the verb. Thread: [main], blocking. Fails by the optional/Exit it answers, after it has
// printed why on err.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cli/context.hpp"

namespace limpet::cli {

inline constexpr Duration request_wait =
    seconds(60);  // the API answers, or sends a heartbeat, sooner

class Remote {
 public:
  explicit Remote(const Context& context);

  // The answer's body when the status is 2xx; else nothing, and exit() says how to end.
  [[nodiscard]] std::optional<std::string> get(const std::string& target);
  [[nodiscard]] std::optional<std::string> post(const HttpRequest& request);

  // Calls `visit` with each line of an NDJSON answer until it says false or the answer ends; empty
  // lines (heartbeats) are left out. `limit` bounds the whole; zero: none. False: it failed, see
  // exit().
  using LineVisitor = std::function<bool(std::string_view line)>;
  [[nodiscard]] bool stream(const std::string& target, Duration limit, const LineVisitor& visit);

  // Calls `visit` with each piece of an answer of the media type `accept`, until it says false or
  // the answer ends. False: it failed, or broke off before its end; see exit().
  using PieceVisitor = std::function<bool(std::string_view piece)>;
  [[nodiscard]] bool download(const std::string& target, const std::string& accept,
                              const PieceVisitor& visit);

  // How the verb should end after a failure.
  [[nodiscard]] Exit exit() const { return exit_; }
  // The body of the last refusal, for --json; empty: there was none.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  [[nodiscard]] bool connect();
  [[nodiscard]] bool begin(const std::string& target, const std::string& accept);
  [[nodiscard]] std::optional<std::string> call(const HttpRequest& request);
  void refuse(const HttpResponse& response);
  void fail_with(const Error& error);

  const Context& context_;
  const std::string socket_;
  std::optional<HttpClient> client_;
  Exit exit_ = Exit::ok;
  std::string problem_;
};

}  // namespace limpet::cli
