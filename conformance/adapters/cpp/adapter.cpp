/* The conformance adapter of tidewire.hpp: JSON lines in, calls of the C++ wrapper, JSON lines out. It
 * does what it is told and judges nothing; conformance/README.md describes the lines.
 *
 * Owns the operations; json.h and values.h of the C adapter write values. Each line runs on a thread of
 * its own, within a canceller, so that it can be cancelled or closed from beside it.
 */
#include <cstdio>
#include <iostream>
#include <map>
#include <mutex>
#include <thread>
#include <unistd.h>

#include "tidewire.hpp"

// Behind the standard library's headers: it has common names.
#include "json.h"
#include "values.h"

namespace tw = tidewire;
using namespace std::chrono_literals;

static const char *const FEATURES =
    R"("admin","fetch","producer","enqueue","named_producer","record_id","codecs","consumer","seek","pause",)"
    R"("positions","partitions","stats","events","cancel","concurrent","reconnect","timestamps","retention",)"
    R"("option_structs","topic_update","truncate","groups","offsets","named_consumer","users","limits")";

struct unsupported : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct bad : std::runtime_error {
  using std::runtime_error::runtime_error;
};

static std::mutex lock;
template <class T>
using named = std::map<std::string, std::shared_ptr<T>>;
static named<tw::client> clients;
static named<tw::producer> producers;
static named<tw::consumer> consumers;
static named<tw::ticket> tickets;
static named<tw::canceller> running;

template <class T>
static void keep(named<T> &all, const char *name, T it) {
  std::lock_guard<std::mutex> held(lock);
  all[name] = std::make_shared<T>(std::move(it));
}

template <class T>
static std::shared_ptr<T> find(named<T> &all, const char *name) {
  std::lock_guard<std::mutex> held(lock);
  auto found = name != nullptr ? all.find(name) : all.end();
  if (found == all.end()) throw bad("nothing has this name");
  return found->second;
}

/* JSON as it is written. */
struct writer {
  text out{nullptr, 0, 0};
  ~writer() { free(out.at); }
  template <class... A>
  writer &add(const char *format, A... arguments) {
    ::put(&out, format, arguments...);
    return *this;
  }
  writer &raw(const std::string &it) {
    put_bytes(&out, it.data(), it.size());
    return *this;
  }
  std::string str() const { return out.at ? std::string(out.at, out.len) : "{}"; }
};

static std::string quoted(const char *it) {
  writer w;
  put_string(&w.out, it);
  return w.str();
}

static unsigned long long ull(std::uint64_t it) { return it; }

static std::string shown(const tw::error &it) {
  writer w;
  w.add("{\"code\":%d,\"disposition\":%u,\"kind\":\"%s\",\"message\":", it.code(), it.disposition(), it.kind());
  w.raw(quoted(it.what()));
  if (it.offsets()) w.add(",\"offsets\":[\"%llu\",\"%llu\"]", ull(it.offsets()->first), ull(it.offsets()->second));
  return w.raw("}").str();
}

static std::string shown(const tw::receipt &it) {
  tw_receipt raw{};
  raw.partition = it.partition, raw.offset = it.offset, raw.append_time_us = it.append_time_us;
  raw.acks = it.acks, raw.duplicate = it.duplicate;
  writer w;
  put_receipt(&w.out, &raw);
  return w.str();
}

static tw::start place(const json *it) {
  if (it != nullptr && it->text != nullptr && strcmp(it->text, "earliest") == 0) return tw::start::earliest();
  if (it != nullptr && it->text != nullptr && strcmp(it->text, "latest") == 0) return tw::start::latest();
  if (it != nullptr && it->text != nullptr && strncmp(it->text, "time:", 5) == 0)
    return tw::start::timestamp(strtoll(it->text + 5, nullptr, 10));
  return tw::start::offset(number(it, 0));
}

/* Goes through the options of a request: `known` says whether it set one. */
template <class F>
static void each_option(const json *args, F known) {
  const json *all = field(args, "options");
  for (const json *it = all ? all->first : nullptr; it != nullptr; it = it->next)
    if (!known(std::string(it->name), it)) throw unsupported("the wrapper has no such option");
}

