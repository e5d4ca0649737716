/* tidewire.h: the Tidewire client for C.
 *
 * Made by `cargo xtask gen` from bindings-c/src. Do not edit.
 *
 * What holds for all of it:
 *
 * - A function that can fail returns TW_OK or the number of an error, one of TW_E_..., the same as in
 *   every language and on the wire. Its last argument is a tw_error **, which may be NULL; on failure
 *   it is given an error, to be freed by tw_error_free, and on success it is left alone.
 * - What a function gives through a pointer belongs to the caller, who frees it with the function
 *   that its comment names. What a function is given is only borrowed for the call, but for what a
 *   function named ..._free is given. Texts end with a NUL and are UTF-8;
 *   the bytes C0 80, with which some languages write a NUL within a text, are refused as a NUL.
 * - Any thread may call any function with any handle, at the same time as others. The exception is
 *   ..._free: nobody may use what is being freed, or anything within it.
 * - Handles of before a fork() fail in the child with TW_E_FORKED; the child connects anew.
 * - What is seen to be wrong, such as NULL, a handle of another kind, or one that is closed, is an
 *   error and does no harm. A handle that was freed is not always seen to be.
 * - Structs that are filled by the caller begin with their size, which ..._INIT sets together with
 *   "not set" for all that follows. Structs that the library makes begin with the size that it
 *   filled. Both may grow at their end; the other structs and the enumerations of #define keep their
 *   layout and their numbers.
 */

#ifndef TIDEWIRE_H
#define TIDEWIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "tidewire_constants.h"

/* A text in quotes as a tw_slice, without its NUL. */
#ifdef __cplusplus
#define TW_STR(text) (tw_slice{(text), sizeof(text) - 1})
#else
#define TW_STR(text) ((tw_slice){(text), sizeof(text) - 1})
#endif

/* As Arrow's C data interface has them, in Arrow's own guard. */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
  const char *format;
  const char *name;
  const char *metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema **children;
  struct ArrowSchema *dictionary;
  void (*release)(struct ArrowSchema *);
  void *private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void **buffers;
  struct ArrowArray **children;
  struct ArrowArray *dictionary;
  void (*release)(struct ArrowArray *);
  void *private_data;
};

#endif /* ARROW_C_DATA_INTERFACE */

/**
 * An error: a number, what may be concluded from it, and a text for people.
 *
 * It belongs to whoever received it through a `tw_error **`, and is freed by `tw_error_free`.
 * One within an event belongs to the event's list. Any number of threads may read it.
 */
typedef struct tw_error tw_error;

/**
 * A connection to a server, and all that is made from it. It makes the connection again when
 * it is lost. Any number of threads may use it; it is freed by `tw_client_free`.
 */
typedef struct tw_client tw_client;

/**
 * Makes blocked calls of other threads return. Any number of threads may use it; it is freed
 * by `tw_canceller_free`, also while calls are within it.
 */
typedef struct tw_canceller tw_canceller;

/**
 * The outcome of an enqueued record, to come. Freeing it changes nothing for the record. Any
 * thread may use it; it is freed by `tw_ticket_free`.
 */
typedef struct tw_ticket tw_ticket;

/**
 * Sends records to a topic. Any number of threads may use it; it is freed by
 * `tw_producer_free`.
 */
typedef struct tw_producer tw_producer;

/**
 * Receives a topic's records. Any number of threads may use it; it is freed by
 * `tw_consumer_free`.
 */
typedef struct tw_consumer tw_consumer;

/**
 * Consecutive records of one partition. What it shows never changes: any number of threads may
 * read it. It is freed by `tw_batch_free`, unless it is part of something else.
 */
typedef struct tw_batch tw_batch;


/**
 * An option of 32 bits that is not set.
 */
#define TW_UNSET UINT32_MAX

/**
 * An option of 64 bits that is not set.
 */
#define TW_UNSET64 UINT64_MAX

/**
 * Have `send` wait where the queue is full, and `enqueue` give the record back.
 */
#define TW_QUEUE_FULL_BLOCK 0

/**
 * Have both give it back.
 */
#define TW_QUEUE_FULL_ERROR 1

/**
 * Have it dropped; its outcome is `TW_E_QUEUE_FULL`.
 */
#define TW_QUEUE_FULL_DROP 2

/**
 * Store no offsets unless `tw_consumer_commit` and the like are called.
 */
#define TW_AUTO_COMMIT_OFF 0

/**
 * Store every `auto_commit_interval_ms` what is done: the batches before the one that was returned
 * last. At least once.
 */
#define TW_AUTO_COMMIT_INTERVAL 1

/**
 * Store what is done whenever the next batch is asked for. At least once.
 */
#define TW_AUTO_COMMIT_AFTER 2

/**
 * Store a batch before it is returned. At most once.
 */
#define TW_AUTO_COMMIT_BEFORE 3

/**
 * End a partition with an error where its records were deleted before they were read.
 */
#define TW_OUT_OF_RANGE_ERROR 0

/**
 * Go on at the first record that there is.
 */
#define TW_OUT_OF_RANGE_EARLIEST 1

/**
 * Go on at the end.
 */
#define TW_OUT_OF_RANGE_LATEST 2

/**
 * What `tw_client_start`, `tw_producer_start` or `tw_consumer_start` began is done: the handle
 * can be used, unless `error` says why not.
 */
#define TW_EVENT_OPENED 1

/**
 * `tw_producer_flush_start` is done; `error` is the first failure.
 */
#define TW_EVENT_FLUSHED 2

/**
 * `tw_producer_close_start` is done; `error` tells of records that were not acknowledged.
 */
#define TW_EVENT_CLOSED 3

/**
 * `tw_consumer_commit_start` is done.
 */
#define TW_EVENT_COMMITTED 4

/**
 * Records have their outcome: `record_count` of them from the number `first_number` on, at
 * consecutive offsets from `receipt` on, or all with `error`.
 */
#define TW_EVENT_SETTLED 5

/**
 * The consumer has something: call `tw_consumer_next_batch` until it gives nothing.
 */
#define TW_EVENT_READABLE 6

/**
 * A connection was made, to `address`.
 */
#define TW_EVENT_CONNECTED 16

/**
 * The connection to `address` has ended, for the reason `error`.
 */
#define TW_EVENT_DISCONNECTED 17

/**
 * `address` is about to be tried, for the `attempt`th time.
 */
#define TW_EVENT_RECONNECTING 18

/**
 * There will be no further attempt, for the reason `error`.
 */
#define TW_EVENT_GAVE_UP 19

/**
 * The server refused a batch for `topic` and `partition` for now, for the reason `error`; or, where
 * `topic` is empty, the client's user is over a rate that `error` names, and what it asks for is
 * carried out later.
 */
#define TW_EVENT_THROTTLED 20

/**
 * A member of `group` got `partitions` to read.
 */
#define TW_EVENT_PARTITIONS_ASSIGNED 21

/**
 * A member of `group` gives up `partitions`.
 */
#define TW_EVENT_PARTITIONS_REVOKED 22

/**
 * A member of `group` has lost `partitions`.
 */
#define TW_EVENT_PARTITIONS_LOST 23

/**
 * `missed` events of the kinds from `TW_EVENT_CONNECTED` on were lost here: nobody polled.
 */
#define TW_EVENT_MISSED 24

/**
 * Records of `partition` of `topic` were deleted before a consumer read them: it goes on at
 * `to_offset`, where `from_offset` was due, as its `on_out_of_range` says.
 */
#define TW_EVENT_RECORDS_SKIPPED 25

/**
 * One that this version has no number for.
 */
#define TW_EVENT_OTHER 255

/**
 * `tw_record.timestamp_us` counts.
 */
#define TW_RECORD_TIMESTAMP 1

/**
 * `tw_record.partition` counts.
 */
#define TW_RECORD_PARTITION 2

/**
 * What became of records of a partition that closing a producer waited for.
 */
typedef struct {
  /**
   * The partition.
   */
  uint32_t partition;
  /**
   * Zero.
   */
  uint32_t reserved;
  /**
   * Records that were certainly not appended.
   */
  uint64_t failed_records;
  /**
   * Records that may have been appended.
   */
  uint64_t unknown_records;
} tw_unsent;

/**
 * What a function returns: `TW_OK`, or the number of an error, one of `TW_E_…`.
 */
typedef int32_t tw_status;

/**
 * Options of a client. What is unset comes from the URL, then from the environment
 * (`TIDEWIRE_HEARTBEAT_MS`), then from the defaults.
 */
