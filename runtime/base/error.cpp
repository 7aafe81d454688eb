#include "base/error.hpp"

#include <cstring>

namespace limpet {

std::string_view error_name(ErrorCode code) {
  switch (code) {
#define LIMPET_X(name, text, advice) \
  case ErrorCode::name: return text;
    LIMPET_ERROR_CODES(LIMPET_X)
#undef LIMPET_X
  }
  return "unknown";
}

std::string_view error_advice(ErrorCode code) {
  switch (code) {
#define LIMPET_X(name, text, advice) \
  case ErrorCode::name: return advice;
    LIMPET_ERROR_CODES(LIMPET_X)
#undef LIMPET_X
  }
  return "";
}

std::string to_string(const Error& error) {
  std::string text(error_name(error.code));
  if (error.where != nullptr) {
    text.append(": ").append(error.where);
  }
  if (error.system_error != 0) {
    char buffer[128];
    // The GNU variant returns the text and may ignore the buffer.
    text.append(": ").append(strerror_r(error.system_error, buffer, sizeof buffer));
  }
  return text;
}

}  // namespace limpet