template <class T>
static bool sets(const std::string &name, const char *option, std::optional<T> &to, const json *it) {
  if (name != option) return false;
  to = static_cast<T>(number(it, 0));
  return true;
}

static std::uint32_t word(const json *it, std::initializer_list<const char *> words) {
  std::uint32_t at = 0;
  for (const char *each : words) {
    if (it->text != nullptr && strcmp(it->text, each) == 0) return at;
    at++;
  }
  throw bad("an option has a value that means nothing");
}

static tw::topic_options topic_options(const json *args) {
  tw::topic_options o;
  each_option(args, [&](const std::string &name, const json *it) {
    if (name == "codec") o.codec = word(it, {"none", "lz4", "zstd"});
    return name == "codec" || sets(name, "partitions", o.partitions, it) ||
           sets(name, "segment_bytes", o.segment_bytes, it) || sets(name, "retention_ms", o.retention_ms, it) ||
           sets(name, "retention_bytes", o.retention_bytes, it) || sets(name, "dedup_window_ms", o.dedup_window_ms, it);
  });
  return o;
}

static std::string server(const tw::client &client) {
  auto it = client.server();
  writer w;
  w.add("{\"name\":").raw(quoted(it->name)).add(",\"version\":").raw(quoted(it->version));
  w.add(",\"address\":").raw(quoted(it->address)).add(",\"id\":\"%llu\",\"limits\":{", ull(it->id));
  return w
      .add("\"max_frame_len\":%u,\"max_batch_len\":%u,\"max_batch_records\":%u,\"max_in_flight\":%u,\"max_channels\":%u}}",
           it->max_frame_len, it->max_batch_len, it->max_batch_records, it->max_in_flight, it->max_channels)
      .str();
}

static std::chrono::steady_clock::time_point until(const json *args) {
  return std::chrono::steady_clock::now() + std::chrono::milliseconds(number_of(args, "timeout_ms", 10000));
}

static tw::milliseconds left(std::chrono::steady_clock::time_point at) {
  return std::chrono::duration_cast<tw::milliseconds>(at - std::chrono::steady_clock::now());
}

static std::string general(const std::string &op, const json *args) {
  if (op == "hello") {
    writer w;
    w.add("{\"protocol\":1,\"sdk\":\"cpp\",\"language\":\"C++\",\"sdk_version\":\"%s\",\"features\":[", tw_version());
    return w.raw(FEATURES).raw("]}").str();
  }
  if (op == "connect") {
    tw::client_options o;
    each_option(args, [&](const std::string &name, const json *it) {
      if (name == "client_name") return o.client_name = it->text, true;
      if (name == "user") return o.user = it->text, true;
      if (name == "secret") return o.secret = it->text, true;
      if (name == "secret_file") return o.secret_file = it->text, true;
      if (name == "tls_ca_file") return o.tls_ca_file = it->text, true;
      if (name == "tls_cert_file") return o.tls_cert_file = it->text, true;
      if (name == "tls_key_file") return o.tls_key_file = it->text, true;
      if (name == "tls_danger") return o.tls_danger = it->text, true;
      if (name == "encryption_keys") return o.encryption_keys = it->text, true;
      if (name == "encryption_key_file") return o.encryption_key_file = it->text, true;
      return sets(name, "connect_timeout_ms", o.connect_timeout_ms, it) ||
             sets(name, "request_timeout_ms", o.request_timeout_ms, it) ||
             sets(name, "heartbeat_ms", o.heartbeat_ms, it) || sets(name, "retry_backoff_ms", o.retry_backoff_ms, it) ||
             sets(name, "retry_backoff_max_ms", o.retry_backoff_max_ms, it) ||
             sets(name, "runtime_threads", o.runtime_threads, it) ||
             sets(name, "busy_poll_us", o.busy_poll_us, it);
    });
    tw::client client(string(args, "url"), o);
    auto answer = server(client);
    keep(clients, string(args, "client"), std::move(client));
    return answer;
  }
  auto client = find(clients, string(args, "client"));
  if (op == "server") return server(*client);
  if (op == "ping") return client->ping(), "{}";
  if (op == "limits.describe") {
    writer w;
    put_limits(&w.out, client->describe_limits().get());
    return w.str();
  }
  if (op == "client.close") return client->close(), "{}";
  if (op == "events.watch") return client->watch(), "{}";
  if (op == "events.next") {
    auto end = until(args);
    for (;;) {
      auto events = client->poll(left(end), 1);
      if (events->count == 0) return "{\"event\":null}";
      if (events->items[0]->kind < TW_EVENT_CONNECTED) continue;
      writer w;
      put_event(&w.out, events->items[0]);
      return w.str();
    }
  }
  if (op == "fetch") {
    tw::fetch_options o;
    if (field(args, "max_bytes")) o.max_bytes = static_cast<std::uint32_t>(number_of(args, "max_bytes", 0));
    if (field(args, "min_bytes")) o.min_bytes = static_cast<std::uint32_t>(number_of(args, "min_bytes", 0));
    if (field(args, "max_wait_ms")) o.max_wait_ms = static_cast<std::uint32_t>(number_of(args, "max_wait_ms", 0));
    auto found = client->fetch(string(args, "topic"), static_cast<std::uint32_t>(number_of(args, "partition", 0)),
                               number_of(args, "offset", 0), o);
    writer w;
    w.add("{\"batches\":%zu,\"start_offset\":\"%llu\",\"end_offset\":\"%llu\",\"next_offset\":\"%llu\",\"records\":[",
          found.batches(), ull(found.start_offset()), ull(found.end_offset()), ull(found.next_offset()));
    for (std::size_t i = 0, n = 0; i < found.batches(); i++) put_records(&w.out, found.batch(i), &n);
    return w.raw("]}").str();
  }
  throw unsupported("no such operation");
}

