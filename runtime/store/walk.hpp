#pragma once

// The walk: verify() in a child process, because LMDB has no page checksums and a damaged page can
// crash whoever follows it, or hold it for ever.
// Owner: rescue(), or a verb. Thread: [main, blocking]. Fails with: io (no child could be made);
// what the child finds, and its death, are findings.
// Limits: processor time by the size of the file, so that reading in circles ends.
//
// A child by fork, not a program of its own: there is no file to find, and tests have it too. The
// process may have other threads then; none of them writes to the store, which is not open yet.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "store/verify.hpp"

namespace limpet::store {

using Walker = std::function<Result<VerifyReport>(const std::string& directory)>;

// REQUIRES: the caller holds the directory's lock.
[[nodiscard]] Result<VerifyReport> verify_in_child(const std::string& directory);

// The same of a stopped store, whose lock it takes. Errors beside io: busy (a daemon uses it),
// not_found.
[[nodiscard]] Result<VerifyReport> verify_stopped(const std::string& directory);

// What `work` reports, in a child; its death is a tree that is not sound.
[[nodiscard]] Result<VerifyReport> in_child(const std::function<VerifyReport()>& work,
                                            uint32_t cpu_seconds);

// A report as the child sends it. nullopt: not one.
[[nodiscard]] ByteVector encode_report(const VerifyReport& report);
[[nodiscard]] std::optional<VerifyReport> parse_report(ByteSpan bytes);

}  // namespace limpet::store
