/* tidewire.hpp: the Tidewire client for C++17, over tidewire.h and nothing else.
 *
 * - Handles are move-only and free themselves; each may be used by any number of threads, but for being
 *   moved or destroyed.
 * - Every call that can fail has two forms: `send(...)` throws tidewire::error, `try_send(...)` returns a
 *   tidewire::result, which is a value or an error. Without exceptions (-fno-exceptions) there are the
 *   latter, and taking the value of an error aborts.
 * - What a batch shows is viewed, not copied, and lives as long as the batch.
 *
 *   tidewire::client client("tidewire://127.0.0.1:8433");
 *   client.create_topic("shop/orders", {.partitions = 4});          // C++20's way to write options
 *   auto producer = client.open_producer("shop/orders");
 *   auto receipt = producer.send({.value = "hello", .key = "k"});
 *   auto consumer = client.open_consumer("shop/orders", {.start = tidewire::start::earliest()});
 *   while (auto batch = consumer.next_batch())
 *     for (auto record : *batch) std::cout << record.offset << ' ' << record.value.text() << '\n';
 */
#ifndef TIDEWIRE_HPP
#define TIDEWIRE_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "tidewire.h"

#if !defined(TIDEWIRE_NO_EXCEPTIONS) && !defined(__cpp_exceptions)
#define TIDEWIRE_NO_EXCEPTIONS
#endif

namespace tidewire {

/* ---- errors ---- */

/* What went wrong: a stable number, what may be concluded, and a text for people. */
class error : public std::runtime_error {
 public:
  explicit error(tw_error *raw)
      : std::runtime_error(tw_error_message(raw)),
        code_(tw_error_code(raw)),
        disposition_(tw_error_disposition(raw)),
        kind_(tw_error_kind(raw)) {
    std::uint64_t first = 0, next = 0;
    if (tw_error_offsets(raw, &first, &next)) offsets_ = {first, next};
    for (std::size_t i = 0;; i++) {
      tw_unsent one;
      if (!tw_error_unsent(raw, i, &one)) break;
      unsent_.push_back(one);
    }
    tw_error_free(raw);
  }

  /* One of TW_E_... */
  tw_status code() const noexcept { return code_; }
  /* Its name, such as "TOPIC_NOT_FOUND"; empty if this version does not know it. */
  const char *name() const noexcept {
    const char *name = tw_error_name(code_);
    return name != nullptr ? name : "";
  }
  /* The group it belongs to, such as "not_found". */
  const char *kind() const noexcept { return kind_; }
  /* Bits of TW_DISPOSITION_... */
  std::uint32_t disposition() const noexcept { return disposition_; }
  /* Nothing happened, and the same call may succeed later. */
  bool retriable() const noexcept { return (disposition_ & TW_DISPOSITION_RETRIABLE) != 0; }
  /* Nobody knows whether what was asked for was done. */
  bool outcome_unknown() const noexcept { return (disposition_ & TW_DISPOSITION_OUTCOME_UNKNOWN) != 0; }
  /* With TW_E_OFFSET_OUT_OF_RANGE, the first offset that there is and the one after the last. */
  const std::optional<std::pair<std::uint64_t, std::uint64_t>> &offsets() const noexcept { return offsets_; }
  /* After closing a producer, the records that were not acknowledged. */
  const std::vector<tw_unsent> &unsent() const noexcept { return unsent_; }

 private:
  tw_status code_;
  std::uint32_t disposition_;
  const char *kind_;
  std::optional<std::pair<std::uint64_t, std::uint64_t>> offsets_;
  std::vector<tw_unsent> unsent_;
};

/* A value, or why there is none. */
template <class T>
class [[nodiscard]] result {
 public:
  using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

  result(stored value) : state_(std::in_place_index<0>, std::move(value)) {}
  result(tidewire::error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }
  /* Only of a result that is not ok. */
  const tidewire::error &error() const { return std::get<1>(state_); }
  /* The value; throws the error if there is none. */
  T value() && {
    if (!ok()) {
#ifdef TIDEWIRE_NO_EXCEPTIONS
      std::abort();
#else
      throw std::get<1>(std::move(state_));
#endif
    }
    if constexpr (!std::is_void_v<T>) return std::get<0>(std::move(state_));
  }
  /* Only of a result that is ok. */
  stored &operator*() & { return std::get<0>(state_); }
  stored *operator->() { return &std::get<0>(state_); }

 private:
  std::variant<stored, tidewire::error> state_;
};

namespace detail {

/* Makes a call whose last argument is a tw_error **. */
template <class F>
result<void> call(F &&f) {
  tw_error *raw = nullptr;
  if (f(&raw) == TW_OK) return std::monostate{};
  return error(raw);
}

template <auto Free>
struct freer {
  template <class T>
  void operator()(T *it) const noexcept {
    Free(it);
  }
};

template <class T, auto Free>
using handle = std::unique_ptr<T, freer<Free>>;

using milliseconds = std::chrono::milliseconds;

inline std::int64_t limit(std::optional<milliseconds> timeout) {
  return timeout ? std::max<std::int64_t>(timeout->count(), 0) : -1;
}

/* A text with a NUL in it would end there; it is passed as what the library refuses as such. */
inline const char *text(const std::string &it) {
  return it.find('\0') == std::string::npos ? it.c_str() : "\xC0\x80";
}
inline const char *text(const std::optional<std::string> &it) { return it ? text(*it) : nullptr; }
/* Pointers to texts, which have to live on. */
inline std::vector<const char *> texts(const std::vector<std::string> &all) {
  std::vector<const char *> raw;
  for (const auto &each : all) raw.push_back(text(each));
  return raw;
}

}  // namespace detail

using std::chrono::milliseconds;

/* ---- bytes and records ---- */

/* Bytes of somebody else's. "None" is not the same as no bytes: it is a missing key, or a tombstone. */
class bytes {
 public:
  constexpr bytes() noexcept = default;
  constexpr bytes(std::nullopt_t) noexcept {}
  constexpr bytes(const void *data, std::size_t size) noexcept : data_(data), size_(size) {}
  constexpr bytes(std::string_view text) noexcept : data_(text.data() ? text.data() : ""), size_(text.size()) {}
  constexpr bytes(const char *text) noexcept : bytes(std::string_view(text)) {}
  bytes(const std::string &text) noexcept : bytes(std::string_view(text)) {}
  template <class T, class = std::enable_if_t<std::is_trivially_copyable_v<T>>>
  bytes(const std::vector<T> &all) noexcept
      : data_(all.empty() ? static_cast<const void *>("") : all.data()), size_(all.size() * sizeof(T)) {}
  constexpr bytes(tw_slice raw) noexcept : data_(raw.data), size_(raw.len) {}

