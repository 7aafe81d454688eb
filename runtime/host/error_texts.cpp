#include "host/error_texts.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "host/foreign.hpp"

namespace limpet::host {

ErrorTexts::Scope::Scope(ErrorTexts& owner) : owner_(owner), thread_(std::this_thread::get_id()) {
  const std::lock_guard lock(owner_.mutex_);
  owner_.open_.push_back(this);
}

ErrorTexts::Scope::~Scope() {
  const std::lock_guard lock(owner_.mutex_);
  std::erase(owner_.open_, this);
}

std::string ErrorTexts::Scope::text(const char* otherwise) const {
  return text_.empty() ? otherwise : text_;
}

void ErrorTexts::set(const char* message) {
  Scope* scope = nullptr;
  {
    const std::lock_guard lock(mutex_);
    const auto own = std::find_if(open_.rbegin(), open_.rend(), [](const Scope* open) {
      return open->thread_ == std::this_thread::get_id();
    });
    if (own != open_.rend()) scope = *own;
  }
  // It is further down on this thread's stack, so it stays while we write.
  if (scope != nullptr) scope->text_ = take_text(message, limits::plugin_text_bytes_max);
}

}  // namespace limpet::host
