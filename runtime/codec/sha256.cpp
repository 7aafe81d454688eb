#include "codec/sha256.hpp"

#include <algorithm>
#include <bit>
#include <span>

namespace limpet::codec {

namespace {

constexpr size_t block_bytes = 64;
constexpr size_t length_bytes = 8;  // of the message's length in bits, at the end of the last block

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
constexpr std::array<uint32_t, 64> round_constants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// The same of the square roots of the first 8 primes.
using State = std::array<uint32_t, 8>;
constexpr State start = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

using Block = std::span<const uint8_t, block_bytes>;

std::array<uint32_t, 64> schedule(Block block) {
  std::array<uint32_t, 64> words{};
  for (size_t index = 0; index < 16; ++index) {
    for (size_t byte = 0; byte < 4; ++byte)
      words[index] = words[index] << 8 | block[4 * index + byte];
  }
  for (size_t index = 16; index < words.size(); ++index) {
    const uint32_t a = words[index - 15];
    const uint32_t b = words[index - 2];
    const uint32_t low = std::rotr(a, 7) ^ std::rotr(a, 18) ^ (a >> 3);
    const uint32_t high = std::rotr(b, 17) ^ std::rotr(b, 19) ^ (b >> 10);
    words[index] = words[index - 16] + low + words[index - 7] + high;
  }
  return words;
}

void take_block(State& state, Block block) {
  const std::array<uint32_t, 64> words = schedule(block);
  auto [a, b, c, d, e, f, g, h] = state;
  for (size_t index = 0; index < words.size(); ++index) {
    const uint32_t choice = (e & f) ^ (~e & g);
    const uint32_t sum_e = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    const uint32_t first = h + sum_e + choice + round_constants[index] + words[index];
    const uint32_t majority = (a & b) ^ (a & c) ^ (b & c);
    const uint32_t second = (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + majority;
    h = g;
    g = f;
    f = e;
    e = d + first;
    d = c;
    c = b;
    b = a;
    a = first + second;
  }
  const State added = {a, b, c, d, e, f, g, h};
  for (size_t index = 0; index < state.size(); ++index) state[index] += added[index];
}

}  // namespace

Sha256Digest sha256(ByteSpan bytes) {
  State state = start;
  const uint64_t bits = uint64_t{bytes.size()} * 8;
  for (; bytes.size() >= block_bytes; bytes = bytes.subspan(block_bytes)) {
    take_block(state, bytes.first<block_bytes>());
  }
  // The rest, a one bit, zeros, and the length: one block, or two when the length does not fit.
  std::array<uint8_t, 2 * block_bytes> end{};
  std::copy(bytes.begin(), bytes.end(), end.begin());
  end[bytes.size()] = 0x80;
  const bool one = bytes.size() + 1 + length_bytes <= block_bytes;
  const size_t end_bytes = one ? block_bytes : 2 * block_bytes;
  for (size_t index = 0; index < length_bytes; ++index) {
    end[end_bytes - 1 - index] = static_cast<uint8_t>(bits >> (8 * index));
  }
  take_block(state, std::span(end).first<block_bytes>());
  if (!one) take_block(state, std::span(end).subspan<block_bytes, block_bytes>());

  Sha256Digest digest{};
  for (size_t index = 0; index < digest.size(); ++index) {
    digest[index] = static_cast<uint8_t>(state[index / 4] >> (24 - 8 * (index % 4)));
  }
  return digest;
}

}  // namespace limpet::codec