typedef struct {
  /**
   * Bytes of this struct; set by `TW_CLIENT_OPTIONS_INIT`.
   */
  size_t size;
  /**
   * A name for the server's logs; the program's if unset.
   */
  const char *client_name;
  /**
   * Who logs in; the user of the URL if unset. A token knows its user.
   */
  const char *user;
  /**
   * The password or token; that of `secret_file` or of the URL if unset.
   */
  const char *secret;
  /**
   * A file whose first line is the password or token, read at each connection.
   */
  const char *secret_file;
  /**
   * With a URL of `tidewire+tls://`, a file of the certificates that the server's has to lead
   * to; those that the system trusts if unset.
   */
  const char *tls_ca_file;
  /**
   * A file with a certificate that shows the server who the client is.
   */
  const char *tls_cert_file;
  /**
   * A file with the private key of `tls_cert_file`.
   */
  const char *tls_key_file;
  /**
   * `trust-any-server` believes whoever answers, so that anybody on the way can read and change
   * everything: for trials only.
   */
  const char *tls_danger;
  /**
   * Keys that batches are encrypted and read with, as `tidewire keygen` prints them, with commas
   * between them.
   */
  const char *encryption_keys;
  /**
   * A file with such keys, one a line; they are added to those of `encryption_keys`.
   */
  const char *encryption_key_file;
  /**
   * Time to reach a server and finish the handshake, for each address, in milliseconds.
   */
  uint32_t connect_timeout_ms;
  /**
   * Time until an unanswered request fails with its outcome unknown, in milliseconds: the bound
   * of every call that asks the server.
   */
  uint32_t request_timeout_ms;
  /**
   * Silence after which the server is asked for a sign of life, in milliseconds.
   */
  uint32_t heartbeat_ms;
  /**
   * Pause before what failed is tried again, in milliseconds; it doubles.
   */
  uint32_t retry_backoff_ms;
  /**
   * Longest such pause, in milliseconds.
   */
  uint32_t retry_backoff_max_ms;
  /**
   * Threads that all clients of the process share, 1 to 64; the first client decides.
   */
  uint32_t runtime_threads;
  /**
   * How long a thread that waits for one answer looks for it before it sleeps, in microseconds, while
   * answers have lately come within that time; 0 to 1,000, 0 never looks. The first client of the
   * process decides.
   */
  uint32_t busy_poll_us;
  /**
   * Not used yet; leave it as it is.
   */
  uint32_t reserved;
  /**
   * Given back with the client's events.
   */
  void *user_data;
} tw_client_options;

/**
 * What the server said of itself when the connection was made.
 */
typedef struct {
  /**
   * Bytes that this version of the library fills.
   */
  size_t size;
  /**
   * Its name.
   */
  const char *name;
  /**
   * Its version.
   */
  const char *version;
  /**
   * The address at which it was reached, `host:port`.
   */
  const char *address;
  /**
   * A number that stays with its data.
   */
  uint64_t id;
  /**
   * Largest frame, in bytes.
   */
  uint32_t max_frame_len;
  /**
   * Largest batch, in bytes.
   */
  uint32_t max_batch_len;
  /**
   * Most records in a batch.
   */
  uint32_t max_batch_records;
  /**
   * Most unanswered requests.
   */
  uint32_t max_in_flight;
  /**
   * Most open producers and subscribed partitions on one connection.
   */
  uint32_t max_channels;
  /**
   * Zero.
   */
  uint32_t reserved;
} tw_server_info;

/**
 * What became of a record.
 */
typedef struct {
  /**
   * Its offset in the partition.
   */
  uint64_t offset;
  /**
   * When it was appended, in microseconds since the Unix epoch; 0 for a duplicate by its id.
   */
  int64_t append_time_us;
  /**
   * Its partition.
   */
  uint32_t partition;
  /**
   * `TW_OK`, or why it was not acknowledged; then only the partition counts.
   */
  int32_t status;
  /**
   * What bits of `TW_DISPOSITION_…` say of that.
   */
  uint32_t disposition;
  /**
   * The promise that holds, at least the one asked for: one of `TW_ACKS_…`.
   */
  uint8_t acks;
  /**
   * Whether it was there already, or another record of its id was; the offset is that one's.
   */
  bool duplicate;
  /**
   * Zero.
   */
  uint16_t reserved;
} tw_receipt;

/**
 * A partition of a topic.
 */
typedef struct {
  /**
   * The topic, `stream/topic`.
   */
  const char *topic;
  /**
   * The partition.
   */
  uint32_t partition;
  /**
   * Zero.
   */
  uint32_t reserved;
} tw_topic_partition;

/**
 * Something that happened. What a kind does not speak of is NULL or zero.
 */
typedef struct {
  /**
   * Bytes that this version of the library fills.
   */
  size_t size;
  /**
   * One of `TW_EVENT_…`.
   */
  uint32_t kind;
  /**
   * Which attempt it is since the connection was lost, from 1.
   */
  uint32_t attempt;
  /**
   * The producer that it is about; NULL for others, and once it was freed.
   */
  tw_producer *producer;
  /**
   * The consumer that it is about; NULL for others, and once it was freed.
   */
  tw_consumer *consumer;
  /**
   * What was given for it: with the call that began it, else with the options of its handle.
   */
  void *user_data;
  /**
   * What went wrong, or NULL. It belongs to the list.
   */
  const tw_error *error;
  /**
   * Number of the first record.
   */
  uint64_t first_number;
  /**
   * How many records.
   */
  uint64_t record_count;
  /**
   * The receipt of the first record; the others have the offsets that follow.
   */
  tw_receipt receipt;
  /**
   * The server's address, `host:port`.
   */
  const char *address;
  /**
   * The topic, `stream/topic`.
   */
  const char *topic;
  /**
   * The group.
   */
  const char *group;
  /**
   * Partitions of a group's member.
   */
  const tw_topic_partition *partitions;
  /**
   * How many.
   */
  size_t partition_count;
  /**
   * How many events were lost.
   */
  uint64_t missed;
  /**
   * The partition.
   */
  uint32_t partition;
  /**
   * Zero.
   */
  uint32_t reserved;
  /**
   * The record that was due.
   */
  uint64_t from_offset;
  /**
   * The record at which it goes on.
   */
  uint64_t to_offset;
} tw_event;

/**
 * Events, the oldest of a kind first.
 */
typedef struct {
  /**
   * How many.
   */
  size_t count;
  /**
   * Pointers to them.
   */
  const tw_event *const *items;
} tw_events;

/**
 * Options of a producer.
 */
typedef struct {
  /**
   * Bytes of this struct; set by `TW_PRODUCER_OPTIONS_INIT`.
   */
  size_t size;
  /**
   * A name within the topic. Who opens the name again takes the place of whoever has it.
   */
  const char *name;
  /**
   * What an acknowledgement promises: one of `TW_ACKS_…`.
   */
  uint32_t acks;
  /**
   * How long enqueued records may wait for company, in milliseconds.
   */
  uint32_t linger_ms;
  /**
   * Size at which a batch is sent without waiting further, in bytes.
   */
  uint32_t batch_bytes;
  /**
   * Record count at which a batch is sent without waiting further.
   */
  uint32_t batch_records;
  /**
   * Bound of the records that wait to be sent or acknowledged, in bytes.
   */
  uint32_t queue_bytes;
  /**
   * Unacknowledged batches that a partition may have on the wire.
   */
  uint32_t max_in_flight;
  /**
   * Compression of batches, in place of the topic's: one of `TW_CODEC_…`.
   */
  uint32_t codec;
  /**
   * Time from enqueueing a record to its outcome, in milliseconds, with all retries.
   */
  uint32_t delivery_timeout_ms;
  /**
   * What happens to a record for which the queue has no room: one of `TW_QUEUE_FULL_…`.
   */
  uint32_t queue_full;
  /**
   * Number of the client's key that batches are encrypted with; 0, as if unset, encrypts nothing.
   */
  uint32_t encryption_key_id;
  /**
   * 1 to have the outcomes of all records told by `tw_client_poll`, as events of the kind
   * `TW_EVENT_SETTLED`. Whoever sets it polls: with 65,536 of them waiting, no more records
   * are taken.
   */
  uint32_t completions;
  /**
   * Given back with the producer's events.
   */
  void *user_data;
} tw_producer_options;

/**
 * Bytes somewhere, with their number. `data` NULL is "none", which is not the same as no bytes.
 */
typedef struct {
  /**
   * Where they are.
   */
  const void *data;
  /**
   * How many there are.
   */
  size_t len;
} tw_slice;

/**
 * A header of a record: a name in UTF-8, 1 to 65,535 bytes, and a value.
 */
typedef struct {
  /**
   * Its name.
   */
  tw_slice name;
  /**
   * Its value.
   */
  tw_slice value;
} tw_header;

/**
 * A record to send. Everything it points to is the caller's, and copied before the call returns.
 * All zeros is a record without key, value or headers.
 */
typedef struct {
  /**
   * The key; decides the partition unless one is named. NULL is no key.
   */
  tw_slice key;
  /**
   * The value; NULL is a tombstone.
   */
  tw_slice value;
  /**
   * Headers in order; names may repeat.
   */
  const tw_header *headers;
  /**
   * How many.
   */
  size_t header_count;
  /**
   * 16 bytes by which the server finds duplicates, in a topic with `dedup_window_ms`; NULL is
   * no id.
   */
  const uint8_t *id;
  /**
   * Microseconds since the Unix epoch; the time of the call unless `set` has
   * `TW_RECORD_TIMESTAMP`.
   */
  int64_t timestamp_us;
  /**
   * The partition; left to the key or the producer unless `set` has `TW_RECORD_PARTITION`.
   */
  uint32_t partition;
  /**
   * Which of the two above count.
   */
  uint32_t set;
} tw_record;

