#pragma once

// Request: one HTTP request, complete and within its limits. A value that owns its text. [any]

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace limpet::api {

struct NameValue {
  std::string name;
  std::string value;
};

struct Request {
  std::string method;                 // "GET"
  std::vector<std::string> segments;  // of the path, decoded: "/v1/runs/a%2Fb" is v1, runs, a/b
  std::vector<NameValue> query;       // decoded, in order
  std::vector<NameValue> headers;     // names in lower case, in order
  std::string body;
  std::string principal;   // who asks: "uid:1000"
  bool keep_alive = true;  // the client would send another one
  bool can_chunk = true;   // false: HTTP/1.0
};

// The first value of that name, or "" when there is none. [any, no-alloc]
[[nodiscard]] std::string_view header(const Request& request, std::string_view name);

// Splits and decodes "/v1/events?type=a.%23&follow" into segments and query. False: not a path, or
// a broken escape, or not UTF-8. [any]
[[nodiscard]] bool parse_target(std::string_view target, Request& request);

}  // namespace limpet::api