static std::string shown(const tw::stream_info &it) {
  writer w;
  put_stream(&w.out, it.get());
  return w.str();
}

static std::string shown(const tw::topic_info &it) {
  writer w;
  put_topic(&w.out, it.get());
  return w.str();
}

static std::string admin(const std::string &op, const json *args) {
  auto client = find(clients, string(args, "client"));
  const std::string name = string(args, "name") ? string(args, "name") : "";
  const std::string topic = string(args, "topic") ? string(args, "topic") : "";
  auto options = topic_options(args);
  const char *comma = "";
  writer w;
  if (op == "stream.create") return shown(client->create_stream(name));
  if (op == "stream.describe") return shown(client->describe_stream(name));
  if (op == "stream.purge") return client->purge_stream(name), "{}";
  if (op == "stream.delete") return client->delete_stream(name, truth(args, "with_topics")), "{}";
  if (op == "stream.list") {
    auto all = client->list_streams();
    w.add("{\"streams\":[");
    for (std::size_t i = 0; i < all->count; i++, comma = ",") w.raw(comma), put_stream(&w.out, all->items[i]);
    return w.raw("]}").str();
  }
  if (op == "topic.create") return shown(client->create_topic(topic, options));
  if (op == "topic.update") return shown(client->update_topic(topic, options));
  if (op == "topic.describe") return shown(client->describe_topic(topic));
  if (op == "topic.add_partitions")
    return shown(client->add_partitions(topic, static_cast<std::uint32_t>(number_of(args, "partitions", 0))));
  if (op == "topic.purge") return client->purge_topic(topic), "{}";
  if (op == "topic.delete") return client->delete_topic(topic), "{}";
  if (op == "topic.truncate") {
    auto start = client->truncate(topic, static_cast<std::uint32_t>(number_of(args, "partition", 0)),
                                  number_of(args, "before_offset", 0));
    return w.add("{\"start_offset\":\"%llu\"}", ull(start)).str();
  }
  if (op == "topic.list") {
    auto all = client->list_topics(string(args, "stream"));
    w.add("{\"topics\":[");
    for (std::size_t i = 0; i < all->count; i++, comma = ",") w.raw(comma), put_topic(&w.out, all->items[i]);
    return w.raw("]}").str();
  }
  if (op == "topic.partitions") {
    auto all = client->list_partitions(topic);
    w.add("{\"partitions\":[");
    for (std::size_t i = 0; i < all->count; i++, comma = ",") {
      const auto &it = *all->items[i];
      w.add("%s{\"partition\":%u,\"start_offset\":\"%llu\",\"end_offset\":\"%llu\",\"synced_offset\":\"%llu\",", comma,
            it.partition, ull(it.start_offset), ull(it.end_offset), ull(it.synced_offset));
      w.add("\"size_bytes\":\"%llu\",\"segments\":%u,\"error\":%d}", ull(it.size_bytes), it.segments, it.error);
    }
    return w.raw("]}").str();
  }
  throw unsupported("no such operation");
}