/**
 * What a producer did so far, and what waits.
 */
typedef struct {
  /**
   * Bytes of this struct; set by `TW_PRODUCER_STATS_INIT`.
   */
  size_t size;
  /**
   * Records without an outcome.
   */
  uint64_t queued_records;
  /**
   * Their bytes, as they count against `queue_bytes`.
   */
  uint64_t queued_bytes;
  /**
   * Batches on the wire that are not answered.
   */
  uint64_t in_flight_batches;
  /**
   * Batches sent, each time counted.
   */
  uint64_t sent_batches;
  /**
   * Their bytes.
   */
  uint64_t sent_bytes;
  /**
   * Of them, those that had been sent before.
   */
  uint64_t retried_batches;
  /**
   * Batches that an earlier sending had appended already.
   */
  uint64_t duplicate_batches;
  /**
   * Records acknowledged.
   */
  uint64_t acknowledged_records;
  /**
   * Records that were certainly not appended.
   */
  uint64_t failed_records;
  /**
   * Records whose outcome is unknown.
   */
  uint64_t unknown_records;
  /**
   * Records dropped because the queue was full, with `TW_QUEUE_FULL_DROP`.
   */
  uint64_t dropped_records;
} tw_producer_stats;

/**
 * A partition, and an offset in it.
 */
typedef struct {
  /**
   * The partition.
   */
  uint32_t partition;
  /**
   * Zero.
   */
  uint32_t reserved;
  /**
   * The offset.
   */
  uint64_t offset;
} tw_partition_offset;

/**
 * Options of a consumer.
 */
typedef struct {
  /**
   * Bytes of this struct; set by `TW_CONSUMER_OPTIONS_INIT`.
   */
  size_t size;
  /**
   * The group to be a member of; NULL reads without one.
   */
  const char *group;
  /**
   * Without a group, a name under which offsets are stored; NULL is none.
   */
  const char *name;
  /**
   * With a group, further topics to read.
   */
  const char *const *topics;
  /**
   * How many.
   */
  size_t topic_count;
  /**
   * Without a group, which partitions to read; NULL is all of them.
   */
  const uint32_t *partitions;
  /**
   * How many.
   */
  size_t partition_count;
  /**
   * Without a group, where to begin in single partitions.
   */
  const tw_partition_offset *offsets;
  /**
   * How many.
   */
  size_t offset_count;
  /**
   * Where to begin, in a group where nothing is stored: one of `TW_START_…`.
   */
  uint32_t start;
  /**
   * Bound of the batches that were delivered but not yet taken, in bytes.
   */
  uint32_t prefetch_bytes;
  /**
   * What stands beside `start`: an offset, a time in microseconds since the Unix epoch, or a
   * number of records.
   */
  uint64_t start_at;
  /**
   * A name that keeps the member's place in its group while its program is restarted.
   */
  const char *member_name;
  /**
   * How long the group waits for a member whose connection is lost, in milliseconds.
   */
  uint32_t session_timeout_ms;
  /**
   * How long the group waits for a member to let go of a partition, in milliseconds.
   */
  uint32_t rebalance_timeout_ms;
  /**
   * When offsets are stored by themselves: one of `TW_AUTO_COMMIT_…`.
   */
  uint32_t auto_commit;
  /**
   * How often, in milliseconds.
   */
  uint32_t auto_commit_interval_ms;
  /**
   * What happens where records were deleted before they were read: one of
   * `TW_OUT_OF_RANGE_…`.
   */
  uint32_t on_out_of_range;
  /**
   * Not used yet; leave it as it is.
   */
  uint32_t reserved;
  /**
   * Given back with the consumer's events.
   */
  void *user_data;
} tw_consumer_options;

/**
 * What a consumer reads: its partitions, and where it stands in them.
 */
typedef struct {
  /**
   * Bytes that this version of the library fills.
   */
  size_t size;
  /**
   * The topic, `stream/topic`.
   */
  const char *topic;
  /**
   * The partition.
   */
  uint32_t partition;
  /**
   * Whether it is known what is stored for the consumer's group or name: 1 or 0.
   */
  uint32_t stored;
  /**
   * Offset of the record that the consumer returns next.
   */
  uint64_t next_offset;
  /**
   * Offset after the partition's last record, as far as it is known.
   */
  uint64_t end_offset;
  /**
   * What is stored, if `stored`.
   */
  uint64_t stored_offset;
} tw_position;

/**
 * Positions, by partition.
 */
typedef struct {
  /**
   * How many.
   */
  size_t count;
  /**
   * Pointers to them.
   */
  const tw_position *const *items;
} tw_positions;

/**
 * What a consumer did so far, and what it holds.
 */
typedef struct {
  /**
   * Bytes of this struct; set by `TW_CONSUMER_STATS_INIT`.
   */
  size_t size;
  /**
   * Partitions that it reads.
   */
  uint64_t partitions;
  /**
   * Those that are subscribed on the current connection.
   */
  uint64_t live_partitions;
  /**
   * Bytes of batches that were delivered and not yet taken.
   */
  uint64_t buffered_bytes;
  /**
   * Batches taken.
   */
  uint64_t batches;
  /**
   * Their bytes, as they travelled.
   */
  uint64_t bytes;
  /**
   * How often a partition was subscribed again.
   */
  uint64_t resubscriptions;
  /**
   * Offsets that were left out because their records were deleted before they were read.
   */
  uint64_t skipped_offsets;
  /**
   * Offsets that were stored, by hand or by themselves.
   */
  uint64_t stored_offsets;
} tw_consumer_stats;

/**
 * A record of a batch. All that it points to belongs to the batch and lives as long.
 */
typedef struct {
  /**
   * Its offset in the partition.
   */
  uint64_t offset;
  /**
   * Its producer's time, in microseconds since the Unix epoch.
   */
  int64_t timestamp_us;
  /**
   * Its key; NULL is no key.
   */
  tw_slice key;
  /**
   * Its value; NULL is a tombstone.
   */
  tw_slice value;
  /**
   * Its headers, for `tw_header_next`.
   */
  tw_slice headers;
} tw_record_view;

/**
 * How much a fetch returns, and how long it waits for it.
 */
typedef struct {
  /**
   * Bytes of this struct; set by `TW_FETCH_OPTIONS_INIT`.
   */
  size_t size;
  /**
   * Most bytes to return; 1 MiB if unset. The first batch is returned whatever its size.
   */
  uint32_t max_bytes;
  /**
   * Wait until there are this many bytes.
   */
  uint32_t min_bytes;
  /**
   * Longest wait for `min_bytes`, in milliseconds, up to 60,000.
   */
  uint32_t max_wait_ms;
  /**
   * Not used yet; leave it as it is.
   */
  uint32_t reserved;
} tw_fetch_options;

/**
 * What a fetch read.
 */
typedef struct {
  /**
   * Bytes that this version of the library fills.
   */
  size_t size;
  /**
   * Offset of the partition's first record.
   */
  uint64_t start_offset;
  /**
   * Offset after the last record that could be read.
   */
  uint64_t end_offset;
  /**
   * The offset to fetch next.
   */
  uint64_t next_offset;
  /**
   * How many batches.
   */
  size_t batch_count;
  /**
   * Batches in order; the first begins at the offset asked for, or after it. They belong to this
   * struct.
   */
  const tw_batch *const *batches;
} tw_fetched;

/**
 * A stream.
 */
typedef struct {
  /**
   * Bytes that this version of the library fills.
   */
  size_t size;
  /**
   * Its name.
   */
  const char *name;
  /**
   * Its number, never reused.
   */
  uint64_t id;
  /**
   * When it was created, in microseconds since the Unix epoch.
   */
  int64_t created_us;
  /**
   * How many topics it has.
   */
  uint32_t topics;
  /**
   * Zero.
   */
  uint32_t reserved;
} tw_stream_info;

/**
 * Streams, by name.
 */
typedef struct {
  /**
   * How many.
   */
  size_t count;
  /**
   * Pointers to them.
   */
  const tw_stream_info *const *items;
} tw_streams;

/**
 * Options of a topic.
 */
typedef struct {
  /**
   * Bytes of this struct; set by `TW_TOPIC_OPTIONS_INIT`.
   */
  size_t size;
  /**
   * Number of partitions, 1 to 100,000.
   */
  uint32_t partitions;
  /**
   * Compression by producers that do not choose for themselves: one of `TW_CODEC_…`.
   */
  uint32_t codec;
  /**
   * Size at which a partition's log begins a new file, in bytes.
   */
  uint64_t segment_bytes;
  /**
   * Age at which records may be deleted, in milliseconds; 0 keeps them for ever.
   */
  uint64_t retention_ms;
  /**
   * Size of a partition's log above which its oldest files are deleted, in bytes; 0 is
   * unlimited.
   */
  uint64_t retention_bytes;
  /**
   * How long ids of records are remembered, in milliseconds; 0 is not at all.
   */
  uint64_t dedup_window_ms;
} tw_topic_options;

/**
 * A topic.
 */
