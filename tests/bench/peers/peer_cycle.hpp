#pragma once

// The queue's cycle on a peer: a producer with a window in one thread, each consumer in one of its
// own, as clients in other processes would be. [main]

#include "tests/bench/measure.hpp"
#include "tests/bench/peers/peer.hpp"

namespace limpet::bench {

struct PeerWork {
  uint64_t count = 0;  // cycles, or entries of the log
  unsigned workers = 4;
  unsigned prefetch = 32;
  unsigned window = 64;
  unsigned payload = 256;
};

// REQUIRES: the peer is started. The names are those of measure_cycle; processor time and bytes are
// the client's and the server's, memory is the server's since its start.
// The disk is that of `directory`.
[[nodiscard]] Figures measure_peer_cycle(Peer& peer, const PeerWork& work,
                                         const std::string& directory);

// Entries appended with a window, then read back; empty: the peer is no log.
[[nodiscard]] Figures measure_peer_log(Peer& peer, const PeerWork& work);

}  // namespace limpet::bench