/* A record of a line, as the wrapper wants it; what it refers to is the line's and `owned`'s. */
static tw::record record_of(const json *it, owned_record &owned) {
  if (!read_record(it, &owned)) throw bad("no record");
  tw::record record;
  record.value = owned.record.value;
  record.key = owned.record.key;
  for (std::size_t i = 0; i < owned.record.header_count; i++) {
    const tw_header &each = owned.record.headers[i];
    record.headers.push_back({tw::bytes(each.name).text(), tw::bytes(each.value)});
  }
  if (owned.record.set & TW_RECORD_TIMESTAMP) record.timestamp_us = owned.record.timestamp_us;
  if (owned.record.set & TW_RECORD_PARTITION) record.partition = owned.record.partition;
  record.id = owned.record.id;
  return record;
}

static std::string outcome(const tw::ticket &ticket) {
  auto receipt = ticket.try_wait();
  return receipt ? shown(*receipt) : "{\"error\":" + shown(receipt.error()) + "}";
}

static std::string produce(const std::string &op, const json *args) {
  writer w;
  if (op == "producer.open") {
    tw::producer_options o;
    if (string(args, "name")) o.name = string(args, "name");
    each_option(args, [&](const std::string &name, const json *it) {
      if (name == "acks") return o.acks = word(it, {"none", "written", "synced"}), true;
      if (name == "codec") return o.codec = word(it, {"none", "lz4", "zstd"}), true;
      if (name == "queue_full") return o.queue_full = word(it, {"block", "error", "drop"}), true;
      return sets(name, "linger_ms", o.linger_ms, it) || sets(name, "batch_bytes", o.batch_bytes, it) ||
             sets(name, "batch_records", o.batch_records, it) || sets(name, "queue_bytes", o.queue_bytes, it) ||
             sets(name, "max_in_flight", o.max_in_flight, it) ||
             sets(name, "encryption_key_id", o.encryption_key_id, it) ||
             sets(name, "delivery_timeout_ms", o.delivery_timeout_ms, it);
    });
    auto producer = find(clients, string(args, "client"))->open_producer(string(args, "topic"), o);
    w.add("{\"partitions\":%u}", producer.partitions());
    keep(producers, string(args, "producer"), std::move(producer));
    return w.str();
  }
  if (op == "producer.list") {
    auto all = find(clients, string(args, "client"))->list_producers(string(args, "topic"));
    put_producers(&w.out, all.get());
    return w.str();
  }
  if (op == "producer.forget")
    return find(clients, string(args, "client"))->forget_producer(string(args, "topic"), string(args, "name")), "{}";
  auto producer = find(producers, string(args, "producer"));
  if (op == "producer.send") {
    owned_record owned;
    auto record = record_of(field(args, "record"), owned);
    auto receipt = producer->try_send(record);
    free_record(&owned);
    return shown(std::move(receipt).value());
  }
  const char *comma = "";
  if (op == "producer.send_many" || op == "producer.enqueue") {
    const bool many = op == "producer.send_many";
    std::vector<tw::ticket> made;
    const json *all = field(args, "records");
    for (const json *it = all ? all->first : nullptr; it != nullptr; it = it->next) {
      owned_record owned;
      auto record = record_of(it, owned);
      auto ticket = producer->try_enqueue(record);
      while (many && !ticket && ticket.error().code() == TW_E_QUEUE_FULL) {
        producer->ready();
        ticket = producer->try_enqueue(record);
      }
      free_record(&owned);
      made.push_back(std::move(ticket).value());
    }
    if (many) {
      // What fails is told by its ticket.
      (void)producer->try_flush();
      w.add("{\"receipts\":[");
      for (auto &ticket : made) w.raw(comma).raw(outcome(ticket)), comma = ",";
    } else {
      static int next = 0;
      w.add("{\"tickets\":[");
      for (auto &ticket : made) {
        std::string name;
        {
          std::lock_guard<std::mutex> held(lock);
          name = "t" + std::to_string(next++);
        }
        keep(tickets, name.c_str(), std::move(ticket));
        w.raw(comma).raw(quoted(name.c_str())), comma = ",";
      }
    }
    return w.raw("]}").str();
  }
  if (op == "producer.wait") {
    const json *names = field(args, "tickets");
    w.add("{\"receipts\":[");
    for (const json *it = names ? names->first : nullptr; it != nullptr; it = it->next, comma = ",")
      w.raw(comma).raw(outcome(*find(tickets, it->text)));
    return w.raw("]}").str();
  }
  if (op == "producer.flush") return producer->flush(), "{}";
  if (op == "producer.close") return producer->close(), "{}";
  if (op == "producer.stats") return w.add("{\"queued_bytes\":\"%llu\"}", ull(producer->stats().queued_bytes)).str();
  throw unsupported("no such operation");
}

