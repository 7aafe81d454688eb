#include "api/request_parser.hpp"

#include <http_parser.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/check.hpp"

namespace limpet::api {

namespace {

constexpr size_t body_bytes_reserved = 64 * 1024;
constexpr uint32_t busy_retry_after_ms = 1000;

char lower(char character) {
  return character >= 'A' && character <= 'Z' ? static_cast<char>(character | 0x20) : character;
}

}  // namespace

struct RequestParser::Impl {
  Impl(const RequestLimits& the_limits, BodyBudget& the_budget)
      : limits(the_limits), budget(the_budget) {
    reset();
  }
  ~Impl() { give_back(); }

  const RequestLimits limits;
  BodyBudget& budget;
  http_parser parser = {};
  ParseState state = ParseState::empty;
  Request request;
  std::string target;
  size_t header_bytes = 0;
  size_t body_bytes = 0;  // taken from the budget
  bool in_value = false;  // the last header piece was of a value: a name begins a new header
  bool expects_continue = false;
  std::optional<Problem> failure;

  void reset();
  void give_back() { budget.bytes_used -= std::exchange(body_bytes, 0); }
  int fail(Problem problem);
  int count_header_bytes(size_t size);
  int on_name(std::string_view piece);
  int on_value(std::string_view piece);
  int on_head();
  int on_body(std::string_view piece);
  int on_complete();

