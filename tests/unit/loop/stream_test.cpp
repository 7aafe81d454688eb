#include "loop/stream.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "tests/unit/loop/make_loop.hpp"

using namespace limpet;
using namespace limpet::testing;

namespace {

constexpr size_t write_bytes_max = 64 * 1024;

// A stream at one end of a socket pair; the test holds the other end.
struct Ends {
  explicit Ends(loop::Loop& loop) {
    auto pair = loop::socket_pair();
    REQUIRE(pair);
    theirs = std::move(pair->theirs);
    auto created = loop::Stream::create(loop, std::move(pair->ours), write_bytes_max);
    REQUIRE(created);
    stream = std::move(created).value();
  }
  void start() {
    loop::StreamCallbacks callbacks;
    callbacks.on_data = [this](ByteSpan bytes) { received.append(as_text(bytes)); };
    callbacks.on_drained = [this] { ++drained; };
    callbacks.on_end = [this](loop::StreamEnd how) { end = how; };
    stream->start(std::move(callbacks));
  }
  void send(std::string_view text) const {
    REQUIRE(write(theirs.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  // Reads what is there, without waiting.
  size_t read_all() const {
    std::string buffer(1 << 20, '\0');
    const ssize_t count = recv(theirs.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    return count > 0 ? static_cast<size_t>(count) : 0;
  }

  loop::Descriptor theirs;
  std::unique_ptr<loop::Stream> stream;
  std::string received;
  int drained = 0;
  std::optional<loop::StreamEnd> end;
};

}  // namespace

TEST_CASE("stream: bytes come in, bytes go out") {
  const auto loop = make_loop();
  Ends ends(*loop);
  ends.send("before start");
  ends.start();
  CHECK(loop->run_until([&] { return ends.received == "before start"; }, patience));
  CHECK(ends.stream->write(as_bytes("answer")));
  CHECK(ends.stream->waiting_bytes() == 0);
  CHECK(ends.read_all() == 6);
}

TEST_CASE("stream: a peer that does not read is felt by the writer, and nothing is lost") {
  const auto loop = make_loop();
  Ends ends(*loop);
  ends.start();
  const std::string piece(8 * 1024, 'x');
  size_t written = 0;
  while (ends.stream->write(as_bytes(piece))) written += piece.size();
  CHECK(ends.stream->waiting_bytes() + piece.size() > write_bytes_max);
  CHECK(ends.stream->write_room() < piece.size());
  CHECK(ends.drained == 0);
  size_t read = 0;
  CHECK(loop->run_until(
      [&] {
        read += ends.read_all();
        return ends.drained == 1;
      },
      patience));
  read += ends.read_all();
  CHECK(read == written);
  CHECK(ends.stream->write_room() == write_bytes_max);
}

TEST_CASE("stream: paused, it reads nothing; resumed, it reads what waited") {
  const auto loop = make_loop();
  Ends ends(*loop);
  ends.start();
  ends.stream->pause_reading();
  ends.send("wait");
  CHECK_FALSE(loop->run_until([&] { return !ends.received.empty(); }, milliseconds(2)));
  ends.stream->resume_reading();
  CHECK(loop->run_until([&] { return ends.received == "wait"; }, patience));
}

TEST_CASE("stream: a peer that only finished writing can still be answered") {
  const auto loop = make_loop();
  Ends ends(*loop);
  ends.start();
  ends.send("last");
  REQUIRE(shutdown(ends.theirs.get(), SHUT_WR) == 0);
  CHECK(loop->run_until([&] { return ends.end.has_value(); }, patience));
  CHECK(*ends.end == loop::StreamEnd::finished);
  CHECK(ends.received == "last");
  CHECK(ends.stream->write(as_bytes("answer")));
  CHECK(ends.read_all() == 6);
}

TEST_CASE("stream: a peer that is gone ends the stream, also when it is found by writing") {
  const auto loop = make_loop();
  {
    Ends ends(*loop);
    ends.start();
    ends.theirs.close();
    CHECK(loop->run_until([&] { return ends.end.has_value(); }, patience));
    CHECK(*ends.end == loop::StreamEnd::failed);
    CHECK(ends.stream->closed());
    CHECK_FALSE(ends.stream->write(as_bytes("x")));
  }
  Ends ends(*loop);
  ends.start();
  ends.stream->pause_reading();
  ends.theirs.close();
  CHECK(ends.stream->write(as_bytes("x")));  // it cannot know yet
  CHECK(loop->run_until([&] { return ends.end.has_value(); }, patience));
  CHECK(*ends.end == loop::StreamEnd::failed);
}

TEST_CASE("stream: finish_writing sends what waits first") {
  const auto loop = make_loop();
  Ends ends(*loop);
  ends.start();
  const std::string piece(8 * 1024, 'x');
  size_t written = 0;
  while (ends.stream->write(as_bytes(piece))) written += piece.size();
  ends.stream->finish_writing();
  CHECK_FALSE(ends.stream->write(as_bytes("x")));
  size_t read = 0;
  CHECK(loop->run_until(
      [&] {
        read += ends.read_all();
        return ends.drained == 1;
      },
      patience));
  read += ends.read_all();
  CHECK(read == written);
  char byte = 0;
  CHECK(recv(ends.theirs.get(), &byte, 1, MSG_DONTWAIT) == 0);
}

TEST_CASE("stream: may be destroyed in its own callback") {
  const auto loop = make_loop();
  auto pair = loop::socket_pair();
  REQUIRE(pair);
  auto created = loop::Stream::create(*loop, std::move(pair->ours), write_bytes_max);
  REQUIRE(created);
  std::unique_ptr<loop::Stream> stream = std::move(created).value();
  bool called = false;
  loop::StreamCallbacks callbacks;
  callbacks.on_data = [&](ByteSpan) {
    stream.reset();
    called = true;
  };
  callbacks.on_end = [](loop::StreamEnd) {};
  stream->start(std::move(callbacks));
  REQUIRE(write(pair->theirs.get(), "x", 1) == 1);
  CHECK(loop->run_until([&] { return called; }, patience));
  char byte = 0;
  CHECK(read(pair->theirs.get(), &byte, 1) <= 0);  // closed, with our byte unread or not
}

TEST_CASE("stream: tells who is at the other end") {
  const auto loop = make_loop();
  const Ends ends(*loop);
  const auto peer = ends.stream->peer();
  REQUIRE(peer);
  CHECK(peer->uid == getuid());
  CHECK(peer->pid == getpid());
}