static std::string open_consumer(const json *args) {
  tw::consumer_options o;
  if (string(args, "group")) o.group = string(args, "group");
  if (string(args, "name")) o.name = string(args, "name");
  each_option(args, [&](const std::string &name, const json *it) {
    if (name == "start") return o.start = place(it), true;
    if (name == "member_name") return o.member_name = it->text, true;
    if (name == "auto_commit") return o.auto_commit = word(it, {"off", "interval", "after", "before"}), true;
    if (name == "on_out_of_range") return o.on_out_of_range = word(it, {"error", "earliest", "latest"}), true;
    return sets(name, "prefetch_bytes", o.prefetch_bytes, it) ||
           sets(name, "session_timeout_ms", o.session_timeout_ms, it) ||
           sets(name, "rebalance_timeout_ms", o.rebalance_timeout_ms, it) ||
           sets(name, "auto_commit_interval_ms", o.auto_commit_interval_ms, it);
  });
  if (const json *all = field(args, "partitions")) {
    o.partitions.emplace();
    for (const json *it = all->first; it != nullptr; it = it->next)
      o.partitions->push_back(static_cast<std::uint32_t>(number(it, 0)));
  }
  if (const json *all = field(args, "start_at"))
    for (const json *it = all->first; it != nullptr; it = it->next)
      o.offsets.emplace_back(static_cast<std::uint32_t>(strtoul(it->name, nullptr, 10)), number(it, 0));
  keep(consumers, string(args, "consumer"),
       find(clients, string(args, "client"))->open_consumer(string(args, "topic"), o));
  return "{}";
}