  bool has_value() const noexcept { return data_ != nullptr; }
  explicit operator bool() const noexcept { return has_value(); }
  const std::byte *data() const noexcept { return static_cast<const std::byte *>(data_); }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  const std::byte *begin() const noexcept { return data(); }
  const std::byte *end() const noexcept { return data() + size_; }
  std::byte operator[](std::size_t i) const noexcept { return data()[i]; }
  /* As characters; empty if there are none. */
  std::string_view text() const noexcept { return {static_cast<const char *>(data_), size_}; }
  std::string str() const { return data_ ? std::string(text()) : std::string(); }
  tw_slice raw() const noexcept { return {data_, size_}; }

 private:
  const void *data_ = nullptr;
  std::size_t size_ = 0;
};

/* A header of a record. */
struct header {
  std::string_view name;
  bytes value;
};

/* A record to send. What it refers to is copied while it is handed over, and not needed after. */
struct record {
  bytes value;
  bytes key;
  std::vector<header> headers = {};
  /* Microseconds since the Unix epoch; the time of the call if not set. */
  std::optional<std::int64_t> timestamp_us = std::nullopt;
  /* Left to the key, or the producer, if not set. */
  std::optional<std::uint32_t> partition = std::nullopt;
  /* 16 bytes by which the server finds duplicates; nullptr is none. */
  const std::uint8_t *id = nullptr;
};

/* What became of a record. */
struct receipt {
  std::uint32_t partition = 0;
  std::uint64_t offset = 0;
  std::int64_t append_time_us = 0;
  std::uint8_t acks = 0;
  bool duplicate = false;
  /* TW_OK, or of one among many why it was not acknowledged. */
  tw_status status = TW_OK;

  receipt() = default;
  explicit receipt(const tw_receipt &raw)
      : partition(raw.partition),
        offset(raw.offset),
        append_time_us(raw.append_time_us),
        acks(raw.acks),
        duplicate(raw.duplicate),
        status(raw.status) {}
};

namespace detail {

/* Records as C wants them. */
class raw_records {
 public:
  explicit raw_records(const record &one) { add(&one, 1); }
  explicit raw_records(const std::vector<record> &all) { add(all.data(), all.size()); }
  const tw_record *data() const { return records_.data(); }
  std::size_t size() const { return records_.size(); }

 private:
  void add(const record *all, std::size_t count) {
    std::size_t headers = 0;
    for (std::size_t i = 0; i < count; i++) headers += all[i].headers.size();
    headers_.reserve(headers);
    records_.reserve(count);
    for (std::size_t i = 0; i < count; i++) {
      const record &it = all[i];
      tw_record raw{};
      raw.key = it.key.raw();
      raw.value = it.value.raw();
      raw.headers = headers_.data() + headers_.size();
      raw.header_count = it.headers.size();
      for (const header &each : it.headers)
        headers_.push_back({{each.name.data(), each.name.size()}, each.value.raw()});
      raw.id = it.id;
      if (it.timestamp_us) raw.timestamp_us = *it.timestamp_us, raw.set |= TW_RECORD_TIMESTAMP;
      if (it.partition) raw.partition = *it.partition, raw.set |= TW_RECORD_PARTITION;
      records_.push_back(raw);
    }
  }

  std::vector<tw_header> headers_;
  std::vector<tw_record> records_;
};

}  // namespace detail

/* ---- options ---- */

/* A place in a partition. */
struct start {
  std::uint32_t kind = TW_START_LATEST;
  std::uint64_t at = 0;