typedef struct {
  /**
   * Bytes that this version of the library fills.
   */
  size_t size;
  /**
   * The stream that it belongs to.
   */
  const char *stream;
  /**
   * Its name within the stream.
   */
  const char *name;
  /**
   * Its number, never reused.
   */
  uint64_t id;
  /**
   * When it was created, in microseconds since the Unix epoch.
   */
  int64_t created_us;
  /**
   * How many partitions it has.
   */
  uint32_t partitions;
  /**
   * Compression by producers that do not choose for themselves: one of `TW_CODEC_…`.
   */
  uint32_t codec;
  /**
   * Size at which a partition's log begins a new file, in bytes.
   */
  uint64_t segment_bytes;
  /**
   * Age at which records may be deleted, in milliseconds; 0 is never.
   */
  uint64_t retention_ms;
  /**
   * Size of a partition above which its oldest records may be deleted, in bytes; 0 is never.
   */
  uint64_t retention_bytes;
  /**
   * How long ids of records are remembered, in milliseconds; 0 is not at all.
   */
  uint64_t dedup_window_ms;
} tw_topic_info;

/**
 * Topics, by name.
 */
typedef struct {
  /**
   * How many.
   */
  size_t count;
  /**
   * Pointers to them.
   */
  const tw_topic_info *const *items;
} tw_topics;

/**
 * A partition.
 */
typedef struct {
  /**
   * Bytes that this version of the library fills.
   */
  size_t size;
  /**
   * Its number, from 0.
   */
  uint32_t partition;
  /**
   * The server's shard that owns it.
   */
  uint32_t shard;
  /**
   * Offset of its first record.
   */
  uint64_t start_offset;
  /**
   * Offset after its last record.
   */
  uint64_t end_offset;
  /**
   * Offset after its last record that is on the disk.
   */
  uint64_t synced_offset;
  /**
   * Size of its log, in bytes.
   */
  uint64_t size_bytes;
  /**
   * Files of its log.
   */
  uint32_t segments;
  /**
   * Why it does not take appends: one of `TW_E_…`, or 0.
   */
  int32_t error;
} tw_partition_info;

/**
 * Partitions, by number.
 */
typedef struct {
  /**
   * How many.
   */
  size_t count;
  /**
   * Pointers to them.
   */
  const tw_partition_info *const *items;
} tw_partitions;

/**
 * A named producer of a topic.
 */
typedef struct {
  /**
   * Bytes that this version of the library fills.
   */
  size_t size;
  /**
   * Its name within the topic.
   */
  const char *name;
  /**
   * Its id.
   */
  uint64_t producer_id;
  /**
   * When it was opened last, in microseconds since the Unix epoch.
   */
  int64_t opened_us;
  /**
   * How often it was opened.
   */
  uint32_t producer_epoch;
  /**
   * Zero.
   */
  uint32_t reserved;
} tw_producer_info;

/**
 * Named producers, by name.
 */
typedef struct {
  /**
   * How many.
   */
  size_t count;
  /**
   * Pointers to them.
   */
  const tw_producer_info *const *items;
} tw_producers;

/**
 * A group.
 */
typedef struct {
  /**
   * Bytes that this version of the library fills.
   */
  size_t size;
  /**
   * Its name.
   */
  const char *name;
  /**
   * When it was created, in microseconds since the Unix epoch.
   */
  int64_t created_us;
  /**
   * What it is doing: one of `TW_GROUPSTATE_…`.
   */
  uint32_t state;
  /**
   * Counts how often its partitions were divided anew.
   */
  uint32_t generation;
  /**
   * How many members it has.
   */
  uint32_t members;
  /**
   * How many partitions its members divide among them.
   */
  uint32_t partitions;
  /**
   * Of how many partitions it has stored offsets.
   */
  uint32_t offsets;
  /**
   * Zero.
   */
  uint32_t reserved;
} tw_group_info;

/**
 * Groups, by name.
 */
typedef struct {
  /**
   * How many.
   */
  size_t count;
  /**
   * Pointers to them.
   */
  const tw_group_info *const *items;
} tw_groups;

/**
 * A member of a group.
 */
typedef struct {
  /**
   * Bytes that this version of the library fills.
   */
  size_t size;
  /**
   * Its number, never used again in the group.
   */
  uint64_t member_id;
  /**
   * The name that keeps its place; empty if it has none.
   */
  const char *member_name;
  /**
   * The name of its client.
   */
  const char *client_name;
  /**
   * Where it is connected from; empty while it is away.
   */
  const char *address;
  /**
   * Counts the instances that took this place.
   */
  uint32_t member_epoch;
  /**
   * Whether it has a connection: 1 or 0.
   */
  uint32_t connected;
  /**
   * How long it is waited for, in milliseconds.
   */
  uint32_t session_timeout_ms;
  /**
   * How long it may take to release a partition, in milliseconds.
   */
  uint32_t rebalance_timeout_ms;
  /**
   * How many partitions it has.
   */
  uint32_t partitions;
  /**
   * Zero.
   */
  uint32_t reserved;
} tw_group_member;

/**
 * A partition that a group divides, or has an offset of.
 */
typedef struct {
  /**
   * Bytes that this version of the library fills.
   */
  size_t size;
  /**
   * The stream.
   */
  const char *stream;
  /**
   * The topic.
   */
  const char *topic;
  /**
   * The partition.
   */
  uint32_t partition;
  /**
   * Whether its member was asked to release it: 1 or 0.
   */
  uint32_t revoking;
  /**
   * The member that has it; 0 is nobody.
   */
  uint64_t member_id;
  /**
   * Offset of the next record to read, if `stored`.
   */
  uint64_t offset;
  /**
   * When it was stored, in microseconds since the Unix epoch.
   */
  int64_t commit_us;
  /**
   * Whether there is an offset: 1 or 0.
   */
  uint32_t stored;
  /**
   * Zero.
   */
  uint32_t reserved;
} tw_group_partition;

/**
 * A group, its members and what they do.
 */
typedef struct {
  /**
   * Bytes that this version of the library fills.
   */
  size_t size;
  /**
   * The group.
   */
  const tw_group_info *info;
  /**
   * How many members.
   */
  size_t member_count;
  /**
   * Its members, by number.
   */
  const tw_group_member *const *members;
  /**
   * How many partitions.
   */
  size_t partition_count;
  /**
   * Partitions that members read, or that have offsets, by stream, topic and number.
   */
  const tw_group_partition *const *partitions;
} tw_group_description;

/**
 * An offset that is stored for a partition.
 */
typedef struct {
  /**
   * Bytes that this version of the library fills.
   */
  size_t size;
  /**
   * The partition.
   */
  uint32_t partition;
  /**
   * Zero.
   */
  uint32_t reserved;
  /**
   * Offset of the next record to read.
   */
  uint64_t offset;
  /**
   * When it was stored, in microseconds since the Unix epoch; 0 if that was not told.
   */
  int64_t commit_us;
  /**
   * What the consumer keeps beside it.
   */
  const char *note;
} tw_committed;

/**
 * Stored offsets, by partition; those without one are left out.
 */
typedef struct {
  /**
   * How many.
   */
  size_t count;
  /**
   * Pointers to them.
   */
  const tw_committed *const *items;
} tw_offsets;

/**
 * A user.
 */
typedef struct {
  /**
   * Bytes that this version of the library fills.
   */
  size_t size;
  /**
   * Its name.
   */
  const char *name;
  /**
   * Its number, never reused.
   */
  uint64_t id;
  /**
   * When it was created, in microseconds since the Unix epoch.
   */
  int64_t created_us;
  /**
   * Whether it may log in: 1 or 0.
   */
  uint32_t enabled;
  /**
   * Whether it has a password: 1 or 0.
   */
  uint32_t password;
  /**
   * How many tokens it has.
   */
  uint32_t tokens;
  /**
   * Zero.
   */
  uint32_t reserved;
} tw_user_info;

/**
 * A user and what it may do.
 */
typedef struct {
  /**
   * Bytes that this version of the library fills.
   */
  size_t size;
  /**
   * The user.
   */
  const tw_user_info *user;
  /**
   * How many grants; `root` may do everything, and has none.
   */
  size_t grant_count;
  /**
   * Texts such as `read,write topic shop/orders`.
   */
  const char *const *grants;
} tw_user_description;

/**
 * Users, by name.
 */
typedef struct {
  /**
   * How many.
   */
  size_t count;
  /**
   * Pointers to them.
   */
  const tw_user_info *const *items;
} tw_users;

/**
 * What a user may do.
 */
typedef struct {
  /**
   * How many.
   */
  size_t count;
  /**
   * Texts such as `read,write topic shop/orders`.
   */
  const char *const *items;
} tw_grants;

/**
 * A token, without what logs in.
 */
typedef struct {
  /**
   * Bytes that this version of the library fills.
   */
  size_t size;
  /**
   * Its number, never reused.
   */
  uint64_t id;
  /**
   * What it is called.
   */
  const char *name;
  /**
   * The user that it stands for.
   */
  const char *user;
  /**
   * When it was created, in microseconds since the Unix epoch.
   */
  int64_t created_us;
  /**
   * When it ends, in microseconds since the Unix epoch; 0 is never.
   */
  int64_t expires_us;
} tw_token_info;