static std::string consume(const std::string &op, const json *args) {
  if (op == "consumer.open") return open_consumer(args);
  auto consumer = find(consumers, string(args, "consumer"));
  const auto partition = static_cast<std::uint32_t>(number_of(args, "partition", 0));
  writer w;
  std::size_t n = 0;
  if (op == "consumer.next_batch") {
    auto batch = consumer->next_batch(left(until(args)));
    if (!batch) return w.add("{\"batch\":null,\"closed\":%s}", consumer->is_closed() ? "true" : "false").str();
    w.add("{\"closed\":false,\"batch\":{\"partition\":%u,\"base_offset\":\"%llu\",\"next_offset\":\"%llu\",\"records\":[",
          batch->partition(), ull(batch->base_offset()), ull(batch->next_offset()));
    put_records(&w.out, batch->get(), &n);
    return w.raw("]}}").str();
  }
  if (op == "consumer.read") {
    std::uint64_t count = number_of(args, "count", 0), seen = 0;
    const bool digest = truth(args, "digest");
    digests sums{};
    writer records;
    for (auto end = until(args); seen < count;) {
      auto batch = consumer->next_batch(left(end));
      if (!batch) break;
      seen += batch->size();
      if (digest) add_digest(&sums, batch->get());
      else put_records(&records.out, batch->get(), &n);
    }
    w.add("{\"count\":\"%llu\",", ull(seen));
    if (digest) put_digests(&w.out, &sums);
    else w.raw("\"records\":[").raw(records.out.len > 0 ? records.str() : "").raw("]");
    return w.raw("}").str();
  }
  if (op == "consumer.seek") return consumer->seek(partition, place(field(args, "to"))), "{}";
  if (op == "consumer.pause") return consumer->pause(partition), "{}";
  if (op == "consumer.resume") return consumer->resume(partition), "{}";
  if (op == "consumer.add_partition") return consumer->add_partition(partition, place(field(args, "start"))), "{}";
  if (op == "consumer.remove_partition") return consumer->remove_partition(partition), "{}";
  if (op == "consumer.commit") return consumer->commit(), "{}";
  if (op == "consumer.close") return consumer->close(), "{}";
  if (op == "consumer.positions") {
    const char *comma = "";
    w.add("{\"lag\":\"%llu\",\"positions\":[", ull(consumer->lag()));
    for (const auto &it : consumer->positions()) {
      w.add("%s{\"partition\":%u", comma, it.partition), comma = ",";
      w.add(",\"next_offset\":\"%llu\",\"end_offset\":\"%llu\"", ull(it.next_offset), ull(it.end_offset));
      w.add("}");
    }
    return w.raw("]}").str();
  }
  if (op == "consumer.stats") {
    auto it = consumer->stats();
    w.add("{\"partitions\":%llu,\"live_partitions\":%llu,\"buffered_bytes\":\"%llu\",", ull(it.partitions),
          ull(it.live_partitions), ull(it.buffered_bytes));
    return w.add("\"batches\":\"%llu\",\"bytes\":\"%llu\",\"resubscriptions\":\"%llu\"}", ull(it.batches), ull(it.bytes),
                 ull(it.resubscriptions)).str();
  }
  throw unsupported("no such operation");
}

static std::string groups(const std::string &op, const json *args) {
  auto client = find(clients, string(args, "client"));
  const std::string group = string(args, "group") ? string(args, "group") : "";
  const std::string topic = string(args, "topic") ? string(args, "topic") : "";
  const std::vector<std::uint32_t> partitions{static_cast<std::uint32_t>(number_of(args, "partition", 0))};
  const char *comma = "";
  writer w;
  if (op == "group.create") return w.add("{\"name\":").raw(quoted(client->create_group(group)->name)).add("}").str();
  if (op == "group.delete") return client->delete_group(group), "{}";
  if (op == "group.list") {
    auto all = client->list_groups();
    w.add("{\"groups\":[");
    for (std::size_t i = 0; i < all->count; i++, comma = ",")
      w.add("%s{\"name\":", comma).raw(quoted(all->items[i]->name)).add(",\"members\":%u}", all->items[i]->members);
    return w.raw("]}").str();
  }
  if (op == "group.describe") {
    auto it = client->describe_group(group);
    w.add("{\"name\":").raw(quoted(it->info->name));
    return w.add(",\"generation\":%u,\"members\":%zu,\"partitions\":%zu}", it->info->generation, it->member_count,
                 it->partition_count).str();
  }
  if (op == "offsets.get") {
    auto all = client->committed(group, topic);
    w.add("{\"offsets\":[");
    for (std::size_t i = 0; i < all->count; i++, comma = ",")
      w.add("%s{\"partition\":%u,\"offset\":\"%llu\"}", comma, all->items[i]->partition, ull(all->items[i]->offset));
    return w.raw("]}").str();
  }
  if (op == "offsets.set")
    return client->reset_offsets(group, topic, partitions, tw::start::offset(number_of(args, "offset", 0))), "{}";
  if (op == "offsets.delete") return client->delete_offsets(group, topic, partitions), "{}";
  throw unsupported("no such operation");
}

static std::vector<std::string> texts(const json *args, const char *name) {
  std::vector<std::string> out;
  const json *all = field(args, name);
  for (const json *it = all ? all->first : nullptr; it != nullptr; it = it->next) out.emplace_back(it->text);
  return out;
}

static std::optional<std::string> optional(const json *args, const char *name) {
  const char *it = string(args, name);
  return it ? std::optional<std::string>(it) : std::nullopt;
}

static std::string shown(const tw::user_info &it) {
  writer w;
  put_user(&w.out, it.get(), true);
  return w.str();
}