  static start earliest() { return {TW_START_EARLIEST, 0}; }
  static start latest() { return {TW_START_LATEST, 0}; }
  static start offset(std::uint64_t offset) { return {TW_START_OFFSET, offset}; }
  /* At the first record appended then or later, in microseconds since the Unix epoch. */
  static start timestamp(std::int64_t us) { return {TW_START_TIMESTAMP, static_cast<std::uint64_t>(us)}; }
  /* That many records before the end. */
  static start last(std::uint64_t records) { return {TW_START_LAST, records}; }
};

/* What is not set comes from the URL, then the environment, then the defaults. */
struct client_options {
  std::optional<std::string> client_name;
  /* Who logs in, and with which password or token; or the first line of a file. */
  std::optional<std::string> user, secret, secret_file;
  /* For tidewire+tls://, as tw_client_options says. */
  std::optional<std::string> tls_ca_file, tls_cert_file, tls_key_file, tls_danger;
  /* Keys of encrypted batches, and a file of more of them. */
  std::optional<std::string> encryption_keys, encryption_key_file;
  std::optional<std::uint32_t> connect_timeout_ms, request_timeout_ms, heartbeat_ms, retry_backoff_ms,
      retry_backoff_max_ms, runtime_threads, busy_poll_us;
};

struct topic_options {
  std::optional<std::uint32_t> partitions, codec;
  std::optional<std::uint64_t> segment_bytes, retention_ms, retention_bytes, dedup_window_ms;
};

struct producer_options {
  std::optional<std::string> name;
  std::optional<std::uint32_t> acks, linger_ms, batch_bytes, batch_records, queue_bytes, max_in_flight, codec,
      delivery_timeout_ms, queue_full, encryption_key_id;
};

struct consumer_options {
  std::optional<std::string> group, name;
  std::vector<std::string> topics;
  std::optional<std::vector<std::uint32_t>> partitions;
  std::vector<std::pair<std::uint32_t, std::uint64_t>> offsets;
  std::optional<tidewire::start> start;
  std::optional<std::uint32_t> prefetch_bytes;
  std::optional<std::string> member_name;
  std::optional<std::uint32_t> session_timeout_ms, rebalance_timeout_ms, auto_commit, auto_commit_interval_ms,
      on_out_of_range;
};

struct fetch_options {
  std::optional<std::uint32_t> max_bytes, min_bytes, max_wait_ms;
};

namespace detail {

inline tw_client_options raw(const client_options &it) {
  tw_client_options raw = TW_CLIENT_OPTIONS_INIT;
  raw.client_name = text(it.client_name);
  raw.user = text(it.user);
  raw.secret = text(it.secret);
  raw.secret_file = text(it.secret_file);
  raw.tls_ca_file = text(it.tls_ca_file);
  raw.tls_cert_file = text(it.tls_cert_file);
  raw.tls_key_file = text(it.tls_key_file);
  raw.tls_danger = text(it.tls_danger);
  raw.encryption_keys = text(it.encryption_keys);
  raw.encryption_key_file = text(it.encryption_key_file);
  raw.connect_timeout_ms = it.connect_timeout_ms.value_or(TW_UNSET);
  raw.request_timeout_ms = it.request_timeout_ms.value_or(TW_UNSET);
  raw.heartbeat_ms = it.heartbeat_ms.value_or(TW_UNSET);
  raw.retry_backoff_ms = it.retry_backoff_ms.value_or(TW_UNSET);
  raw.retry_backoff_max_ms = it.retry_backoff_max_ms.value_or(TW_UNSET);
  raw.runtime_threads = it.runtime_threads.value_or(TW_UNSET);
  raw.busy_poll_us = it.busy_poll_us.value_or(TW_UNSET);
  return raw;
}

inline tw_topic_options raw(const topic_options &it) {
  tw_topic_options raw = TW_TOPIC_OPTIONS_INIT;
  raw.partitions = it.partitions.value_or(TW_UNSET);
  raw.codec = it.codec.value_or(TW_UNSET);
  raw.segment_bytes = it.segment_bytes.value_or(TW_UNSET64);
  raw.retention_ms = it.retention_ms.value_or(TW_UNSET64);
  raw.retention_bytes = it.retention_bytes.value_or(TW_UNSET64);
  raw.dedup_window_ms = it.dedup_window_ms.value_or(TW_UNSET64);
  return raw;
}

inline tw_producer_options raw(const producer_options &it) {
  tw_producer_options raw = TW_PRODUCER_OPTIONS_INIT;
  raw.name = text(it.name);
  raw.acks = it.acks.value_or(TW_UNSET);
  raw.linger_ms = it.linger_ms.value_or(TW_UNSET);
  raw.batch_bytes = it.batch_bytes.value_or(TW_UNSET);
  raw.batch_records = it.batch_records.value_or(TW_UNSET);
  raw.queue_bytes = it.queue_bytes.value_or(TW_UNSET);
  raw.max_in_flight = it.max_in_flight.value_or(TW_UNSET);
  raw.codec = it.codec.value_or(TW_UNSET);
  raw.delivery_timeout_ms = it.delivery_timeout_ms.value_or(TW_UNSET);
  raw.queue_full = it.queue_full.value_or(TW_UNSET);
  raw.encryption_key_id = it.encryption_key_id.value_or(TW_UNSET);
  return raw;
}

}  // namespace detail

/* ---- batches ---- */

/* The headers of a record, to be gone through. */
class headers_view {
 public:
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = header;
    using difference_type = std::ptrdiff_t;
    using pointer = const header *;
    using reference = const header &;

    iterator() = default;
    explicit iterator(tw_slice rest) : rest_(rest), more_(true) { ++*this; }
    const header &operator*() const { return now_; }
    const header *operator->() const { return &now_; }
    iterator &operator++() {
      tw_header raw;
      more_ = tw_header_next(&rest_, &raw);
      if (more_) now_ = {bytes(raw.name).text(), bytes(raw.value)};
      return *this;
    }
    bool operator==(const iterator &other) const { return more_ == other.more_; }
    bool operator!=(const iterator &other) const { return more_ != other.more_; }

   private:
    tw_slice rest_{};
    header now_{};
    bool more_ = false;
  };

  explicit headers_view(tw_slice raw) : raw_(raw) {}
  iterator begin() const { return iterator(raw_); }
  iterator end() const { return {}; }

 private:
  tw_slice raw_;
};

/* A record of a batch; what it shows lives as long as the batch. */
struct record_view {
  std::uint64_t offset;
  std::int64_t timestamp_us;
  bytes key;
  bytes value;
  headers_view headers;

  explicit record_view(const tw_record_view &raw)
      : offset(raw.offset), timestamp_us(raw.timestamp_us), key(raw.key), value(raw.value), headers(raw.headers) {}
};

/* Consecutive records of one partition. */
class batch {
 public:
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = record_view;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = record_view;

    iterator(const tw_batch *of, std::size_t at) : of_(of), at_(at) {}
    record_view operator*() const {
      // Views are fetched some at a time.
      if (at_ < from_ || at_ >= from_ + count_) {
        from_ = at_;
        count_ = tw_batch_get_many(of_, at_, raw_, sizeof raw_ / sizeof raw_[0]);
      }
      return record_view(raw_[at_ - from_]);
    }
    iterator &operator++() {
      at_++;
      return *this;
    }
    bool operator==(const iterator &other) const { return at_ == other.at_; }
    bool operator!=(const iterator &other) const { return at_ != other.at_; }

