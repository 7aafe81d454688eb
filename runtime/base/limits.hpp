#pragma once

// Every fixed limit of the house, with its reason; limits that an owner may set are config keys and
// only their bounds stand here. Relations between limits are asserted at the end.

#include <cstddef>
#include <cstdint>

namespace limpet::limits {

// One event. 64 KiB holds any reading, decision or document page; larger things are files.
inline constexpr size_t event_data_bytes_max = 64 * 1024;
// One item inside the data of an event of ours: a tool's arguments or result, a run's input or
// output. The rest of the 64 KiB is for the names around it.
inline constexpr size_t item_bytes_max = event_data_bytes_max - 4 * 1024;
inline constexpr size_t event_type_bytes_max = 128;
inline constexpr size_t event_attribute_bytes_max = 512;        // source, subject, id, each
inline constexpr size_t event_attributes_bytes_max = 4 * 1024;  // all of them together
inline constexpr size_t event_record_bytes_max =
    event_data_bytes_max + event_attributes_bytes_max + 256;

// One call of POST /v1/events, one decision, one change.
inline constexpr size_t batch_events_max = 256;
inline constexpr size_t batch_bytes_max = 1024 * 1024;

// CBOR and JSON nesting; deeper input is refused, so that no parser's stack depends on input.
inline constexpr size_t nesting_depth_max = 16;
// What comes from outside is put into maps of ours: a result into an event's data, that into the
// event as an agent sees it. It must still be readable then.
inline constexpr size_t item_depth_max = nesting_depth_max - 4;

// The names of queues, classes, consumers, schedules, tenants.
inline constexpr size_t name_bytes_max = 64;

// Runs.
inline constexpr size_t run_state_bytes_max = 64 * 1024;
inline constexpr size_t run_key_bytes_max = 256;
inline constexpr size_t agent_name_bytes_max = 64;
inline constexpr size_t tool_name_bytes_max = 128;
inline constexpr size_t step_name_bytes_max = 64;
inline constexpr size_t decision_commands_max = 64;
inline constexpr uint32_t turn_attempts_max = 3;  // design: three crashes of one turn fail the run
inline constexpr size_t idempotency_key_bytes_max = 256;

// A store value never needs a run of overflow pages: LMDB keeps values up to about half a page in
// the leaf (4,096 B page: 2,038 B less key and header).
inline constexpr size_t store_part_bytes_max = 1900;
inline constexpr size_t store_key_bytes_max = 511;  // LMDB's own default, mdb_env_get_maxkeysize

// What waits for the writer. At the limit `submit` says busy and the caller tells its producer.
inline constexpr size_t store_pending_changes_max = 4096;
inline constexpr size_t store_pending_bytes_max = 8 * 1024 * 1024;
inline constexpr size_t store_batch_changes_max = 1024;
// Buffers of answered changes that the next ones are built in: no heap on the common path, and at
// most 256 KiB that are kept for it.
inline constexpr size_t store_spare_buffers_max = 64;
inline constexpr size_t store_spare_buffer_bytes_max = 4096;

// A read transaction pins pages: it ends after this many records and is opened again.
inline constexpr size_t read_records_max = 1000;

// Plugins, in this process (runtime/host). A tool's result becomes an event's data.
inline constexpr size_t tool_result_bytes_max = item_bytes_max;
inline constexpr size_t tool_error_bytes_max = 512;
inline constexpr size_t instance_name_bytes_max = 32;
inline constexpr size_t instances_max = 64;
inline constexpr size_t manifest_bytes_max = 256 * 1024;
inline constexpr size_t manifest_tools_max = 256;
inline constexpr uint32_t tool_concurrency_max = 64;
inline constexpr uint32_t tool_timeout_ms_default = 30 * 1000;
inline constexpr uint32_t tool_timeout_ms_max = 24 * 60 * 60 * 1000;
inline constexpr int64_t cancel_grace_ms = 1000;        // from cancel() to giving a call up
inline constexpr int64_t overdue_grace_ms = 60 * 1000;  // then to the instance's quarantine
inline constexpr uint64_t plugin_faults_max = 64;       // broken ABI rules, then quarantine
// What a source may have waiting uncommitted: its credit.
inline constexpr size_t emissions_waiting_max = 256;
inline constexpr size_t emissions_waiting_bytes_max = batch_bytes_max;
inline constexpr int64_t emission_retry_ms = 20;  // after the owner said full
// A plugin's log lines: a burst, then so many a second; the rest is counted.
inline constexpr uint32_t plugin_log_burst = 100;
inline constexpr uint32_t plugin_log_per_second = 20;
inline constexpr size_t plugin_text_bytes_max = 1024;

static_assert(event_record_bytes_max <= batch_bytes_max);
static_assert(batch_bytes_max <= store_pending_bytes_max);
static_assert(instance_name_bytes_max < tool_name_bytes_max);
static_assert(event_data_bytes_max <= emissions_waiting_bytes_max);
static_assert(run_key_bytes_max + agent_name_bytes_max + 16 <= store_key_bytes_max);
static_assert(idempotency_key_bytes_max + 16 <= store_key_bytes_max);

}  // namespace limpet::limits
