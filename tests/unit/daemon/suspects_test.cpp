#include "daemon/suspects.hpp"

#include <doctest/doctest.h>

#include "tests/support/temporary_directory.hpp"

namespace limpet::daemon {

namespace {

constexpr BootTime start{1'000'000'000};
constexpr UnderWay turn{UnderWay::Kind::turn, RunId(7), Ordinal(), Sequence(9)};
constexpr UnderWay call{UnderWay::Kind::call, RunId(8), Ordinal(3), Sequence()};

struct SuspectsFixture {
  testing::TemporaryDirectory directory;
  std::string file = directory.path() + "/under-way";

  Suspects open(std::string_view boot = "boot-a") {
    Result<Suspects> opened = Suspects::open(file, boot, start);
    REQUIRE(opened.ok());
    return std::move(opened).value();
  }
};

}  // namespace

TEST_CASE("suspects: what was alone when the process died is the culprit, once") {
  SuspectsFixture fixture;
  {
    Suspects life = fixture.open();
    const Suspects::Slot other = life.begin(call);
    static_cast<void>(life.begin(turn));
    life.end(other);
  }
  Suspects next = fixture.open();
  CHECK(next.take_culprit() == turn);
  CHECK_FALSE(next.take_culprit().has_value());
  CHECK(next.suspects().empty());
}

TEST_CASE("suspects: of several nobody is blamed, and each runs alone from then on") {
  SuspectsFixture fixture;
  {
    Suspects life = fixture.open();
    static_cast<void>(life.begin(call));
    static_cast<void>(life.begin(turn));
  }
  Suspects next = fixture.open();
  CHECK_FALSE(next.take_culprit().has_value());
  CHECK(next.suspects().size() == 2);
  REQUIRE(next.may_begin(start));
  const Suspects::Slot first = next.begin(turn);
  CHECK_FALSE(next.may_begin(start));
  next.end(first);
  REQUIRE(next.may_begin(start));
  const Suspects::Slot second = next.begin(call);
  // All suspects are through or under way: nothing more needs to wait.
  CHECK(next.may_begin(start));
  next.end(second);
}

TEST_CASE("suspects: one that never comes again does not keep the others alone for ever") {
  SuspectsFixture fixture;
  {
    Suspects life = fixture.open();
    static_cast<void>(life.begin(call));
    static_cast<void>(life.begin(turn));
  }
  Suspects next = fixture.open();
  static_cast<void>(next.begin(call));
  CHECK_FALSE(next.may_begin(start + seconds(59)));
  CHECK(next.may_begin(start + seconds(60)));
}

TEST_CASE("suspects: a power cut is nobody's fault") {
  SuspectsFixture fixture;
  {
    Suspects life = fixture.open("boot-a");
    static_cast<void>(life.begin(turn));
  }
  Suspects next = fixture.open("boot-b");
  CHECK_FALSE(next.take_culprit().has_value());
  CHECK(next.suspects().empty());
}

TEST_CASE("suspects: a call that is left behind by an orderly stop is nobody's crash") {
  SuspectsFixture fixture;
  {
    Suspects life = fixture.open();
    static_cast<void>(life.begin(call));
    life.close();
  }
  Suspects next = fixture.open();
  CHECK_FALSE(next.take_culprit().has_value());
}

TEST_CASE("suspects: a clean end leaves none, and more than the file holds are still counted") {
  SuspectsFixture fixture;
  {
    Suspects life = fixture.open();
    std::vector<Suspects::Slot> slots;
    for (size_t count = 0; count < Suspects::entries_max + 5; ++count) {
      slots.push_back(life.begin(call));
    }
    CHECK(life.unwatched() == 5);
    for (const Suspects::Slot slot : slots) life.end(slot);
    CHECK(life.under_way() == 0);
  }
  Suspects next = fixture.open();
  CHECK_FALSE(next.take_culprit().has_value());
}

}  // namespace limpet::daemon