   private:
    const tw_batch *of_;
    std::size_t at_;
    mutable std::size_t from_ = 0, count_ = 0;
    mutable tw_record_view raw_[32];
  };

  explicit batch(tw_batch *raw) : raw_(raw) {}

  std::size_t size() const { return tw_batch_len(raw_.get()); }
  std::string_view topic() const { return tw_batch_topic(raw_.get()); }
  std::uint32_t partition() const { return tw_batch_partition(raw_.get()); }
  std::uint64_t base_offset() const { return tw_batch_base_offset(raw_.get()); }
  std::uint64_t next_offset() const { return tw_batch_next_offset(raw_.get()); }
  std::uint64_t end_offset() const { return tw_batch_end_offset(raw_.get()); }
  std::int64_t append_time_us() const { return tw_batch_append_time_us(raw_.get()); }
  /* Record `i`, which is below size(). */
  record_view operator[](std::size_t i) const {
    tw_record_view raw{};
    tw_batch_get(raw_.get(), i, &raw);
    return record_view(raw);
  }
  iterator begin() const { return {raw_.get(), 0}; }
  iterator end() const { return {raw_.get(), size()}; }
  const tw_batch *get() const { return raw_.get(); }

 private:
  detail::handle<tw_batch, tw_batch_free> raw_;
};

/* ---- producing ---- */

/* The outcome of an enqueued record, to come. */
class ticket {
 public:
  explicit ticket(tw_ticket *raw) : raw_(raw) {}

  std::uint64_t number() const { return tw_ticket_number(raw_.get()); }
  /* Waits for the outcome; TW_E_TIMEOUT after the time, with the outcome still to come. */
  result<receipt> try_wait(std::optional<milliseconds> timeout = std::nullopt) const {
    tw_receipt raw;
    auto done = detail::call([&](tw_error **err) { return tw_ticket_wait(raw_.get(), detail::limit(timeout), &raw, err); });
    if (!done) return done.error();
    return receipt(raw);
  }
  receipt wait(std::optional<milliseconds> timeout = std::nullopt) const { return try_wait(timeout).value(); }

 private:
  detail::handle<tw_ticket, tw_ticket_free> raw_;
};

/* Sends records to a topic. What is enqueued when it is destroyed is still sent; close() waits for it. */
class producer {
 public:
  explicit producer(tw_producer *raw) : raw_(raw) {}

  result<receipt> try_send(const record &it) const {
    tw_receipt raw;
    detail::raw_records records(it);
    auto done = detail::call([&](tw_error **err) { return tw_producer_send(get(), records.data(), &raw, err); });
    if (!done) return done.error();
    return receipt(raw);
  }
  receipt send(const record &it) const { return try_send(it).value(); }

  /* Sends all and waits; the receipts tell each one's outcome, also where some failed. */
  std::vector<receipt> send_batch(const std::vector<record> &all) const {
    detail::raw_records records(all);
    std::vector<tw_receipt> raw(all.size());
    tw_producer_send_batch(get(), records.data(), records.size(), raw.data(), nullptr);
    return std::vector<receipt>(raw.begin(), raw.end());
  }

  /* Puts a record into the queue; does not wait. */
  result<ticket> try_enqueue(const record &it) const {
    tw_ticket *raw = nullptr;
    detail::raw_records records(it);
    auto done = detail::call([&](tw_error **err) { return tw_producer_enqueue_ticket(get(), records.data(), &raw, err); });
    if (!done) return done.error();
    return ticket(raw);
  }
  ticket enqueue(const record &it) const { return try_enqueue(it).value(); }

  /* As enqueue, for whoever does without a ticket: flush() tells whether all went well. */
  result<std::uint64_t> try_post(const record &it) const {
    std::uint64_t number = 0;
    detail::raw_records records(it);
    auto done = detail::call([&](tw_error **err) { return tw_producer_enqueue(get(), records.data(), &number, err); });
    if (!done) return done.error();
    return number;
  }
  std::uint64_t post(const record &it) const { return try_post(it).value(); }

  /* Waits until the queue has room. */
  result<void> try_ready(std::optional<milliseconds> timeout = std::nullopt) const {
    return detail::call([&](tw_error **err) { return tw_producer_ready(get(), detail::limit(timeout), err); });
  }
  void ready(std::optional<milliseconds> timeout = std::nullopt) const { try_ready(timeout).value(); }

  result<void> try_flush(std::optional<milliseconds> timeout = std::nullopt) const {
    return detail::call([&](tw_error **err) { return tw_producer_flush(get(), detail::limit(timeout), err); });
  }
  void flush(std::optional<milliseconds> timeout = std::nullopt) const { try_flush(timeout).value(); }

  result<void> try_close(std::optional<milliseconds> timeout = std::nullopt) const {
    return detail::call([&](tw_error **err) { return tw_producer_close(get(), detail::limit(timeout), err); });
  }
  void close(std::optional<milliseconds> timeout = std::nullopt) const { try_close(timeout).value(); }

  std::uint32_t partitions() const { return tw_producer_partitions(get()); }
  tw_producer_stats stats() const {
    tw_producer_stats stats = TW_PRODUCER_STATS_INIT;
    tw_producer_get_stats(get(), &stats, nullptr);
    return stats;
  }
  tw_producer *get() const { return raw_.get(); }

 private:
  detail::handle<tw_producer, tw_producer_free> raw_;
};

/* ---- consuming ---- */

/* Where a consumer stands in a partition. */
struct position {
  std::string topic;
  std::uint32_t partition;
  std::uint64_t next_offset, end_offset;
  /* What is stored for the consumer's group or name, if it is known. */
  std::optional<std::uint64_t> stored_offset;
};

/* Receives a topic's records. */
class consumer {
 public:
  explicit consumer(tw_consumer *raw) : raw_(raw) {}

  /* Waits for the next batch; none if the time is over, or if there will be none (is_closed()). */
  result<std::optional<batch>> try_next_batch(std::optional<milliseconds> timeout = std::nullopt) const {
    tw_batch *raw = nullptr;
    auto done = detail::call([&](tw_error **err) { return tw_consumer_next_batch(get(), detail::limit(timeout), &raw, err); });
    if (!done) return done.error();
    std::optional<batch> found;
    if (raw != nullptr) found.emplace(raw);
    return result<std::optional<batch>>(std::move(found));
  }
  std::optional<batch> next_batch(std::optional<milliseconds> timeout = std::nullopt) const {
    return try_next_batch(timeout).value();
  }
  bool is_closed() const { return tw_consumer_is_closed(get()); }

