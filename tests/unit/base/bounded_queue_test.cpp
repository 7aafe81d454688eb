#include "base/bounded_queue.hpp"

#include <doctest/doctest.h>

#include <memory>

using limpet::BoundedQueue;

TEST_CASE("bounded_queue: values leave in the order in which they came, around the end too") {
  BoundedQueue<int> queue(3);
  int next_in = 0;
  int next_out = 0;
  for (int round = 0; round < 10; ++round) {
    CHECK(queue.push(next_in++));
    CHECK(queue.push(next_in++));
    CHECK(queue.pop() == next_out++);
    CHECK(queue.pop() == next_out++);
  }
  CHECK(queue.empty());
}

TEST_CASE("bounded_queue: a full one refuses and keeps what it has") {
  BoundedQueue<int> queue(2);
  CHECK(queue.push(1));
  CHECK_FALSE(queue.full());
  CHECK(queue.push(2));
  CHECK(queue.full());
  CHECK_FALSE(queue.push(3));
  CHECK(queue.count() == 2);
  CHECK(queue.capacity() == 2);
  CHECK(queue.pop() == 1);
  CHECK(queue.pop() == 2);
}

TEST_CASE("bounded_queue: a popped value is not kept alive by its slot") {
  BoundedQueue<std::shared_ptr<int>> queue(2);
  const auto value = std::make_shared<int>(7);
  REQUIRE(queue.push(value));
  CHECK(value.use_count() == 2);
  queue.pop();
  CHECK(value.use_count() == 1);
}
