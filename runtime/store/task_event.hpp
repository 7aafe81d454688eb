#pragma once

// What the events of a task's end carry as data: CBOR maps. [any]
//
//   limpet.task.done   {task, id, queue, result}
//   limpet.task.dead   {task, id, queue, reason, attempts, deaths, error}

#include <string_view>

#include "base/bytes.hpp"
#include "model/ids.hpp"
#include "store/task_record.hpp"

namespace limpet::store {

struct TaskName {
  Epoch epoch;
  Sequence task;
  std::string_view queue;
};

// `result` is one well-formed item. Written over `out`.
void encode_task_done(const TaskName& name, ByteSpan result, ByteVector& out);
void encode_task_dead(const TaskName& name, const DeadLetter& letter, ByteVector& out);

}  // namespace limpet::store