/**
 * A token that was just created.
 */
typedef struct {
  /**
   * Bytes that this version of the library fills.
   */
  size_t size;
  /**
   * What the server knows of it.
   */
  const tw_token_info *token;
  /**
   * What logs in. Nobody else knows it, and it is not kept anywhere.
   */
  const char *secret;
} tw_new_token;

/**
 * Tokens, by number.
 */
typedef struct {
  /**
   * How many.
   */
  size_t count;
  /**
   * Pointers to them.
   */
  const tw_token_info *const *items;
} tw_tokens;

/**
 * A limit that the server enforces.
 */
typedef struct {
  /**
   * Bytes that this version of the library fills.
   */
  size_t size;
  /**
   * Its name, in the server's configuration or in the protocol.
   */
  const char *name;
  /**
   * How much is allowed; 0 is no limit.
   */
  uint64_t value;
  /**
   * What is counted, such as `bytes`.
   */
  const char *unit;
  /**
   * How much is used now, by who asks where it is a user's, an address's or a shard's; 0 where
   * that is not counted, or not for this user to know.
   */
  uint64_t used;
  /**
   * Whether the server's configuration sets it, 1 or 0; otherwise the protocol does.
   */
  uint32_t configured;
  /**
   * Zero.
   */
  uint32_t reserved;
} tw_limit_info;

/**
 * Limits: first those that the server's configuration sets, then those of the protocol.
 */
typedef struct {
  /**
   * How many.
   */
  size_t count;
  /**
   * Pointers to them.
   */
  const tw_limit_info *const *items;
} tw_limits;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The error's number, one of `TW_E_…`; 0 for NULL.
 */
int32_t tw_error_code(const tw_error *error);

/**
 * What may be concluded from it, whatever the number: bits of `TW_DISPOSITION_…`; 0 for NULL.
 */
uint32_t tw_error_disposition(const tw_error *error);

/**
 * What happened, for people, naming the object and the limit. UTF-8 that ends with a NUL, and
 * lives as long as the error; an empty text for NULL.
 */
const char *tw_error_message(const tw_error *error);

/**
 * Whether nothing happened and the same call may succeed later.
 */
bool tw_error_is_retriable(const tw_error *error);

/**
 * Whether nobody knows if what was asked for was done.
 */
bool tw_error_is_outcome_unknown(const tw_error *error);

/**
 * The group that the error belongs to, such as "not_found": one of those in the reference of
 * errors. Static; an empty text for NULL.
 */
const char *tw_error_kind(const tw_error *error);

/**
 * With `TW_E_OFFSET_OUT_OF_RANGE`, the offsets that the partition does hold, where they could be
 * learnt: from its first record to after its last. Returns whether they are known; only then
 * `first` and `next`, which may be NULL, are set.
 */
bool tw_error_offsets(const tw_error *error, uint64_t *first, uint64_t *next);

/**
 * With an error of `tw_producer_close`, how many partitions have records that were not
 * acknowledged; 0 otherwise.
 */
size_t tw_error_unsent_count(const tw_error *error);

/**
 * One of those partitions. Returns false, and sets nothing, past the last.
 */
bool tw_error_unsent(const tw_error *error, size_t index, tw_unsent *unsent);

/**
 * Frees an error. NULL is nothing to free.
 */
void tw_error_free(tw_error *error);

/**
 * The name of an error's number, such as "TOPIC_NOT_FOUND". Static; NULL if the number is not
 * known to this version, and "OK" for 0.
 */
const char *tw_error_name(int32_t code);

/**
 * Connects to the first server of `url` that can be reached, such as
 * `tidewire://host:8433,host2:8433/?linger_ms=1`; NULL is `tidewire://127.0.0.1:8433`. `options`
 * may be NULL. It waits up to `connect_timeout_ms` for each server.
 *
 * `*client` belongs to the caller; on failure it is NULL. Any thread may call this.
 */
tw_status tw_client_connect(const char *url,
                            const tw_client_options *options,
                            tw_client **client,
                            tw_error **err);

/**
 * As `tw_client_connect`, without waiting: `tw_client_poll` tells with `TW_EVENT_OPENED` when the
 * client is connected, or with the event's error that it cannot be. Until then only
 * `tw_client_fd`, `tw_client_poll` and `tw_client_free` may be called for it; others fail with
 * `TW_E_INVALID_ARGUMENT`.
 *
 * `*client` belongs to the caller, also if the event has an error.
 */
tw_status tw_client_start(const char *url,
                          const tw_client_options *options,
                          tw_client **client,
                          tw_error **err);

/**
 * From now on `tw_client_poll` tells what happens to the connection, too: events of the kinds
 * from `TW_EVENT_CONNECTED` on. Of those that nobody polls, the latest 1,024 are kept.
 */
tw_status tw_client_watch(const tw_client *client, tw_error **err);

/**
 * What the server said of itself; without a connection, what the last one said. It does not wait.
 *
 * `*info` belongs to the caller, and is freed by `tw_server_info_free`.
 */
tw_status tw_client_server(const tw_client *client, tw_server_info **info, tw_error **err);

/**
 * Frees what `tw_client_server` gave. NULL is nothing to free.
 */
void tw_server_info_free(tw_server_info *info);

/**
 * Asks the server for a sign of life; `round_trip_us`, which may be NULL, is the time that it
 * took, in microseconds. It waits up to `request_timeout_ms`.
 */
tw_status tw_client_ping(const tw_client *client, uint64_t *round_trip_us, tw_error **err);

/**
 * Closes the connection, for all that was made from this client: their calls fail with
 * `TW_E_CLOSED` from then on, and those that wait end. Close producers first to have their
 * records acknowledged. The handle is still to be freed.
 */
tw_status tw_client_close(const tw_client *client, tw_error **err);

/**
 * Frees a client; NULL is nothing to free. It does not close the connection while something that
 * was made from it is still there, which goes on; its events end. No other thread may use the
 * handle any more.
 */
void tw_client_free(tw_client *client);

/**
 * A canceller, or NULL if there is no memory. It belongs to the caller.
 */
tw_canceller *tw_canceller_new(void);

/**
 * From now on, every blocking call of the calling thread ends with `TW_E_INTERRUPTED` once
 * `canceller` is cancelled. It takes the place of one that the thread entered before; NULL is
 * none. Whoever enters leaves again, by entering NULL.
 */
tw_status tw_canceller_enter(const tw_canceller *canceller, tw_error **err);

/**
 * Interrupts every blocking call within the canceller, on whatever threads, and all that will be.
 */
void tw_canceller_cancel(const tw_canceller *canceller);

/**
 * Frees a canceller; NULL is nothing to free.
 */
void tw_canceller_free(tw_canceller *canceller);

/**
 * The version of the library, such as "0.1.0". Static.
 */
const char *tw_version(void);

/**
 * A descriptor to watch for being readable, with poll, epoll, kqueue or libuv: there is
 * something for `tw_client_poll`. It stays readable until that has told everything.
 *
 * It belongs to the client, is the same with each call, and ends when the client is freed; do not
 * read from it or close it. Any thread may call this.
 */
tw_status tw_client_fd(const tw_client *client, int32_t *fd, tw_error **err);

/**
 * Tells what happened to a client and to what was made from it: up to `max` events (at least 1),
 * waiting up to `timeout_ms` for the first one, without end if negative, not at all if 0. In time
 * without an event, the list is empty.
 *
 * The list belongs to the caller, and is freed by `tw_events_free`. What waits is told once. Any
 * thread may call this; of several, one at a time should.
 */
tw_status tw_client_poll(const tw_client *client,
                         int64_t timeout_ms,
                         size_t max,
                         tw_events **events,
                         tw_error **err);

/**
 * Frees a list of events, and the errors within it. NULL is nothing to free.
 */
void tw_events_free(tw_events *events);

/**
 * The ticket's number: 0 for the producer's first record, then rising by one with each that was
 * taken. `TW_EVENT_SETTLED` speaks of it. 0 for NULL.
 */
uint64_t tw_ticket_number(const tw_ticket *ticket);

/**
 * Waits for the outcome for up to `timeout_ms`, without end if negative; 0 only asks. Every
 * record has its outcome within the producer's `delivery_timeout_ms`.
 *
 * Returns the record's error, if it has one, or `TW_E_TIMEOUT` with the outcome still to come;
 * `receipt`, which may be NULL, tells the two apart: its status is the record's own, and
 * `TW_E_WOULD_BLOCK` while there is no outcome.
 */
tw_status tw_ticket_wait(const tw_ticket *ticket,
                         int64_t timeout_ms,
                         tw_receipt *receipt,
                         tw_error **err);

/**
 * Frees a ticket; NULL is nothing to free.
 */
void tw_ticket_free(tw_ticket *ticket);

/**
 * Opens a producer for `topic`, such as `stream/topic`. `options` may be NULL.
 *
 * `*producer` belongs to the caller, and may outlive the client's handle; on failure it is NULL.
 * It waits up to `request_timeout_ms`.
 */
tw_status tw_producer_open(const tw_client *client,
                           const char *topic,
                           const tw_producer_options *options,
                           tw_producer **producer,
                           tw_error **err);