static std::string users(const std::string &op, const json *args) {
  auto client = find(clients, string(args, "client"));
  const auto user = optional(args, "user");
  const std::string name = optional(args, "name").value_or("");
  const char *comma = "";
  writer w;
  if (op == "user.create") return shown(client->create_user(name, optional(args, "password"), texts(args, "grants")));
  if (op == "user.enable") return shown(client->enable_user(name, truth(args, "enabled")));
  if (op == "user.password")
    return client->change_password(optional(args, "password").value_or(""), optional(args, "name")), "{}";
  if (op == "user.delete") return client->delete_user(name), "{}";
  if (op == "user.describe") {
    auto it = client->describe_user(optional(args, "name"));
    put_user(&w.out, it->user, false);
    put_grants(&w.out, it->grants, it->grant_count);
    return w.raw("}").str();
  }
  if (op == "user.list") {
    auto all = client->list_users();
    w.add("{\"users\":[");
    for (std::size_t i = 0; i < all->count; i++, comma = ",") w.raw(comma), put_user(&w.out, all->items[i], true);
    return w.raw("]}").str();
  }
  if (op == "user.grants") {
    auto left = client->change_grants(name, texts(args, "revoke"), texts(args, "grant"));
    w.add("{\"name\":").raw(quoted(name.c_str()));
    put_grants(&w.out, left->items, left->count);
    return w.raw("}").str();
  }
  if (op == "token.create") {
    std::optional<tw::milliseconds> lifetime;
    if (field(args, "lifetime_ms")) lifetime = tw::milliseconds(number_of(args, "lifetime_ms", 0));
    auto made = client->create_token(name, user, lifetime);
    put_token(&w.out, made->token);
    return w.add(",\"secret\":\"%s\"}", made->secret).str();
  }
  if (op == "token.list") {
    auto all = client->list_tokens(user);
    w.add("{\"tokens\":[");
    for (std::size_t i = 0; i < all->count; i++, comma = ",")
      w.raw(comma), put_token(&w.out, all->items[i]), w.raw("}");
    return w.raw("]}").str();
  }
  if (op == "token.delete") return client->delete_token(number_of(args, "id", 0)), "{}";
  throw unsupported("no such operation");
}

static std::string run(const std::string &op, const json *args) {
  const std::string family = op.substr(0, op.find('.'));
  if (family == "producer") return produce(op, args);
  if (family == "consumer") return consume(op, args);
  if (family == "group" || family == "offsets") return groups(op, args);
  if (family == "user" || family == "token") return users(op, args);
  if (family == "stream" || family == "topic") return admin(op, args);
  return general(op, args);
}

static void serve(json *line) {
  const char *id = field(line, "id")->text;
  const std::string op = string(line, "op");
  std::string answer;
  try {
    if (op == "cancel") {
      std::lock_guard<std::mutex> held(lock);
      auto found = running.find(field(field(line, "args"), "request")->text);
      if (found != running.end()) found->second->cancel();
      answer = "\"ok\":{}";
    } else {
      auto by = find(running, id);
      tw::canceller::scope interruptible(*by);
      answer = "\"ok\":" + run(op, field(line, "args"));
    }
  } catch (const tw::error &error) {
    answer = error.code() == TW_E_INTERRUPTED ? "\"cancelled\":true" : "\"err\":" + shown(error);
  } catch (const unsupported &what) {
    answer = "\"unsupported\":" + quoted(what.what());
  } catch (const std::exception &what) {
    answer = "\"fail\":" + quoted(what.what());
  }
  std::lock_guard<std::mutex> held(lock);
  running.erase(id);
  std::cout << "{\"id\":" << id << ',' << answer << "}" << std::endl;
  json_free(line);
}

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    json *read = json_read(line.data(), line.size());
    if (string(read, "op") == nullptr || field(read, "id") == nullptr) {
      std::cerr << "not a request: " << line << '\n';
      return 1;
    }
    keep(running, field(read, "id")->text, tw::canceller());
    std::thread(serve, read).detach();
  }
  // The end of the input is the end of the adapter, whatever is still under way.
  lock.lock();
  _exit(0);
}