  result<void> try_seek(std::uint32_t partition, start to) const {
    return detail::call([&](tw_error **err) { return tw_consumer_seek(get(), partition, to.kind, to.at, err); });
  }
  void seek(std::uint32_t partition, start to) const { try_seek(partition, to).value(); }
  result<void> try_pause(std::uint32_t partition) const {
    return detail::call([&](tw_error **err) { return tw_consumer_pause(get(), partition, err); });
  }
  void pause(std::uint32_t partition) const { try_pause(partition).value(); }
  result<void> try_resume(std::uint32_t partition) const {
    return detail::call([&](tw_error **err) { return tw_consumer_resume(get(), partition, err); });
  }
  void resume(std::uint32_t partition) const { try_resume(partition).value(); }
  result<void> try_add_partition(std::uint32_t partition, start from) const {
    return detail::call(
        [&](tw_error **err) { return tw_consumer_add_partition(get(), partition, from.kind, from.at, err); });
  }
  void add_partition(std::uint32_t partition, start from) const { try_add_partition(partition, from).value(); }
  result<void> try_remove_partition(std::uint32_t partition) const {
    return detail::call([&](tw_error **err) { return tw_consumer_remove_partition(get(), partition, err); });
  }
  void remove_partition(std::uint32_t partition) const { try_remove_partition(partition).value(); }

  /* Stores how far the batches reach that were returned. */
  result<void> try_commit() const {
    return detail::call([&](tw_error **err) { return tw_consumer_commit(get(), err); });
  }
  void commit() const { try_commit().value(); }
  result<void> try_commit(const batch &done) const {
    return detail::call([&](tw_error **err) { return tw_consumer_commit_batch(get(), done.get(), err); });
  }
  void commit(const batch &done) const { try_commit(done).value(); }

  result<std::vector<position>> try_positions() const {
    tw_positions *raw = nullptr;
    auto done = detail::call([&](tw_error **err) { return tw_consumer_positions(get(), &raw, err); });
    if (!done) return done.error();
    std::vector<position> all;
    for (std::size_t i = 0; i < raw->count; i++) {
      const tw_position &it = *raw->items[i];
      all.push_back({it.topic, it.partition, it.next_offset, it.end_offset, std::nullopt});
      if (it.stored != 0) all.back().stored_offset = it.stored_offset;
    }
    tw_positions_free(raw);
    return result<std::vector<position>>(std::move(all));
  }
  std::vector<position> positions() const { return try_positions().value(); }
  std::uint64_t lag() const {
    std::uint64_t lag = 0;
    tw_consumer_lag(get(), &lag, nullptr);
    return lag;
  }
  tw_consumer_stats stats() const {
    tw_consumer_stats stats = TW_CONSUMER_STATS_INIT;
    tw_consumer_get_stats(get(), &stats, nullptr);
    return stats;
  }
  result<void> try_close(std::optional<milliseconds> timeout = std::nullopt) const {
    return detail::call([&](tw_error **err) { return tw_consumer_close(get(), detail::limit(timeout), err); });
  }
  void close(std::optional<milliseconds> timeout = std::nullopt) const { try_close(timeout).value(); }
  tw_consumer *get() const { return raw_.get(); }

 private:
  detail::handle<tw_consumer, tw_consumer_free> raw_;
};

/* What a fetch read. */
class fetched {
 public:
  explicit fetched(tw_fetched *raw) : raw_(raw) {}
  std::uint64_t start_offset() const { return raw_->start_offset; }
  std::uint64_t end_offset() const { return raw_->end_offset; }
  std::uint64_t next_offset() const { return raw_->next_offset; }
  std::size_t batches() const { return raw_->batch_count; }
  const tw_batch *batch(std::size_t i) const { return raw_->batches[i]; }
  /* All records of all batches, to be read while this is there. */
  std::vector<record_view> records() const {
    std::vector<record_view> all;
    for (std::size_t i = 0; i < batches(); i++) {
      tw_record_view raw;
      for (std::size_t at = 0; tw_batch_get(batch(i), at, &raw); at++) all.emplace_back(raw);
    }
    return all;
  }

 private:
  detail::handle<tw_fetched, tw_fetched_free> raw_;
};

/* ---- interrupting ---- */

/* Makes blocked calls of other threads return with TW_E_INTERRUPTED. */
class canceller {
 public:
  canceller() : raw_(tw_canceller_new()) {}

  /* Interrupts every call of a thread that is in a scope of this, and all that will be. */
  void cancel() const { tw_canceller_cancel(raw_.get()); }

  /* Within it, the calls of the thread that made it can be interrupted. It stays on that thread. */
  class scope {
   public:
    explicit scope(const canceller &by) { tw_canceller_enter(by.raw_.get(), nullptr); }
    ~scope() { tw_canceller_enter(nullptr, nullptr); }
    scope(const scope &) = delete;
    scope &operator=(const scope &) = delete;
  };

 private:
  detail::handle<tw_canceller, tw_canceller_free> raw_;
};

/* ---- the client ---- */