  static const http_parser_settings& callbacks();
};

void RequestParser::Impl::reset() {
  http_parser_init(&parser, HTTP_REQUEST);
  parser.data = this;
  state = ParseState::empty;
  request = Request();
  target.clear();
  header_bytes = 0;
  give_back();
  in_value = false;
  expects_continue = false;
}

const http_parser_settings& RequestParser::Impl::callbacks() {
  static const http_parser_settings settings = [] {
    http_parser_settings made;
    http_parser_settings_init(&made);
    made.on_message_begin = [](http_parser* from) {
      static_cast<Impl*>(from->data)->state = ParseState::head;
      return 0;
    };
    made.on_url = [](http_parser* from, const char* at, size_t size) {
      Impl& impl = *static_cast<Impl*>(from->data);
      impl.target.append(at, size);
      return impl.count_header_bytes(size);
    };
    made.on_header_field = [](http_parser* from, const char* at, size_t size) {
      return static_cast<Impl*>(from->data)->on_name({at, size});
    };
    made.on_header_value = [](http_parser* from, const char* at, size_t size) {
      return static_cast<Impl*>(from->data)->on_value({at, size});
    };
    made.on_headers_complete = [](http_parser* from) {
      return static_cast<Impl*>(from->data)->on_head();
    };
    made.on_body = [](http_parser* from, const char* at, size_t size) {
      return static_cast<Impl*>(from->data)->on_body({at, size});
    };
    made.on_message_complete = [](http_parser* from) {
      return static_cast<Impl*>(from->data)->on_complete();
    };
    return made;
  }();
  return settings;
}

int RequestParser::Impl::fail(Problem problem) {
  if (!failure) failure = std::move(problem);
  state = ParseState::failed;
  return -1;  // the library stops; neither 1 nor 2, which mean "no body" to it
}

int RequestParser::Impl::count_header_bytes(size_t size) {
  header_bytes += size;
  if (header_bytes <= limits.header_bytes_max) return 0;
  return fail({431, "header-too-large",
               "The request line and headers have more than " +
                   std::to_string(limits.header_bytes_max) + " bytes."});
}

int RequestParser::Impl::on_name(std::string_view piece) {
  if (state == ParseState::body) return count_header_bytes(piece.size());  // a trailer: ignored
  if (in_value || request.headers.empty()) {
    if (request.headers.size() == limits.header_count_max) {
      return fail({431, "header-too-large", "The request has too many headers."});
    }
    request.headers.emplace_back();
    in_value = false;
  }
  std::string& name = request.headers.back().name;
  std::transform(piece.begin(), piece.end(), std::back_inserter(name), lower);
  return count_header_bytes(piece.size());
}

int RequestParser::Impl::on_value(std::string_view piece) {
  if (state == ParseState::body) return count_header_bytes(piece.size());
  in_value = true;
  request.headers.back().value.append(piece);
  return count_header_bytes(piece.size());
}

int RequestParser::Impl::on_head() {
  request.method = http_method_str(static_cast<http_method>(parser.method));
  request.can_chunk = parser.http_major == 1 && parser.http_minor >= 1;
  request.keep_alive = http_should_keep_alive(&parser) != 0;
  if (parser.http_major != 1) {
    return fail({505, "http-version", "Limpet speaks HTTP/1.1."});
  }
  if (parser.method == HTTP_CONNECT || !parse_target(target, request)) {
    return fail({400, "invalid", "The request target is not a valid path."});
  }
  // The distributions build the library in its lenient mode, which lets "Content-Length : 5" pass.
  for (const NameValue& item : request.headers) {
    if (item.name.find(' ') == std::string::npos) continue;
    return fail({400, "invalid", "A header's name has a space in it."});
  }
  // An offer to upgrade (h2c) may be ignored, and is; without this the body would be skipped.
  parser.upgrade = 0;
  const bool has_length = (parser.flags & F_CONTENTLENGTH) != 0;
  if (has_length && parser.content_length > limits.body_bytes_max) {
    return fail({413, "too-large",
                 "The body has " + std::to_string(parser.content_length) + " bytes; at most " +
                     std::to_string(limits.body_bytes_max) + " are taken."});
  }
  const std::string_view expect = header(request, "expect");
  if (!expect.empty()) {
    if (expect != "100-continue" && expect != "100-Continue") {
      return fail({417, "expectation", "The only expectation met is 100-continue."});
    }
    expects_continue = request.can_chunk;
  }
  state = ParseState::body;
  return 0;
}

int RequestParser::Impl::on_body(std::string_view piece) {
  if (piece.size() > limits.body_bytes_max - request.body.size()) {
    return fail({413, "too-large",
                 "The body has more than " + std::to_string(limits.body_bytes_max) + " bytes."});
  }
  if (piece.size() > budget.bytes_max - budget.bytes_used) {
    return fail({503, "busy", "Too many large requests at once.", busy_retry_after_ms});
  }
  budget.bytes_used += piece.size();
  body_bytes += piece.size();
  if (request.body.empty() && (parser.flags & F_CONTENTLENGTH) != 0) {
    request.body.reserve(
        std::min(piece.size() + static_cast<size_t>(parser.content_length), body_bytes_reserved));
  }
  request.body.append(piece);
  expects_continue = false;
  return 0;
}

int RequestParser::Impl::on_complete() {
  state = ParseState::complete;
  expects_continue = false;
  http_parser_pause(&parser, 1);  // what follows is the next request's
  return 0;
}

RequestParser::RequestParser(const RequestLimits& limits, BodyBudget& budget)
    : impl_(std::make_unique<Impl>(limits, budget)) {}
RequestParser::~RequestParser() = default;

size_t RequestParser::feed(std::string_view bytes) {
  Impl& impl = *impl_;
  LIMPET_ASSERT(impl.state != ParseState::complete && impl.state != ParseState::failed);
  const size_t taken =
      http_parser_execute(&impl.parser, &Impl::callbacks(), bytes.data(), bytes.size());
  const http_errno error = HTTP_PARSER_ERRNO(&impl.parser);
  if (error == HPE_OK || error == HPE_PAUSED || impl.state == ParseState::failed) return taken;
  if (error == HPE_HEADER_OVERFLOW) {
    static_cast<void>(impl.fail({431, "header-too-large", "The request's headers are too large."}));
  } else {
    static_cast<void>(impl.fail({400, "invalid",
                                 std::string("This is not an HTTP/1.1 request: ")
                                     .append(http_errno_description(error))
                                     .append(".")}));
  }
  return taken;
}

ParseState RequestParser::state() const { return impl_->state; }

bool RequestParser::take_expects_continue() {
  if (impl_->state != ParseState::body) return false;
  return std::exchange(impl_->expects_continue, false);
}

const Request& RequestParser::head() const {
  LIMPET_ASSERT(impl_->state == ParseState::body || impl_->state == ParseState::complete);
  return impl_->request;
}

Request RequestParser::take_request() {
  LIMPET_ASSERT(impl_->state == ParseState::complete);
  Request request = std::move(impl_->request);
  impl_->reset();
  return request;
}

const Problem& RequestParser::problem() const {
  LIMPET_ASSERT(impl_->failure.has_value());
  return *impl_->failure;
}

}  // namespace limpet::api