/**
 * As `tw_producer_open`, without waiting: `tw_client_poll` tells with `TW_EVENT_OPENED` when it is
 * open, or with the event's error that it cannot be opened. Until then only `tw_producer_free` may
 * be called for it; others fail with `TW_E_INVALID_ARGUMENT`.
 *
 * `*producer` belongs to the caller, also if the event has an error.
 */
tw_status tw_producer_start(const tw_client *client,
                            const char *topic,
                            const tw_producer_options *options,
                            tw_producer **producer,
                            tw_error **err);

/**
 * Puts a record into the queue, without waiting. It is sent when its batch is full, after
 * `linger_ms`, or with the next send or flush. `number`, which may be NULL, is the number by which
 * `TW_EVENT_SETTLED` speaks of it; without events, `tw_producer_flush` tells whether all went well.
 *
 * Everything in `record` is copied before the call returns. Any thread may call this.
 *
 * Errors: `TW_E_QUEUE_FULL` if there is no room (see `tw_producer_ready`),
 * `TW_E_RECORD_TOO_LARGE`, `TW_E_PARTITION_NOT_FOUND`, `TW_E_INVALID_ARGUMENT`; the producer goes
 * on. `TW_E_CLOSED`, or why the producer has ended.
 */
tw_status tw_producer_enqueue(const tw_producer *producer,
                              const tw_record *record,
                              uint64_t *number,
                              tw_error **err);

/**
 * As `tw_producer_enqueue`, with a ticket that can be waited for. `*ticket` belongs to the caller;
 * on failure it is NULL.
 */
tw_status tw_producer_enqueue_ticket(const tw_producer *producer,
                                     const tw_record *record,
                                     tw_ticket **ticket,
                                     tw_error **err);

/**
 * Puts many records into the queue with one call, in order and without waiting. `numbers`, which
 * may be NULL, has room for `count` numbers. `*taken`, which may not be NULL, is how many were
 * taken: fewer than `count` only on failure, which is then that of `records[*taken]`.
 */
tw_status tw_producer_enqueue_many(const tw_producer *producer,
                                   const tw_record *records,
                                   size_t count,
                                   uint64_t *numbers,
                                   size_t *taken,
                                   tw_error **err);

/**
 * Waits until the queue has room, for up to `timeout_ms`, without end if negative: then
 * `TW_E_TIMEOUT`. With several threads enqueueing, another may be faster.
 */
tw_status tw_producer_ready(const tw_producer *producer, int64_t timeout_ms, tw_error **err);

/**
 * Sends a record and waits for its acknowledgement: first for room in the queue, unless
 * `queue_full` says otherwise, then up to `delivery_timeout_ms`. It does not linger. `receipt` may
 * be NULL.
 *
 * If the error's outcome is unknown (`tw_error_is_outcome_unknown`), the record may be there or
 * not, as after `TW_E_INTERRUPTED`; after any other error it certainly is not.
 */
tw_status tw_producer_send(const tw_producer *producer,
                           const tw_record *record,
                           tw_receipt *receipt,
                           tw_error **err);

/**
 * Sends many records and waits until each has its outcome: for room in the queue, unless
 * `queue_full` says otherwise, and then up to `delivery_timeout_ms`. `receipts`, which may be
 * NULL, has room for `count`; the status of each is that of its record, and those that were not
 * tried have `TW_E_INTERRUPTED`.
 *
 * Returns `TW_OK` if all were acknowledged, else the first failure.
 */
tw_status tw_producer_send_batch(const tw_producer *producer,
                                 const tw_record *records,
                                 size_t count,
                                 tw_receipt *receipts,
                                 tw_error **err);

/**
 * Sends all that is enqueued and waits, for up to `timeout_ms`, without end if negative, until it
 * has its outcome. Returns the first failure since the last flush that no ticket or event has
 * told; `TW_E_TIMEOUT` when the time is over, and the rest goes on being sent.
 */
tw_status tw_producer_flush(const tw_producer *producer, int64_t timeout_ms, tw_error **err);

/**
 * As `tw_producer_flush`, without waiting: `tw_client_poll` tells the end with
 * `TW_EVENT_FLUSHED`, which has this `user_data`.
 */
tw_status tw_producer_flush_start(const tw_producer *producer, void *user_data, tw_error **err);

/**
 * Takes no more records, flushes, and closes the producer on the server. It waits up to
 * `timeout_ms`, after which what is left fails; without end if negative, though every record has
 * its outcome within `delivery_timeout_ms`. The handle is still to be freed.
 *
 * Returns the first failure; `tw_error_unsent` tells how many records of which partitions were not
 * acknowledged.
 */
tw_status tw_producer_close(const tw_producer *producer,
                            int64_t timeout_ms,
                            tw_error **err);

/**
 * As `tw_producer_close`, without waiting: `tw_client_poll` tells the end with
 * `TW_EVENT_CLOSED`, which has this `user_data`.
 */
tw_status tw_producer_close_start(const tw_producer *producer,
                                  int64_t timeout_ms,
                                  void *user_data,
                                  tw_error **err);

/**
 * How many partitions the topic had when the producer was opened; 0 if it is not open.
 */
uint32_t tw_producer_partitions(const tw_producer *producer);

/**
 * Fills `stats`, which begins with `TW_PRODUCER_STATS_INIT`. It does not ask the server.
 */
tw_status tw_producer_get_stats(const tw_producer *producer,
                                tw_producer_stats *stats,
                                tw_error **err);

/**
 * Frees a producer; NULL is nothing to free. What was enqueued is still sent, without anybody
 * being told; call `tw_producer_close` first to know. No other thread may use the handle any more.
 */
void tw_producer_free(tw_producer *producer);

/**
 * Opens a consumer of `topic`, such as `stream/topic`; with the option `group` it joins the group.
 * `options` may be NULL.
 *
 * `*consumer` belongs to the caller, and may outlive the client's handle; on failure it is NULL.
 * It waits up to `request_timeout_ms`.
 */
tw_status tw_consumer_open(const tw_client *client,
                           const char *topic,
                           const tw_consumer_options *options,
                           tw_consumer **consumer,
                           tw_error **err);

/**
 * As `tw_consumer_open`, without waiting: `tw_client_poll` tells with `TW_EVENT_OPENED` when it is
 * open, or with the event's error that it cannot be opened. Until then only `tw_consumer_free` may
 * be called for it; others fail with `TW_E_INVALID_ARGUMENT`.
 *
 * `*consumer` belongs to the caller, also if the event has an error.
 */
tw_status tw_consumer_start(const tw_client *client,
                            const char *topic,
                            const tw_consumer_options *options,
                            tw_consumer **consumer,
                            tw_error **err);

/**
 * Waits for the next batch for up to `timeout_ms`, without end if negative, not at all if 0.
 * `*batch` belongs to the caller; it is NULL if none came in time, or if none will
 * (`tw_consumer_is_closed`).
 *
 * An error is that of a partition, which gives nothing more unless `tw_consumer_seek` moves it;
 * the others go on. A lost connection is not an error. In a group, a batch counts as done when
 * the next one is asked for. Several threads may wait; each batch goes to one of them.
 */
tw_status tw_consumer_next_batch(const tw_consumer *consumer,
                                 int64_t timeout_ms,
                                 tw_batch **batch,
                                 tw_error **err);

/**
 * Whether nothing will come any more: it was closed, or every partition has ended with an error
 * that was told. True for NULL.
 */
bool tw_consumer_is_closed(const tw_consumer *consumer);

/**
 * Goes on reading a partition at another place, one of `TW_START_…` with `start_at` beside it.
 * What was delivered of it and not yet returned is dropped.
 */
tw_status tw_consumer_seek(const tw_consumer *consumer,
                           uint32_t partition,
                           uint32_t start,
                           uint64_t start_at,
                           tw_error **err);

/**
 * Returns nothing of a partition until it is resumed.
 */
tw_status tw_consumer_pause(const tw_consumer *consumer, uint32_t partition, tw_error **err);

/**
 * Ends a pause.
 */
tw_status tw_consumer_resume(const tw_consumer *consumer, uint32_t partition, tw_error **err);

/**
 * Reads a further partition, from one of `TW_START_…` on. Whether it exists is told by
 * `tw_consumer_next_batch`.
 */
tw_status tw_consumer_add_partition(const tw_consumer *consumer,
                                    uint32_t partition,
                                    uint32_t start,
                                    uint64_t start_at,
                                    tw_error **err);

/**
 * Stops reading a partition.
 */
tw_status tw_consumer_remove_partition(const tw_consumer *consumer,
                                       uint32_t partition,
                                       tw_error **err);

/**
 * Stores how far the batches reach that were returned, and waits until that is on the server's
 * disk, up to `request_timeout_ms`. For a consumer with a
 * group or a name.
 */
tw_status tw_consumer_commit(const tw_consumer *consumer, tw_error **err);

/**
 * As `tw_consumer_commit`, without waiting: `tw_client_poll` tells the end with
 * `TW_EVENT_COMMITTED`, which has this `user_data`.
 */