/* Structs of the library's that are read in place and freed with their holder. */
using server_info = detail::handle<tw_server_info, tw_server_info_free>;
using stream_info = detail::handle<tw_stream_info, tw_stream_info_free>;
using topic_info = detail::handle<tw_topic_info, tw_topic_info_free>;
using streams = detail::handle<tw_streams, tw_streams_free>;
using topics = detail::handle<tw_topics, tw_topics_free>;
using partitions = detail::handle<tw_partitions, tw_partitions_free>;
using producers = detail::handle<tw_producers, tw_producers_free>;
using group_info = detail::handle<tw_group_info, tw_group_info_free>;
using groups = detail::handle<tw_groups, tw_groups_free>;
using group_description = detail::handle<tw_group_description, tw_group_description_free>;
using offsets = detail::handle<tw_offsets, tw_offsets_free>;
using user_info = detail::handle<tw_user_info, tw_user_info_free>;
using users = detail::handle<tw_users, tw_users_free>;
using limits = detail::handle<tw_limits, tw_limits_free>;
using grants = detail::handle<tw_grants, tw_grants_free>;
using user_description = detail::handle<tw_user_description, tw_user_description_free>;
using tokens = detail::handle<tw_tokens, tw_tokens_free>;
using new_token = detail::handle<tw_new_token, tw_new_token_free>;
using events = detail::handle<tw_events, tw_events_free>;

/* A connection to a server, and all that is made from it. */
class client {
 public:
  static result<client> try_connect(const std::string &url, const client_options &options = {}) {
    tw_client_options raw_options = detail::raw(options);
    tw_client *raw = nullptr;
    auto done = detail::call([&](tw_error **err) { return tw_client_connect(detail::text(url), &raw_options, &raw, err); });
    if (!done) return done.error();
    return client(raw);
  }
  explicit client(tw_client *raw) : raw_(raw) {}
#ifndef TIDEWIRE_NO_EXCEPTIONS
  explicit client(const std::string &url, const client_options &options = {})
      : client(try_connect(url, options).value()) {}
#endif

  result<producer> try_open_producer(const std::string &topic, const producer_options &options = {}) const {
    tw_producer_options raw_options = detail::raw(options);
    tw_producer *raw = nullptr;
    auto done = detail::call(
        [&](tw_error **err) { return tw_producer_open(get(), detail::text(topic), &raw_options, &raw, err); });
    if (!done) return done.error();
    return producer(raw);
  }
  producer open_producer(const std::string &topic, const producer_options &options = {}) const {
    return try_open_producer(topic, options).value();
  }

  result<consumer> try_open_consumer(const std::string &topic, const consumer_options &options = {}) const {
    tw_consumer_options raw_options = TW_CONSUMER_OPTIONS_INIT;
    std::vector<const char *> further;
    for (const auto &each : options.topics) further.push_back(detail::text(each));
    std::vector<tw_partition_offset> places;
    for (const auto &[partition, offset] : options.offsets) places.push_back({partition, 0, offset});
    raw_options.group = detail::text(options.group);
    raw_options.name = detail::text(options.name);
    raw_options.topics = further.data();
    raw_options.topic_count = further.size();
    const std::uint32_t nothing = 0;
    if (options.partitions) {
      raw_options.partitions = options.partitions->empty() ? &nothing : options.partitions->data();
      raw_options.partition_count = options.partitions->size();
    }
    raw_options.offsets = places.data();
    raw_options.offset_count = places.size();
    if (options.start) raw_options.start = options.start->kind, raw_options.start_at = options.start->at;
    raw_options.prefetch_bytes = options.prefetch_bytes.value_or(TW_UNSET);
    raw_options.member_name = detail::text(options.member_name);
    raw_options.session_timeout_ms = options.session_timeout_ms.value_or(TW_UNSET);
    raw_options.rebalance_timeout_ms = options.rebalance_timeout_ms.value_or(TW_UNSET);
    raw_options.auto_commit = options.auto_commit.value_or(TW_UNSET);
    raw_options.auto_commit_interval_ms = options.auto_commit_interval_ms.value_or(TW_UNSET);
    raw_options.on_out_of_range = options.on_out_of_range.value_or(TW_UNSET);
    tw_consumer *raw = nullptr;
    auto done = detail::call(
        [&](tw_error **err) { return tw_consumer_open(get(), detail::text(topic), &raw_options, &raw, err); });
    if (!done) return done.error();
    return consumer(raw);
  }
  consumer open_consumer(const std::string &topic, const consumer_options &options = {}) const {
    return try_open_consumer(topic, options).value();
  }

  result<fetched> try_fetch(const std::string &topic, std::uint32_t partition, std::uint64_t offset,
                            const fetch_options &options = {}) const {
    tw_fetch_options raw_options = TW_FETCH_OPTIONS_INIT;
    raw_options.max_bytes = options.max_bytes.value_or(TW_UNSET);
    raw_options.min_bytes = options.min_bytes.value_or(TW_UNSET);
    raw_options.max_wait_ms = options.max_wait_ms.value_or(TW_UNSET);
    tw_fetched *raw = nullptr;
    auto done = detail::call([&](tw_error **err) {
      return tw_client_fetch(get(), detail::text(topic), partition, offset, &raw_options, &raw, err);
    });
    if (!done) return done.error();
    return fetched(raw);
  }
  fetched fetch(const std::string &topic, std::uint32_t partition, std::uint64_t offset,
                const fetch_options &options = {}) const {
    return try_fetch(topic, partition, offset, options).value();
  }

  result<void> try_ping() const {
    return detail::call([&](tw_error **err) { return tw_client_ping(get(), nullptr, err); });
  }
  void ping() const { try_ping().value(); }
  result<void> try_close() const {
    return detail::call([&](tw_error **err) { return tw_client_close(get(), err); });
  }
  void close() const { try_close().value(); }
  result<server_info> try_server() const { return one<server_info>(tw_client_server); }
  server_info server() const { return try_server().value(); }

  result<void> try_watch() const {
    return detail::call([&](tw_error **err) { return tw_client_watch(get(), err); });
  }
  void watch() const { try_watch().value(); }
  /* For loops of one's own: see tw_client_fd and tw_client_poll. */
  int fd() const {
    int fd = -1;
    tw_client_fd(get(), &fd, nullptr);
    return fd;
  }
  result<events> try_poll(std::optional<milliseconds> timeout, std::size_t max = 64) const {
    tw_events *raw = nullptr;
    auto done = detail::call(
        [&](tw_error **err) { return tw_client_poll(get(), detail::limit(timeout), max, &raw, err); });
    if (!done) return done.error();
    return events(raw);
  }
  events poll(std::optional<milliseconds> timeout, std::size_t max = 64) const { return try_poll(timeout, max).value(); }

