#pragma once

// ErrorTexts: keeps what plugins say with set_error() until the function that said it returns. The
// last text of the same thread counts, and only while a Scope of that thread is open: a text
// without a function running is nobody's. Thread: [any]. Limits: plugin_text_bytes_max for each.

#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace limpet::host {

class ErrorTexts {
 public:
  // Around one call into the plugin, on the stack.
  class Scope {
   public:
    explicit Scope(ErrorTexts& owner);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

    // What was said, or `otherwise`.
    [[nodiscard]] std::string text(const char* otherwise) const;

   private:
    friend class ErrorTexts;
    ErrorTexts& owner_;
    const std::thread::id thread_;
    std::string text_;  // of its own thread only: set and read there
  };

  void set(const char* message);

 private:
  std::mutex mutex_;
  std::vector<Scope*> open_;  // guarded by mutex_
};

}  // namespace limpet::host