tw_status tw_consumer_commit_start(const tw_consumer *consumer, void *user_data, tw_error **err);

/**
 * Stores that a batch was done, and all before it in its partition. For a consumer with a
 * group or a name.
 */
tw_status tw_consumer_commit_batch(const tw_consumer *consumer,
                                   const tw_batch *batch,
                                   tw_error **err);

/**
 * Stores the offset of the next record to read in a partition. For a consumer with a
 * group or a name.
 */
tw_status tw_consumer_commit_offset(const tw_consumer *consumer,
                                    const char *topic,
                                    uint32_t partition,
                                    uint64_t offset,
                                    tw_error **err);

/**
 * Where a consumer stands in what it reads at the moment. It does not ask
 * the server. What `positions` is given is freed by `tw_positions_free`.
 */
tw_status tw_consumer_positions(const tw_consumer *consumer,
                                tw_positions **positions,
                                tw_error **err);

/**
 * Frees positions. NULL is nothing to free.
 */
void tw_positions_free(tw_positions *positions);

/**
 * Records known to follow what was returned, over all partitions.
 */
tw_status tw_consumer_lag(const tw_consumer *consumer, uint64_t *lag, tw_error **err);

/**
 * Fills `stats`, which begins with `TW_CONSUMER_STATS_INIT`. It does not ask the server.
 */
tw_status tw_consumer_get_stats(const tw_consumer *consumer,
                                tw_consumer_stats *stats,
                                tw_error **err);

/**
 * Ends all waiting, now and for ever, and unsubscribes; a member of a group stores what was done,
 * if it does so by itself, and leaves. Waits until the server knows, for up to `timeout_ms`,
 * without end if negative: but never longer than `request_timeout_ms` for each request. Any thread
 * may call it while another waits. The handle is still to be freed.
 */
tw_status tw_consumer_close(const tw_consumer *consumer,
                            int64_t timeout_ms,
                            tw_error **err);

/**
 * Frees a consumer; NULL is nothing to free. It unsubscribes, or leaves its group, without waiting
 * for it. No other thread may use the handle any more; batches that it gave stay.
 */
void tw_consumer_free(tw_consumer *consumer);

/**
 * How many records it has, at least one; 0 for NULL.
 */
size_t tw_batch_len(const tw_batch *batch);

/**
 * The topic that it belongs to, `stream/topic`; lives as long as the batch. Empty for NULL.
 */
const char *tw_batch_topic(const tw_batch *batch);

/**
 * The partition that it belongs to; 0 for NULL.
 */
uint32_t tw_batch_partition(const tw_batch *batch);

/**
 * Offset of its first record; 0 for NULL.
 */
uint64_t tw_batch_base_offset(const tw_batch *batch);

/**
 * Offset after its last record: where to go on reading; 0 for NULL.
 */
uint64_t tw_batch_next_offset(const tw_batch *batch);

/**
 * Offset after the partition's last record, as known when the batch was delivered; 0 for NULL.
 */
uint64_t tw_batch_end_offset(const tw_batch *batch);

/**
 * When the server appended it, in microseconds since the Unix epoch; 0 for NULL.
 */
int64_t tw_batch_append_time_us(const tw_batch *batch);

/**
 * Shows record `index`, from 0. Returns false, and sets nothing, past the last one.
 */
bool tw_batch_get(const tw_batch *batch, size_t index, tw_record_view *record);

/**
 * Shows up to `count` records from `first` on with one call; returns how many. `records` has room
 * for `count`.
 */
size_t tw_batch_get_many(const tw_batch *batch,
                         size_t first,
                         tw_record_view *records,
                         size_t count);

/**
 * Takes the next header off `rest`, which begins as a copy of a view's `headers`. Returns false,
 * and sets nothing, after the last one. What the header points to belongs to the batch.
 */
bool tw_header_next(tw_slice *rest, tw_header *header);

/**
 * Frees a batch; NULL is nothing to free. No view of it may be used any more.
 */
void tw_batch_free(tw_batch *batch);

/**
 * Reads batches of a partition once, from `offset` on. A consumer is the better way to read on and
 * on. `options` may be NULL. What `fetched` is given is freed by `tw_fetched_free`.
 *
 * With `TW_E_OFFSET_OUT_OF_RANGE`, `tw_error_offsets` tells what there is.
 */
tw_status tw_client_fetch(const tw_client *client,
                          const char *topic,
                          uint32_t partition,
                          uint64_t offset,
                          const tw_fetch_options *options,
                          tw_fetched **fetched,
                          tw_error **err);

/**
 * Frees what a fetch read, with its batches. NULL is nothing to free.
 */
void tw_fetched_free(tw_fetched *fetched);

/**
 * Gives a batch to an Arrow implementation of the same process: a struct array with a row for each
 * record, and its schema. Keys and values are not copied. Both are the caller's, who passes them on
 * or calls their `release`; the batch may be freed before. Any thread may call this.
 */
tw_status tw_batch_export_arrow(const tw_batch *batch,
                                struct ArrowArray *out_array,
                                struct ArrowSchema *out_schema,
                                tw_error **err);

/**
 * Creates a stream. `info` may be NULL; what it is given is freed by `tw_stream_info_free`.
 */
tw_status tw_client_create_stream(const tw_client *client,
                                  const char *name,
                                  tw_stream_info **info,
                                  tw_error **err);

/**
 * Describes a stream. What `info` is given is freed by `tw_stream_info_free`.
 */
tw_status tw_client_describe_stream(const tw_client *client,
                                    const char *name,
                                    tw_stream_info **info,
                                    tw_error **err);

/**
 * Lists all streams. What `streams` is given is freed by `tw_streams_free`.
 */
tw_status tw_client_list_streams(const tw_client *client, tw_streams **streams, tw_error **err);

/**
 * Deletes all records of all topics of a stream; offsets go on.
 */
tw_status tw_client_purge_stream(const tw_client *client, const char *name, tw_error **err);

/**
 * Deletes a stream; with its topics and their records if `with_topics`, else only if it has none.
 */
tw_status tw_client_delete_stream(const tw_client *client,
                                  const char *name,
                                  bool with_topics,
                                  tw_error **err);

/**
 * Creates a topic, such as `stream/topic`. `options` may be NULL, and `info`; what it is given is
 * freed by `tw_topic_info_free`.
 */
tw_status tw_client_create_topic(const tw_client *client,
                                 const char *topic,
                                 const tw_topic_options *options,
                                 tw_topic_info **info,
                                 tw_error **err);

/**
 * Changes those options of a topic that are set, but not its number of partitions. `info` may be
 * NULL; what it is given is freed by `tw_topic_info_free`.
 */
tw_status tw_client_update_topic(const tw_client *client,
                                 const char *topic,
                                 const tw_topic_options *options,
                                 tw_topic_info **info,
                                 tw_error **err);

/**
 * Gives a topic more partitions, `partitions` in all. `info` may be NULL; what it is given is
 * freed by `tw_topic_info_free`.
 */
tw_status tw_client_add_partitions(const tw_client *client,
                                   const char *topic,
                                   uint32_t partitions,
                                   tw_topic_info **info,
                                   tw_error **err);

/**
 * Describes a topic. What `info` is given is freed by `tw_topic_info_free`.
 */
tw_status tw_client_describe_topic(const tw_client *client,
                                   const char *topic,
                                   tw_topic_info **info,
                                   tw_error **err);

/**
 * Lists all topics of a stream. What `topics` is given is freed by `tw_topics_free`.
 */
tw_status tw_client_list_topics(const tw_client *client,
                                const char *stream,
                                tw_topics **topics,
                                tw_error **err);

/**
 * Lists the partitions of a topic, with their offsets and sizes. What `partitions` is given is
 * freed by `tw_partitions_free`.
 */
tw_status tw_client_list_partitions(const tw_client *client,
                                    const char *topic,
                                    tw_partitions **partitions,
                                    tw_error **err);

/**
 * Deletes all records of a topic; offsets go on.
 */
tw_status tw_client_purge_topic(const tw_client *client, const char *topic, tw_error **err);

/**
 * Deletes the records of a partition below an offset. `start_offset`, which may be NULL, is where
 * the partition begins then.
 */
tw_status tw_client_truncate(const tw_client *client,
                             const char *topic,
                             uint32_t partition,
                             uint64_t before_offset,
                             uint64_t *start_offset,
                             tw_error **err);

/**
 * Deletes a topic and its records.
 */
tw_status tw_client_delete_topic(const tw_client *client, const char *topic, tw_error **err);

/**
 * Lists the named producers that a topic remembers. What `producers` is given is freed by
 * `tw_producers_free`.
 */
tw_status tw_client_list_producers(const tw_client *client,
                                   const char *topic,
                                   tw_producers **producers,
                                   tw_error **err);

/**
 * Has a topic forget a named producer; whoever has the name is fenced.
 */
tw_status tw_client_forget_producer(const tw_client *client,
                                    const char *topic,
                                    const char *name,
                                    tw_error **err);

/**
 * Frees what describes a stream. NULL is nothing to free.
 */
void tw_stream_info_free(tw_stream_info *info);

/**
 * Frees a list of streams. NULL is nothing to free.
 */