  result<stream_info> try_create_stream(const std::string &name) const {
    return one<stream_info>(tw_client_create_stream, detail::text(name));
  }
  stream_info create_stream(const std::string &name) const { return try_create_stream(name).value(); }
  result<stream_info> try_describe_stream(const std::string &name) const {
    return one<stream_info>(tw_client_describe_stream, detail::text(name));
  }
  stream_info describe_stream(const std::string &name) const { return try_describe_stream(name).value(); }
  result<streams> try_list_streams() const { return one<streams>(tw_client_list_streams); }
  streams list_streams() const { return try_list_streams().value(); }
  result<void> try_purge_stream(const std::string &name) const {
    return detail::call([&](tw_error **err) { return tw_client_purge_stream(get(), detail::text(name), err); });
  }
  void purge_stream(const std::string &name) const { try_purge_stream(name).value(); }
  result<void> try_delete_stream(const std::string &name, bool with_topics = false) const {
    return detail::call([&](tw_error **err) { return tw_client_delete_stream(get(), detail::text(name), with_topics, err); });
  }
  void delete_stream(const std::string &name, bool with_topics = false) const {
    try_delete_stream(name, with_topics).value();
  }

  result<topic_info> try_create_topic(const std::string &topic, const topic_options &options = {}) const {
    tw_topic_options raw = detail::raw(options);
    return one<topic_info>(tw_client_create_topic, detail::text(topic), &raw);
  }
  topic_info create_topic(const std::string &topic, const topic_options &options = {}) const {
    return try_create_topic(topic, options).value();
  }
  result<topic_info> try_update_topic(const std::string &topic, const topic_options &options) const {
    tw_topic_options raw = detail::raw(options);
    return one<topic_info>(tw_client_update_topic, detail::text(topic), &raw);
  }
  topic_info update_topic(const std::string &topic, const topic_options &options) const {
    return try_update_topic(topic, options).value();
  }
  result<topic_info> try_add_partitions(const std::string &topic, std::uint32_t partitions) const {
    return one<topic_info>(tw_client_add_partitions, detail::text(topic), partitions);
  }
  topic_info add_partitions(const std::string &topic, std::uint32_t partitions) const {
    return try_add_partitions(topic, partitions).value();
  }
  result<topic_info> try_describe_topic(const std::string &topic) const {
    return one<topic_info>(tw_client_describe_topic, detail::text(topic));
  }
  topic_info describe_topic(const std::string &topic) const { return try_describe_topic(topic).value(); }
  result<topics> try_list_topics(const std::string &stream) const {
    return one<topics>(tw_client_list_topics, detail::text(stream));
  }
  topics list_topics(const std::string &stream) const { return try_list_topics(stream).value(); }
  result<partitions> try_list_partitions(const std::string &topic) const {
    return one<partitions>(tw_client_list_partitions, detail::text(topic));
  }
  partitions list_partitions(const std::string &topic) const { return try_list_partitions(topic).value(); }
  result<void> try_purge_topic(const std::string &topic) const {
    return detail::call([&](tw_error **err) { return tw_client_purge_topic(get(), detail::text(topic), err); });
  }
  void purge_topic(const std::string &topic) const { try_purge_topic(topic).value(); }
  result<std::uint64_t> try_truncate(const std::string &topic, std::uint32_t partition, std::uint64_t before) const {
    std::uint64_t start = 0;
    auto done = detail::call(
        [&](tw_error **err) { return tw_client_truncate(get(), detail::text(topic), partition, before, &start, err); });
    if (!done) return done.error();
    return start;
  }
  std::uint64_t truncate(const std::string &topic, std::uint32_t partition, std::uint64_t before) const {
    return try_truncate(topic, partition, before).value();
  }
  result<void> try_delete_topic(const std::string &topic) const {
    return detail::call([&](tw_error **err) { return tw_client_delete_topic(get(), detail::text(topic), err); });
  }
  void delete_topic(const std::string &topic) const { try_delete_topic(topic).value(); }
  result<producers> try_list_producers(const std::string &topic) const {
    return one<producers>(tw_client_list_producers, detail::text(topic));
  }
  producers list_producers(const std::string &topic) const { return try_list_producers(topic).value(); }
  result<void> try_forget_producer(const std::string &topic, const std::string &name) const {
    return detail::call(
        [&](tw_error **err) { return tw_client_forget_producer(get(), detail::text(topic), detail::text(name), err); });
  }
  void forget_producer(const std::string &topic, const std::string &name) const {
    try_forget_producer(topic, name).value();
  }

  result<group_info> try_create_group(const std::string &group) const {
    return one<group_info>(tw_client_create_group, detail::text(group));
  }
  group_info create_group(const std::string &group) const { return try_create_group(group).value(); }
  result<groups> try_list_groups() const { return one<groups>(tw_client_list_groups); }
  groups list_groups() const { return try_list_groups().value(); }
  result<group_description> try_describe_group(const std::string &group) const {
    return one<group_description>(tw_client_describe_group, detail::text(group));
  }
  group_description describe_group(const std::string &group) const { return try_describe_group(group).value(); }
  result<void> try_delete_group(const std::string &group) const {
    return detail::call([&](tw_error **err) { return tw_client_delete_group(get(), detail::text(group), err); });
  }
  void delete_group(const std::string &group) const { try_delete_group(group).value(); }
  result<offsets> try_committed(const std::string &group, const std::string &topic) const {
    return one<offsets>(tw_client_committed, detail::text(group), detail::text(topic));
  }
  offsets committed(const std::string &group, const std::string &topic) const {
    return try_committed(group, topic).value();
  }
  /* Of all partitions if `of` is not set. */
  result<offsets> try_reset_offsets(const std::string &group, const std::string &topic,
                                    const std::optional<std::vector<std::uint32_t>> &of, start to,
                                    bool force = false) const {
    const std::uint32_t nothing = 0;
    const std::uint32_t *data = !of ? nullptr : of->empty() ? &nothing : of->data();
    return one<offsets>(tw_client_reset_offsets, detail::text(group), detail::text(topic), data, of ? of->size() : 0, to.kind,
                        to.at, force);
  }
  offsets reset_offsets(const std::string &group, const std::string &topic,
                        const std::optional<std::vector<std::uint32_t>> &of, start to, bool force = false) const {
    return try_reset_offsets(group, topic, of, to, force).value();
  }
  result<void> try_delete_offsets(const std::string &group, const std::string &topic,
                                  const std::optional<std::vector<std::uint32_t>> &of = std::nullopt) const {
    const std::uint32_t nothing = 0;
    const std::uint32_t *data = !of ? nullptr : of->empty() ? &nothing : of->data();
    return detail::call([&](tw_error **err) {
      return tw_client_delete_offsets(get(), detail::text(group), detail::text(topic), data, of ? of->size() : 0, err);
    });
  }
  void delete_offsets(const std::string &group, const std::string &topic,
                      const std::optional<std::vector<std::uint32_t>> &of = std::nullopt) const {
    try_delete_offsets(group, topic, of).value();
  }

