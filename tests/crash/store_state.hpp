#pragma once

// What a store must hold after so many changes of the workload, and whether it does.
// Owner: a test. Thread: one.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "store/store.hpp"

namespace limpet::testing {

// What a client was told and what it had asked for, at one instant.
struct Promises {
  uint64_t acknowledged = 0;  // the last change that was reported done
  uint64_t submitted = 0;     // the last change that was begun
};

class StoreState {
 public:
  StoreState();

  // Opens the store as the next start would, compares all of it, appends `more` changes, compares
  // again, and closes it. Answers what is wrong; empty: nothing. `number_out`: the changes found.
  [[nodiscard]] std::string check(const std::string& directory, Promises promises,
                                  uint64_t more = 0, uint64_t* number_out = nullptr);

 private:
  struct Digest {
    uint64_t rows = 0;
    uint64_t hash = 0;
    friend bool operator==(const Digest&, const Digest&) = default;
  };
  using Rows = std::map<std::string, std::string, std::less<>>;

  // After `number` changes.
  [[nodiscard]] Digest expected(uint64_t number);
  void add_row(Digest& digest, std::string_view key, std::string_view value) const;
  [[nodiscard]] std::string compare(store::Store& store, uint64_t number);
  [[nodiscard]] std::string append(store::Store& store, uint64_t number);

  // Known so far: the state after digests_.size() - 1 changes, and the digest of each before it.
  Rows rows_;
  store::HotRecord hot_;
  std::vector<Digest> digests_;
};

}  // namespace limpet::testing