void tw_streams_free(tw_streams *streams);

/**
 * Frees what describes a topic. NULL is nothing to free.
 */
void tw_topic_info_free(tw_topic_info *info);

/**
 * Frees a list of topics. NULL is nothing to free.
 */
void tw_topics_free(tw_topics *topics);

/**
 * Frees a list of partitions. NULL is nothing to free.
 */
void tw_partitions_free(tw_partitions *partitions);

/**
 * Frees a list of producers. NULL is nothing to free.
 */
void tw_producers_free(tw_producers *producers);

/**
 * Creates a group without members; joining one does so, too. `info` may be NULL; what it is given
 * is freed by `tw_group_info_free`.
 */
tw_status tw_client_create_group(const tw_client *client,
                                 const char *group,
                                 tw_group_info **info,
                                 tw_error **err);

/**
 * Lists all groups and named consumers. What `groups` is given is freed by `tw_groups_free`.
 */
tw_status tw_client_list_groups(const tw_client *client, tw_groups **groups, tw_error **err);

/**
 * Describes a group, its members and partitions. What `description` is given is freed by
 * `tw_group_description_free`.
 */
tw_status tw_client_describe_group(const tw_client *client,
                                   const char *group,
                                   tw_group_description **description,
                                   tw_error **err);

/**
 * Deletes a group without members, and what it has stored.
 */
tw_status tw_client_delete_group(const tw_client *client, const char *group, tw_error **err);

/**
 * What a group, or a named consumer, has stored for the partitions of a topic. What `offsets` is
 * given is freed by `tw_offsets_free`.
 */
tw_status tw_client_committed(const tw_client *client,
                              const char *group,
                              const char *topic,
                              tw_offsets **offsets,
                              tw_error **err);

/**
 * Sets where a group goes on in partitions of a topic, also backwards: `partition_count` of them,
 * or all if `partitions` is NULL. The place is one of `TW_START_…`, with `start_at` beside it; of
 * an offset the nearest that there is. With `force` also while the group has members, which go to
 * the new place. `offsets` may be NULL; what it is given, the places themselves, is freed by
 * `tw_offsets_free`.
 */
tw_status tw_client_reset_offsets(const tw_client *client,
                                  const char *group,
                                  const char *topic,
                                  const uint32_t *partitions,
                                  size_t partition_count,
                                  uint32_t start,
                                  uint64_t start_at,
                                  bool force,
                                  tw_offsets **offsets,
                                  tw_error **err);

/**
 * Forgets what a group has stored for partitions of a topic: `partition_count` of them, or all if
 * `partitions` is NULL.
 */
tw_status tw_client_delete_offsets(const tw_client *client,
                                   const char *group,
                                   const char *topic,
                                   const uint32_t *partitions,
                                   size_t partition_count,
                                   tw_error **err);

/**
 * Frees what describes a group in short. NULL is nothing to free.
 */
void tw_group_info_free(tw_group_info *info);

/**
 * Frees a list of groups. NULL is nothing to free.
 */
void tw_groups_free(tw_groups *groups);

/**
 * Frees what describes a group. NULL is nothing to free.
 */
void tw_group_description_free(tw_group_description *description);

/**
 * Frees a list of offsets. NULL is nothing to free.
 */
void tw_offsets_free(tw_offsets *offsets);

/**
 * Creates a user, who may do what `grant_count` texts say, such as `read,write topic shop/orders`: of
 * read, write, manage and admin, on server, stream, topic or group. If `password` is NULL, it
 * logs in with tokens only; the password itself stays here. `info` may be NULL; what it is given
 * is freed by `tw_user_info_free`.
 */
tw_status tw_client_create_user(const tw_client *client,
                                const char *name,
                                const char *password,
                                const char *const *grants,
                                size_t grant_count,
                                tw_user_info **info,
                                tw_error **err);

/**
 * Deletes a user and its tokens, and ends its connections.
 */
tw_status tw_client_delete_user(const tw_client *client, const char *name, tw_error **err);

/**
 * Lets a user log in again; with false keeps it out, and ends its connections. `info` may be
 * NULL; what it is given is freed by `tw_user_info_free`.
 */
tw_status tw_client_enable_user(const tw_client *client,
                                const char *name,
                                bool enabled,
                                tw_user_info **info,
                                tw_error **err);

/**
 * Changes a password: that of the user that this client is if `user` is NULL. Connections that
 * logged in with the old one end, this one among them.
 */
tw_status tw_client_change_password(const tw_client *client,
                                    const char *user,
                                    const char *password,
                                    tw_error **err);

/**
 * Describes a user: the one that this client is if `name` is NULL. What `description` is given is
 * freed by `tw_user_description_free`.
 */
tw_status tw_client_describe_user(const tw_client *client,
                                  const char *name,
                                  tw_user_description **description,
                                  tw_error **err);

/**
 * Lists all users. What `users` is given is freed by `tw_users_free`.
 */
tw_status tw_client_list_users(const tw_client *client, tw_users **users, tw_error **err);

/**
 * Takes rights away from a user and then gives it others, at once, also on its open connections.
 * Rights are taken from grants of exactly the same scope and pattern. `left` may be NULL; what it
 * is given, all that the user may do then, is freed by `tw_grants_free`.
 */
tw_status tw_client_change_grants(const tw_client *client,
                                  const char *user,
                                  const char *const *revoke,
                                  size_t revoke_count,
                                  const char *const *grant,
                                  size_t grant_count,
                                  tw_grants **left,
                                  tw_error **err);

/**
 * Creates a token: of the user that this client is if `user` is NULL. It ends after
 * `lifetime_ms`, or never with 0. Its secret is made here, and told nobody but the caller. What
 * `token` is given is freed by `tw_new_token_free`.
 */
tw_status tw_client_create_token(const tw_client *client,
                                 const char *user,
                                 const char *name,
                                 uint64_t lifetime_ms,
                                 tw_new_token **token,
                                 tw_error **err);

/**
 * Lists the tokens of a user: of the one that this client is if `user` is NULL. What `tokens` is
 * given is freed by `tw_tokens_free`.
 */
tw_status tw_client_list_tokens(const tw_client *client,
                                const char *user,
                                tw_tokens **tokens,
                                tw_error **err);

/**
 * Deletes a token, and ends the connections that were made with it.
 */
tw_status tw_client_delete_token(const tw_client *client, uint64_t id, tw_error **err);

/**
 * Frees what describes a user. NULL is nothing to free.
 */
void tw_user_info_free(tw_user_info *info);

/**
 * Frees a list of users. NULL is nothing to free.
 */
void tw_users_free(tw_users *users);

/**
 * Frees a list of grants. NULL is nothing to free.
 */
void tw_grants_free(tw_grants *grants);

/**
 * Frees a description. NULL is nothing to free.
 */
void tw_user_description_free(tw_user_description *description);

/**
 * Frees a list of tokens. NULL is nothing to free.
 */
void tw_tokens_free(tw_tokens *tokens);

/**
 * Frees a token and its secret. NULL is nothing to free.
 */
void tw_new_token_free(tw_new_token *token);

/**
 * Lists the limits that the server enforces, and how much of them is used. What `limits` is given
 * is freed by `tw_limits_free`.
 */
tw_status tw_client_describe_limits(const tw_client *client, tw_limits **limits, tw_error **err);

/**
 * Frees a list of limits. NULL is nothing to free.
 */
void tw_limits_free(tw_limits *limits);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

/* What a struct that its caller fills begins with. */
#define TW_CLIENT_OPTIONS_INIT \
  { sizeof(tw_client_options), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, TW_UNSET, TW_UNSET, TW_UNSET, TW_UNSET, TW_UNSET, TW_UNSET, TW_UNSET, TW_UNSET, NULL }
#define TW_PRODUCER_OPTIONS_INIT \
  { sizeof(tw_producer_options), NULL, TW_UNSET, TW_UNSET, TW_UNSET, TW_UNSET, TW_UNSET, TW_UNSET, TW_UNSET, TW_UNSET, TW_UNSET, TW_UNSET, TW_UNSET, NULL }
#define TW_PRODUCER_STATS_INIT \
  { sizeof(tw_producer_stats), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }
#define TW_CONSUMER_OPTIONS_INIT \
  { sizeof(tw_consumer_options), NULL, NULL, NULL, 0, NULL, 0, NULL, 0, TW_UNSET, TW_UNSET, 0, NULL, TW_UNSET, TW_UNSET, TW_UNSET, TW_UNSET, TW_UNSET, TW_UNSET, NULL }
#define TW_CONSUMER_STATS_INIT \
  { sizeof(tw_consumer_stats), 0, 0, 0, 0, 0, 0, 0, 0 }
#define TW_FETCH_OPTIONS_INIT \
  { sizeof(tw_fetch_options), TW_UNSET, TW_UNSET, TW_UNSET, TW_UNSET }
#define TW_TOPIC_OPTIONS_INIT \
  { sizeof(tw_topic_options), TW_UNSET, TW_UNSET, TW_UNSET64, TW_UNSET64, TW_UNSET64, TW_UNSET64 }

#endif  /* TIDEWIRE_H */