  /* What the server enforces, and how much of it is used. */
  result<limits> try_describe_limits() const { return one<limits>(tw_client_describe_limits); }
  limits describe_limits() const { return try_describe_limits().value(); }

  /* Without a password a user logs in with tokens only. A grant is a text, "read,write topic shop/orders". */
  result<user_info> try_create_user(const std::string &name, const std::optional<std::string> &password = std::nullopt,
                                    const std::vector<std::string> &grants = {}) const {
    const auto raw = detail::texts(grants);
    return one<user_info>(tw_client_create_user, detail::text(name), detail::text(password), raw.data(), raw.size());
  }
  user_info create_user(const std::string &name, const std::optional<std::string> &password = std::nullopt,
                        const std::vector<std::string> &grants = {}) const {
    return try_create_user(name, password, grants).value();
  }
  result<void> try_delete_user(const std::string &name) const {
    return detail::call([&](tw_error **err) { return tw_client_delete_user(get(), detail::text(name), err); });
  }
  void delete_user(const std::string &name) const { try_delete_user(name).value(); }
  result<user_info> try_enable_user(const std::string &name, bool enabled = true) const {
    return one<user_info>(tw_client_enable_user, detail::text(name), enabled);
  }
  user_info enable_user(const std::string &name, bool enabled = true) const {
    return try_enable_user(name, enabled).value();
  }
  /* Of the client's own user if none is named, as in what follows. */
  result<void> try_change_password(const std::string &password,
                                   const std::optional<std::string> &user = std::nullopt) const {
    return detail::call([&](tw_error **err) {
      return tw_client_change_password(get(), detail::text(user), detail::text(password), err);
    });
  }
  void change_password(const std::string &password, const std::optional<std::string> &user = std::nullopt) const {
    try_change_password(password, user).value();
  }
  result<user_description> try_describe_user(const std::optional<std::string> &name = std::nullopt) const {
    return one<user_description>(tw_client_describe_user, detail::text(name));
  }
  user_description describe_user(const std::optional<std::string> &name = std::nullopt) const {
    return try_describe_user(name).value();
  }
  result<users> try_list_users() const { return one<users>(tw_client_list_users); }
  users list_users() const { return try_list_users().value(); }
  /* What the user may do then. */
  result<grants> try_change_grants(const std::string &user, const std::vector<std::string> &revoke,
                                   const std::vector<std::string> &grant) const {
    const auto raw_revoke = detail::texts(revoke), raw_grant = detail::texts(grant);
    return one<grants>(tw_client_change_grants, detail::text(user), raw_revoke.data(), raw_revoke.size(), raw_grant.data(),
                       raw_grant.size());
  }
  grants change_grants(const std::string &user, const std::vector<std::string> &revoke,
                       const std::vector<std::string> &grant) const {
    return try_change_grants(user, revoke, grant).value();
  }
  /* For ever if no lifetime is given. */
  result<new_token> try_create_token(const std::string &name, const std::optional<std::string> &user = std::nullopt,
                                     std::optional<milliseconds> lifetime = std::nullopt) const {
    if (lifetime && lifetime->count() <= 0) {
      // 0 would be for ever to the library.
      return one<new_token>(tw_client_create_token, detail::text(user), detail::text(name), UINT64_MAX);
    }
    const std::uint64_t ms = lifetime ? static_cast<std::uint64_t>(lifetime->count()) : 0;
    return one<new_token>(tw_client_create_token, detail::text(user), detail::text(name), ms);
  }
  new_token create_token(const std::string &name, const std::optional<std::string> &user = std::nullopt,
                         std::optional<milliseconds> lifetime = std::nullopt) const {
    return try_create_token(name, user, lifetime).value();
  }
  result<tokens> try_list_tokens(const std::optional<std::string> &user = std::nullopt) const {
    return one<tokens>(tw_client_list_tokens, detail::text(user));
  }
  tokens list_tokens(const std::optional<std::string> &user = std::nullopt) const {
    return try_list_tokens(user).value();
  }
  result<void> try_delete_token(std::uint64_t id) const {
    return detail::call([&](tw_error **err) { return tw_client_delete_token(get(), id, err); });
  }
  void delete_token(std::uint64_t id) const { try_delete_token(id).value(); }

  tw_client *get() const { return raw_.get(); }

 private:
  /* Makes a call that gives one thing. */
  template <class Held, class F, class... Arguments>
  result<Held> one(F f, Arguments... arguments) const {
    typename Held::pointer raw = nullptr;
    auto done = detail::call([&](tw_error **err) { return f(get(), arguments..., &raw, err); });
    if (!done) return done.error();
    return result<Held>(Held(raw));
  }

  detail::handle<tw_client, tw_client_free> raw_;
};

}  // namespace tidewire

#endif /* TIDEWIRE_HPP */
