/* The conformance adapter of the C library: JSON lines in, calls of tidewire.h, JSON lines out. It does
 * what it is told and judges nothing; conformance/README.md describes the lines.
 *
 * Owns the operations. Each line runs on a thread of its own, within a canceller, so that it can be
 * cancelled or closed from beside it.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "json.h"
#include "tidewire.h"
#include "values.h"

#define FEATURES                                                                                    \
  "\"admin\",\"fetch\",\"producer\",\"enqueue\",\"named_producer\",\"record_id\",\"codecs\","       \
  "\"consumer\",\"seek\",\"pause\",\"positions\",\"partitions\",\"stats\",\"events\",\"cancel\","    \
  "\"concurrent\",\"reconnect\",\"timestamps\",\"retention\",\"option_structs\",\"topic_update\","  \
  "\"truncate\",\"groups\",\"offsets\",\"named_consumer\",\"users\",\"limits\",\"fork\""

typedef struct named {
  char *name;
  char kind; /* c: client, p: producer, r: consumer, t: ticket, o: operation */
  void *handle;
  struct named *next;
} named;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static named *all;
static unsigned long next_ticket;

static void keep(char kind, const char *name, void *handle) {
  named *it = malloc(sizeof *it);
  if (it == NULL || (it->name = strdup(name)) == NULL) abort();
  it->kind = kind;
  it->handle = handle;
  pthread_mutex_lock(&lock);
  it->next = all;
  all = it;
  pthread_mutex_unlock(&lock);
}

static void *find(char kind, const char *name, bool take) {
  void *handle = NULL;
  pthread_mutex_lock(&lock);
  for (named **place = &all; *place != NULL; place = &(*place)->next) {
    named *it = *place;
    if (it->kind != kind || name == NULL || strcmp(it->name, name) != 0) continue;
    handle = it->handle;
    if (take) {
      *place = it->next;
      free(it->name);
      free(it);
    }
    break;
  }
  pthread_mutex_unlock(&lock);
  return handle;
}

/* Cancels an operation, if it is still there. */
static void cancel(const char *name) {
  pthread_mutex_lock(&lock);
  for (named *it = all; it != NULL; it = it->next)
    if (it->kind == 'o' && strcmp(it->name, name) == 0) tw_canceller_cancel(it->handle);
  pthread_mutex_unlock(&lock);
}

/* A request on its way: what is answered, or why it cannot be. */
typedef struct {
  json *line;
  const char *op;
  const json *args;
  text ok;
  tw_error *err;
  const char *unsupported, *fail;
  tw_canceller *canceller;
  /* This is the child of a fork, which ends with its answer, or its parent, which has none to give. */
  bool child, answered;
} request;

static tw_client *client(request *r) {
  tw_client *it = find('c', string(r->args, "client"), false);
  if (it == NULL) r->fail = "no such client";
  return it;
}

static bool is(const request *r, const char *op) { return strcmp(r->op, op) == 0; }

static int64_t timeout(const request *r) { return (int64_t)number_of(r->args, "timeout_ms", 10000); }

static int64_t now_ms(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

/* ---- options ---- */

#define OPTION(type, option) \
  if (strcmp(it->name, #option) == 0) { \
    options->option = (type)number(it, 0); \
    continue; \
  }
#define EACH_OPTION \
  for (const json *it = field(r->args, "options") ? field(r->args, "options")->first : NULL; it != NULL; it = it->next)

static uint32_t word(request *r, const json *it, const char *const *words) {
  for (uint32_t i = 0; words[i] != NULL; i++)
    if (it->text != NULL && strcmp(it->text, words[i]) == 0) return i;
  r->fail = "an option has a value that means nothing";
  return 0;
}

static const char *const CODECS[] = {"none", "lz4", "zstd", NULL};
static const char *const ACKS[] = {"none", "written", "synced", NULL};
static const char *const FULL[] = {"block", "error", "drop", NULL};
static const char *const AUTO_COMMIT[] = {"off", "interval", "after", "before", NULL};
static const char *const OUT_OF_RANGE[] = {"error", "earliest", "latest", NULL};

static void place_of(const json *it, uint32_t *start, uint64_t *at) {
  *at = 0;
  if (it != NULL && it->text != NULL && strcmp(it->text, "earliest") == 0) *start = TW_START_EARLIEST;
  else if (it != NULL && it->text != NULL && strcmp(it->text, "latest") == 0) *start = TW_START_LATEST;
  else if (it != NULL && it->text != NULL && strncmp(it->text, "time:", 5) == 0) {
    *start = TW_START_TIMESTAMP;
    *at = strtoull(it->text + 5, NULL, 10);
  } else {
    *start = TW_START_OFFSET;
    *at = number(it, 0);
  }
}

static void client_options(request *r, tw_client_options *options) {
  EACH_OPTION {
    OPTION(uint32_t, connect_timeout_ms)
    OPTION(uint32_t, request_timeout_ms)
    OPTION(uint32_t, heartbeat_ms)
    OPTION(uint32_t, retry_backoff_ms)
    OPTION(uint32_t, retry_backoff_max_ms)
    OPTION(uint32_t, runtime_threads)
    OPTION(uint32_t, busy_poll_us)
    if (strcmp(it->name, "client_name") == 0) options->client_name = it->text;
    else if (strcmp(it->name, "user") == 0) options->user = it->text;
    else if (strcmp(it->name, "secret") == 0) options->secret = it->text;
    else if (strcmp(it->name, "secret_file") == 0) options->secret_file = it->text;
    else if (strcmp(it->name, "tls_ca_file") == 0) options->tls_ca_file = it->text;
    else if (strcmp(it->name, "tls_cert_file") == 0) options->tls_cert_file = it->text;
    else if (strcmp(it->name, "tls_key_file") == 0) options->tls_key_file = it->text;
    else if (strcmp(it->name, "tls_danger") == 0) options->tls_danger = it->text;
    else if (strcmp(it->name, "encryption_keys") == 0) options->encryption_keys = it->text;
    else if (strcmp(it->name, "encryption_key_file") == 0) options->encryption_key_file = it->text;
    else r->unsupported = "the library has no such option";
  }
}

static void topic_options(request *r, tw_topic_options *options) {
  EACH_OPTION {
    OPTION(uint32_t, partitions)
    OPTION(uint64_t, segment_bytes)
    OPTION(uint64_t, retention_ms)
    OPTION(uint64_t, retention_bytes)
    OPTION(uint64_t, dedup_window_ms)
    if (strcmp(it->name, "codec") == 0) options->codec = word(r, it, CODECS);
    else r->unsupported = "the library has no such option";
  }
}

static void producer_options(request *r, tw_producer_options *options) {
  options->name = string(r->args, "name");
  EACH_OPTION {
    OPTION(uint32_t, linger_ms)
    OPTION(uint32_t, batch_bytes)
    OPTION(uint32_t, batch_records)
    OPTION(uint32_t, queue_bytes)
    OPTION(uint32_t, max_in_flight)
    OPTION(uint32_t, encryption_key_id)
    OPTION(uint32_t, delivery_timeout_ms)
    if (strcmp(it->name, "codec") == 0) options->codec = word(r, it, CODECS);
    else if (strcmp(it->name, "acks") == 0) options->acks = word(r, it, ACKS);
    else if (strcmp(it->name, "queue_full") == 0) options->queue_full = word(r, it, FULL);
    else r->unsupported = "the library has no such option";
  }
}

static void consumer_options(request *r, tw_consumer_options *options) {
  options->group = string(r->args, "group");
  options->name = string(r->args, "name");
  EACH_OPTION {
    OPTION(uint32_t, prefetch_bytes)
    OPTION(uint32_t, session_timeout_ms)
    OPTION(uint32_t, rebalance_timeout_ms)
    OPTION(uint32_t, auto_commit_interval_ms)
    if (strcmp(it->name, "start") == 0) place_of(it, &options->start, &options->start_at);
    else if (strcmp(it->name, "member_name") == 0) options->member_name = it->text;
    else if (strcmp(it->name, "auto_commit") == 0) options->auto_commit = word(r, it, AUTO_COMMIT);
    else if (strcmp(it->name, "on_out_of_range") == 0) options->on_out_of_range = word(r, it, OUT_OF_RANGE);
    else r->unsupported = "the library has no such option";
  }
}

/* ---- operations ---- */

static void put_server(request *r, tw_client *c) {
  tw_server_info *info;
  if (tw_client_server(c, &info, &r->err) != TW_OK) return;
  put(&r->ok, "{\"name\":");
  put_string(&r->ok, info->name);
  put(&r->ok, ",\"version\":");
  put_string(&r->ok, info->version);
  put(&r->ok, ",\"address\":");
  put_string(&r->ok, info->address);
  put(&r->ok, ",\"id\":\"%llu\",\"limits\":{\"max_frame_len\":%u,\"max_batch_len\":%u,\"max_batch_records\":%u,"
      "\"max_in_flight\":%u,\"max_channels\":%u}}", (unsigned long long)info->id, info->max_frame_len,
      info->max_batch_len, info->max_batch_records, info->max_in_flight, info->max_channels);
  tw_server_info_free(info);
}

/* A child of this process goes on with its parent's client: it answers what it is told. */
static void in_a_child(request *r) {
  tw_client *c;
  if (tw_client_connect(string(r->args, "url"), NULL, &c, &r->err) != TW_OK) return;
  pthread_mutex_lock(&lock);
  pid_t child = fork();
  pthread_mutex_unlock(&lock);
  if (child == 0) {
    alarm(20);
    tw_client_ping(c, NULL, &r->err);
    r->child = true;
    return;
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) r->fail = "the child did not answer";
  else r->answered = true;
  tw_client_free(c);
}

static void general(request *r) {
  if (is(r, "hello")) {
    put(&r->ok, "{\"protocol\":1,\"sdk\":\"c\",\"language\":\"C\",\"sdk_version\":\"%s\",\"features\":[", tw_version());
    put_bytes(&r->ok, FEATURES, strlen(FEATURES));
    put(&r->ok, "]}");
    return;
  }
  if (is(r, "process.forked")) {
    in_a_child(r);
    return;
  }
  if (is(r, "connect")) {
    tw_client_options options = TW_CLIENT_OPTIONS_INIT;
    tw_client *c;
    client_options(r, &options);
    if (r->unsupported != NULL || tw_client_connect(string(r->args, "url"), &options, &c, &r->err) != TW_OK) return;
    keep('c', string(r->args, "client"), c);
    put_server(r, c);
    return;
  }
  tw_client *c = client(r);
  if (c == NULL) return;
  if (is(r, "server")) put_server(r, c);
  else if (is(r, "ping")) tw_client_ping(c, NULL, &r->err);
  else if (is(r, "limits.describe")) {
    tw_limits *list;
    if (tw_client_describe_limits(c, &list, &r->err) != TW_OK) return;
    put_limits(&r->ok, list);
    tw_limits_free(list);
  } else if (is(r, "client.close")) tw_client_close(c, &r->err);
  else if (is(r, "events.watch")) tw_client_watch(c, &r->err);
  else if (is(r, "events.next")) {
    int64_t until = now_ms() + timeout(r);
    for (bool told = false; !told && r->err == NULL;) {
      int64_t left = until - now_ms();
      tw_events *events;
      if (tw_client_poll(c, left > 0 ? left : 0, 1, &events, &r->err) != TW_OK) return;
      if (events->count == 0) {
        put(&r->ok, "{\"event\":null}");
        told = true;
      } else if (events->items[0]->kind >= TW_EVENT_CONNECTED) {
        put_event(&r->ok, events->items[0]);
        told = true;
      }
      tw_events_free(events);
    }
  } else if (is(r, "fetch")) {
    tw_fetch_options options = TW_FETCH_OPTIONS_INIT;
    options.max_bytes = (uint32_t)number_of(r->args, "max_bytes", TW_UNSET);
    options.min_bytes = (uint32_t)number_of(r->args, "min_bytes", TW_UNSET);
    options.max_wait_ms = (uint32_t)number_of(r->args, "max_wait_ms", TW_UNSET);
    tw_fetched *found;
    if (tw_client_fetch(c, string(r->args, "topic"), (uint32_t)number_of(r->args, "partition", 0),
                        number_of(r->args, "offset", 0), &options, &found, &r->err) != TW_OK)
      return;
    put(&r->ok, "{\"batches\":%zu,\"start_offset\":\"%llu\",\"end_offset\":\"%llu\",\"next_offset\":\"%llu\",\"records\":[",
        found->batch_count, (unsigned long long)found->start_offset, (unsigned long long)found->end_offset,
        (unsigned long long)found->next_offset);
    for (size_t i = 0, n = 0; i < found->batch_count; i++) put_records(&r->ok, found->batches[i], &n);
    put(&r->ok, "]}");
    tw_fetched_free(found);
  } else r->unsupported = "no such operation";
}

static void admin(request *r) {
  tw_client *c = client(r);
  if (c == NULL) return;
  const char *name = string(r->args, "name"), *topic = string(r->args, "topic");
  tw_topic_options options = TW_TOPIC_OPTIONS_INIT;
  topic_options(r, &options);
  if (r->unsupported != NULL || r->fail != NULL) return;
  tw_stream_info *stream = NULL;
  tw_topic_info *info = NULL;
  if (is(r, "stream.create")) tw_client_create_stream(c, name, &stream, &r->err);
  else if (is(r, "stream.describe")) tw_client_describe_stream(c, name, &stream, &r->err);
  else if (is(r, "stream.purge")) tw_client_purge_stream(c, name, &r->err);
  else if (is(r, "stream.delete")) tw_client_delete_stream(c, name, truth(r->args, "with_topics"), &r->err);
  else if (is(r, "stream.list")) {
    tw_streams *list;
    if (tw_client_list_streams(c, &list, &r->err) != TW_OK) return;
    put(&r->ok, "{\"streams\":[");
    for (size_t i = 0; i < list->count; i++) {
      put(&r->ok, i > 0 ? "," : "");
      put_stream(&r->ok, list->items[i]);
    }
    put(&r->ok, "]}");
    tw_streams_free(list);
  } else if (is(r, "topic.create")) tw_client_create_topic(c, topic, &options, &info, &r->err);
  else if (is(r, "topic.describe")) tw_client_describe_topic(c, topic, &info, &r->err);
  else if (is(r, "topic.update")) tw_client_update_topic(c, topic, &options, &info, &r->err);
  else if (is(r, "topic.add_partitions"))
    tw_client_add_partitions(c, topic, (uint32_t)number_of(r->args, "partitions", 0), &info, &r->err);
  else if (is(r, "topic.purge")) tw_client_purge_topic(c, topic, &r->err);
  else if (is(r, "topic.delete")) tw_client_delete_topic(c, topic, &r->err);
  else if (is(r, "topic.truncate")) {
    uint64_t start;
    if (tw_client_truncate(c, topic, (uint32_t)number_of(r->args, "partition", 0),
                           number_of(r->args, "before_offset", 0), &start, &r->err) == TW_OK)
      put(&r->ok, "{\"start_offset\":\"%llu\"}", (unsigned long long)start);
  } else if (is(r, "topic.list")) {
    tw_topics *list;
    if (tw_client_list_topics(c, string(r->args, "stream"), &list, &r->err) != TW_OK) return;
    put(&r->ok, "{\"topics\":[");
    for (size_t i = 0; i < list->count; i++) {
      put(&r->ok, i > 0 ? "," : "");
      put_topic(&r->ok, list->items[i]);
    }
    put(&r->ok, "]}");
    tw_topics_free(list);
  } else if (is(r, "topic.partitions")) {
    tw_partitions *list;
    if (tw_client_list_partitions(c, topic, &list, &r->err) != TW_OK) return;
    put(&r->ok, "{\"partitions\":[");
    for (size_t i = 0; i < list->count; i++) {
      const tw_partition_info *it = list->items[i];
      put(&r->ok, "%s{\"partition\":%u,\"start_offset\":\"%llu\",\"end_offset\":\"%llu\",\"synced_offset\":\"%llu\","
          "\"size_bytes\":\"%llu\",\"segments\":%u,\"error\":%d}", i > 0 ? "," : "", it->partition,
          (unsigned long long)it->start_offset, (unsigned long long)it->end_offset,
          (unsigned long long)it->synced_offset, (unsigned long long)it->size_bytes, it->segments, it->error);
    }
    put(&r->ok, "]}");
    tw_partitions_free(list);
  } else r->unsupported = "no such operation";
  if (stream != NULL && r->err == NULL) put_stream(&r->ok, stream), tw_stream_info_free(stream);
  if (info != NULL && r->err == NULL) put_topic(&r->ok, info), tw_topic_info_free(info);
}

static void put_outcome(request *r, tw_ticket *ticket, bool first) {
  tw_receipt receipt;
  tw_error *err = NULL;
  put(&r->ok, first ? "" : ",");
  if (tw_ticket_wait(ticket, -1, &receipt, &err) == TW_OK) put_receipt(&r->ok, &receipt);
  else {
    put(&r->ok, "{\"error\":");
    put_error(&r->ok, err);
    put(&r->ok, "}");
    tw_error_free(err);
  }
  tw_ticket_free(ticket);
}

static void produce(request *r) {
  if (is(r, "producer.open")) {
    tw_producer_options options = TW_PRODUCER_OPTIONS_INIT;
    producer_options(r, &options);
    tw_client *c = client(r);
    tw_producer *p;
    if (c == NULL || r->unsupported != NULL || r->fail != NULL ||
        tw_producer_open(c, string(r->args, "topic"), &options, &p, &r->err) != TW_OK)
      return;
    keep('p', string(r->args, "producer"), p);
    put(&r->ok, "{\"partitions\":%u}", tw_producer_partitions(p));
    return;
  }
  if (is(r, "producer.list") || is(r, "producer.forget")) {
    tw_client *c = client(r);
    const char *topic = string(r->args, "topic");
    tw_producers *all;
    if (c == NULL) return;
    if (is(r, "producer.forget")) tw_client_forget_producer(c, topic, string(r->args, "name"), &r->err);
    else if (tw_client_list_producers(c, topic, &all, &r->err) == TW_OK) {
      put_producers(&r->ok, all);
      tw_producers_free(all);
    }
    return;
  }
  tw_producer *p = find('p', string(r->args, "producer"), false);
  const json *list = field(r->args, "records");
  if (p == NULL) r->fail = "no such producer";
  else if (is(r, "producer.send")) {
    owned_record record;
    tw_receipt receipt;
    if (!read_record(field(r->args, "record"), &record)) r->fail = "no record";
    else if (tw_producer_send(p, &record.record, &receipt, &r->err) == TW_OK) put_receipt(&r->ok, &receipt);
    free_record(&record);
  } else if (is(r, "producer.send_many") || is(r, "producer.enqueue")) {
    bool many = is(r, "producer.send_many");
    tw_ticket **tickets = NULL;
    size_t count = 0;
    for (const json *it = list ? list->first : NULL; it != NULL && r->err == NULL; it = it->next) {
      owned_record record;
      tw_ticket *ticket;
      if (!read_record(it, &record)) r->fail = "no record";
      while (tw_producer_enqueue_ticket(p, &record.record, &ticket, &r->err) == TW_E_QUEUE_FULL && many) {
        tw_error_free(r->err);
        r->err = NULL;
        if (tw_producer_ready(p, -1, &r->err) != TW_OK) break;
      }
      free_record(&record);
      if (r->err != NULL) break;
      tickets = realloc(tickets, (count + 1) * sizeof *tickets);
      tickets[count++] = ticket;
    }
    /* What fails is told by its ticket. */
    if (many && r->err == NULL) tw_producer_flush(p, -1, NULL);
    put(&r->ok, many ? "{\"receipts\":[" : "{\"tickets\":[");
    for (size_t i = 0; i < count; i++) {
      if (r->err != NULL) tw_ticket_free(tickets[i]);
      else if (many) put_outcome(r, tickets[i], i == 0);
      else {
        char name[32];
        pthread_mutex_lock(&lock);
        snprintf(name, sizeof name, "t%lu", next_ticket++);
        pthread_mutex_unlock(&lock);
        keep('t', name, tickets[i]);
        put(&r->ok, "%s\"%s\"", i > 0 ? "," : "", name);
      }
    }
    put(&r->ok, "]}");
    free(tickets);
  } else if (is(r, "producer.wait")) {
    const json *names = field(r->args, "tickets");
    put(&r->ok, "{\"receipts\":[");
    for (const json *it = names ? names->first : NULL; it != NULL; it = it->next) {
      tw_ticket *ticket = find('t', it->text, true);
      if (ticket == NULL) r->fail = "no such ticket";
      else put_outcome(r, ticket, it == names->first);
    }
    put(&r->ok, "]}");
  } else if (is(r, "producer.flush")) tw_producer_flush(p, -1, &r->err);
  else if (is(r, "producer.close")) tw_producer_close(p, -1, &r->err);
  else if (is(r, "producer.stats")) {
    tw_producer_stats stats = TW_PRODUCER_STATS_INIT;
    if (tw_producer_get_stats(p, &stats, &r->err) == TW_OK)
      put(&r->ok, "{\"queued_bytes\":\"%llu\",\"retried_batches\":\"%llu\"}", (unsigned long long)stats.queued_bytes,
          (unsigned long long)stats.retried_batches);
  } else r->unsupported = "no such operation";
}

static void open_consumer(request *r) {
  tw_consumer_options options = TW_CONSUMER_OPTIONS_INIT;
  tw_partition_offset offsets[64];
  uint32_t partitions[64];
  const json *list = field(r->args, "partitions"), *start_at = field(r->args, "start_at");
  consumer_options(r, &options);
  if (list != NULL) options.partitions = partitions;
  for (const json *it = list ? list->first : NULL; it != NULL && options.partition_count < 64; it = it->next)
    partitions[options.partition_count++] = (uint32_t)number(it, 0);
  options.offsets = offsets;
  for (const json *it = start_at ? start_at->first : NULL; it != NULL && options.offset_count < 64; it = it->next) {
    offsets[options.offset_count].partition = (uint32_t)strtoul(it->name, NULL, 10);
    offsets[options.offset_count++].offset = number(it, 0);
  }
  tw_client *c = client(r);
  tw_consumer *made;
  if (c == NULL || r->unsupported != NULL || r->fail != NULL ||
      tw_consumer_open(c, string(r->args, "topic"), &options, &made, &r->err) != TW_OK)
    return;
  keep('r', string(r->args, "consumer"), made);
}

static void consume(request *r) {
  if (is(r, "consumer.open")) {
    open_consumer(r);
    return;
  }
  tw_consumer *it = find('r', string(r->args, "consumer"), false);
  uint32_t partition = (uint32_t)number_of(r->args, "partition", 0), start;
  uint64_t at;
  tw_batch *batch;
  if (it == NULL) r->fail = "no such consumer";
  else if (is(r, "consumer.next_batch")) {
    if (tw_consumer_next_batch(it, timeout(r), &batch, &r->err) != TW_OK) return;
    put(&r->ok, "{\"closed\":%s,\"batch\":", batch == NULL && tw_consumer_is_closed(it) ? "true" : "false");
    if (batch == NULL) put(&r->ok, "null");
    else {
      size_t n = 0;
      put(&r->ok, "{\"partition\":%u,\"base_offset\":\"%llu\",\"next_offset\":\"%llu\",\"records\":[",
          tw_batch_partition(batch), (unsigned long long)tw_batch_base_offset(batch),
          (unsigned long long)tw_batch_next_offset(batch));
      put_records(&r->ok, batch, &n);
      put(&r->ok, "]}");
    }
    put(&r->ok, "}");
    tw_batch_free(batch);
  } else if (is(r, "consumer.read")) {
    uint64_t count = number_of(r->args, "count", 0), seen = 0;
    bool digest = truth(r->args, "digest");
    digests sums = {0};
    text records = {NULL, 0, 0};
    size_t n = 0;
    int64_t until = now_ms() + timeout(r);
    while (seen < count) {
      int64_t left = until - now_ms();
      if (tw_consumer_next_batch(it, left > 0 ? left : 0, &batch, &r->err) != TW_OK) return;
      if (batch == NULL) break;
      seen += tw_batch_len(batch);
      if (digest) add_digest(&sums, batch);
      else put_records(&records, batch, &n);
      tw_batch_free(batch);
    }
    put(&r->ok, "{\"count\":\"%llu\",", (unsigned long long)seen);
    if (digest) put_digests(&r->ok, &sums);
    else {
      put(&r->ok, "\"records\":[");
      put_bytes(&r->ok, records.at, records.len);
      put(&r->ok, "]");
    }
    put(&r->ok, "}");
    free(records.at);
  } else if (is(r, "consumer.seek")) {
    place_of(field(r->args, "to"), &start, &at);
    tw_consumer_seek(it, partition, start, at, &r->err);
  } else if (is(r, "consumer.pause")) tw_consumer_pause(it, partition, &r->err);
  else if (is(r, "consumer.resume")) tw_consumer_resume(it, partition, &r->err);
  else if (is(r, "consumer.add_partition")) {
    place_of(field(r->args, "start"), &start, &at);
    tw_consumer_add_partition(it, partition, start, at, &r->err);
  } else if (is(r, "consumer.remove_partition")) tw_consumer_remove_partition(it, partition, &r->err);
  else if (is(r, "consumer.commit")) tw_consumer_commit(it, &r->err);
  else if (is(r, "consumer.close")) tw_consumer_close(it, -1, &r->err);
  else if (is(r, "consumer.positions")) {
    tw_positions *list;
    uint64_t lag;
    if (tw_consumer_lag(it, &lag, &r->err) != TW_OK || tw_consumer_positions(it, &list, &r->err) != TW_OK) return;
    put(&r->ok, "{\"lag\":\"%llu\",\"positions\":[", (unsigned long long)lag);
    for (size_t i = 0; i < list->count; i++) {
      const tw_position *place = list->items[i];
      put(&r->ok, "%s{\"partition\":%u", i > 0 ? "," : "", place->partition);
      put(&r->ok, ",\"next_offset\":\"%llu\",\"end_offset\":\"%llu\"", (unsigned long long)place->next_offset,
          (unsigned long long)place->end_offset);
      put(&r->ok, "}");
    }
    put(&r->ok, "]}");
    tw_positions_free(list);
  } else if (is(r, "consumer.stats")) {
    tw_consumer_stats stats = TW_CONSUMER_STATS_INIT;
    if (tw_consumer_get_stats(it, &stats, &r->err) == TW_OK)
      put(&r->ok, "{\"partitions\":%llu,\"live_partitions\":%llu,\"buffered_bytes\":\"%llu\",\"batches\":\"%llu\","
          "\"bytes\":\"%llu\",\"resubscriptions\":\"%llu\"}", (unsigned long long)stats.partitions,
          (unsigned long long)stats.live_partitions, (unsigned long long)stats.buffered_bytes,
          (unsigned long long)stats.batches, (unsigned long long)stats.bytes,
          (unsigned long long)stats.resubscriptions);
  } else r->unsupported = "no such operation";
}

static void groups(request *r) {
  tw_client *c = client(r);
  if (c == NULL) return;
  const char *group = string(r->args, "group"), *topic = string(r->args, "topic");
  uint32_t partition = (uint32_t)number_of(r->args, "partition", 0);
  if (is(r, "group.create")) {
    tw_group_info *info;
    if (tw_client_create_group(c, group, &info, &r->err) != TW_OK) return;
    put(&r->ok, "{\"name\":");
    put_string(&r->ok, info->name);
    put(&r->ok, "}");
    tw_group_info_free(info);
  } else if (is(r, "group.list")) {
    tw_groups *list;
    if (tw_client_list_groups(c, &list, &r->err) != TW_OK) return;
    put(&r->ok, "{\"groups\":[");
    for (size_t i = 0; i < list->count; i++) {
      put(&r->ok, i > 0 ? ",{\"name\":" : "{\"name\":");
      put_string(&r->ok, list->items[i]->name);
      put(&r->ok, ",\"members\":%u}", list->items[i]->members);
    }
    put(&r->ok, "]}");
    tw_groups_free(list);
  } else if (is(r, "group.describe")) {
    tw_group_description *it;
    if (tw_client_describe_group(c, group, &it, &r->err) != TW_OK) return;
    put(&r->ok, "{\"name\":");
    put_string(&r->ok, it->info->name);
    put(&r->ok, ",\"generation\":%u,\"members\":%zu,\"partitions\":%zu}", it->info->generation, it->member_count,
        it->partition_count);
    tw_group_description_free(it);
  } else if (is(r, "group.delete")) tw_client_delete_group(c, group, &r->err);
  else if (is(r, "offsets.get")) {
    tw_offsets *list;
    if (tw_client_committed(c, group, topic, &list, &r->err) != TW_OK) return;
    put(&r->ok, "{\"offsets\":[");
    for (size_t i = 0; i < list->count; i++)
      put(&r->ok, "%s{\"partition\":%u,\"offset\":\"%llu\"}", i > 0 ? "," : "", list->items[i]->partition,
          (unsigned long long)list->items[i]->offset);
    put(&r->ok, "]}");
    tw_offsets_free(list);
  } else if (is(r, "offsets.set"))
    tw_client_reset_offsets(c, group, topic, &partition, 1, TW_START_OFFSET, number_of(r->args, "offset", 0), false,
                            NULL, &r->err);
  else if (is(r, "offsets.delete")) tw_client_delete_offsets(c, group, topic, &partition, 1, &r->err);
  else r->unsupported = "no such operation";
}

/* Texts of an array; at most so many. */
#define MAX_TEXTS 128

static size_t texts(const json *args, const char *name, const char **out) {
  const json *all = field(args, name);
  size_t count = 0;
  for (const json *it = all ? all->first : NULL; it != NULL && count < MAX_TEXTS; it = it->next) out[count++] = it->text;
  return count;
}

static void users(request *r) {
  tw_client *c = client(r);
  if (c == NULL) return;
  const char *name = string(r->args, "name"), *user = string(r->args, "user"), *password = string(r->args, "password");
  const char *first[MAX_TEXTS], *second[MAX_TEXTS];
  tw_user_info *info = NULL;
  if (is(r, "user.create")) {
    size_t count = texts(r->args, "grants", first);
    tw_client_create_user(c, name, password, first, count, &info, &r->err);
  } else if (is(r, "user.enable")) tw_client_enable_user(c, name, truth(r->args, "enabled"), &info, &r->err);
  else if (is(r, "user.password")) tw_client_change_password(c, name, password, &r->err);
  else if (is(r, "user.delete")) tw_client_delete_user(c, name, &r->err);
  else if (is(r, "user.describe")) {
    tw_user_description *it;
    if (tw_client_describe_user(c, name, &it, &r->err) != TW_OK) return;
    put_user(&r->ok, it->user, false);
    put_grants(&r->ok, it->grants, it->grant_count);
    put(&r->ok, "}");
    tw_user_description_free(it);
  } else if (is(r, "user.list")) {
    tw_users *list;
    if (tw_client_list_users(c, &list, &r->err) != TW_OK) return;
    put(&r->ok, "{\"users\":[");
    for (size_t i = 0; i < list->count; i++) {
      put(&r->ok, i > 0 ? "," : "");
      put_user(&r->ok, list->items[i], true);
    }
    put(&r->ok, "]}");
    tw_users_free(list);
  } else if (is(r, "user.grants")) {
    size_t revoke = texts(r->args, "revoke", first), grant = texts(r->args, "grant", second);
    tw_grants *left;
    if (tw_client_change_grants(c, name, first, revoke, second, grant, &left, &r->err) != TW_OK) return;
    put(&r->ok, "{\"name\":");
    put_string(&r->ok, name);
    put_grants(&r->ok, left->items, left->count);
    put(&r->ok, "}");
    tw_grants_free(left);
  } else if (is(r, "token.create")) {
    tw_new_token *made;
    if (tw_client_create_token(c, user, name, number_of(r->args, "lifetime_ms", 0), &made, &r->err) != TW_OK) return;
    put_token(&r->ok, made->token);
    put(&r->ok, ",\"secret\":\"%s\"}", made->secret);
    tw_new_token_free(made);
  } else if (is(r, "token.list")) {
    tw_tokens *list;
    if (tw_client_list_tokens(c, user, &list, &r->err) != TW_OK) return;
    put(&r->ok, "{\"tokens\":[");
    for (size_t i = 0; i < list->count; i++) {
      put(&r->ok, i > 0 ? "," : "");
      put_token(&r->ok, list->items[i]);
      put(&r->ok, "}");
    }
    put(&r->ok, "]}");
    tw_tokens_free(list);
  } else if (is(r, "token.delete")) tw_client_delete_token(c, number_of(r->args, "id", 0), &r->err);
  else r->unsupported = "no such operation";
  if (info != NULL && r->err == NULL) put_user(&r->ok, info, true), tw_user_info_free(info);
}

/* ---- lines ---- */

static void answer(request *r, const char *id) {
  text line = {NULL, 0, 0};
  put(&line, "{\"id\":%s,", id);
  if (r->err != NULL && tw_error_code(r->err) == TW_E_INTERRUPTED) put(&line, "\"cancelled\":true");
  else if (r->fail != NULL) put(&line, "\"fail\":\"%s\"", r->fail);
  else if (r->unsupported != NULL) put(&line, "\"unsupported\":\"%s\"", r->unsupported);
  else if (r->err != NULL) {
    put(&line, "\"err\":");
    put_error(&line, r->err);
  } else {
    put(&line, "\"ok\":");
    if (r->ok.len == 0) put(&line, "{}");
    else put_bytes(&line, r->ok.at, r->ok.len);
  }
  put(&line, "}\n");
  pthread_mutex_lock(&lock);
  fwrite(line.at, 1, line.len, stdout);
  fflush(stdout);
  pthread_mutex_unlock(&lock);
  free(line.at);
}

static void *run(void *argument) {
  request *r = argument;
  const char *id = field(r->line, "id")->text;
  tw_canceller_enter(r->canceller, NULL);
  if (is(r, "cancel")) cancel(field(r->args, "request")->text);
  else if (strncmp(r->op, "producer.", 9) == 0) produce(r);
  else if (strncmp(r->op, "consumer.", 9) == 0) consume(r);
  else if (strncmp(r->op, "group.", 6) == 0 || strncmp(r->op, "offsets.", 8) == 0) groups(r);
  else if (strncmp(r->op, "user.", 5) == 0 || strncmp(r->op, "token.", 6) == 0) users(r);
  else if (strncmp(r->op, "stream.", 7) == 0 || strncmp(r->op, "topic.", 6) == 0) admin(r);
  else general(r);
  tw_canceller_enter(NULL, NULL);
  find('o', id, true);
  if (!r->answered) answer(r, id);
  if (r->child) _exit(0);
  tw_canceller_free(r->canceller);
  tw_error_free(r->err);
  free(r->ok.at);
  json_free(r->line);
  free(r);
  return NULL;
}

int main(void) {
  char *line = NULL;
  size_t room = 0;
  ssize_t len;
  while ((len = getline(&line, &room, stdin)) > 0) {
    request *r = calloc(1, sizeof *r);
    if (r == NULL) return 1;
    r->line = json_read(line, (size_t)len);
    r->op = string(r->line, "op");
    r->args = field(r->line, "args");
    if (r->op == NULL || field(r->line, "id") == NULL) {
      fprintf(stderr, "not a request: %s\n", line);
      return 1;
    }
    r->canceller = tw_canceller_new();
    keep('o', field(r->line, "id")->text, r->canceller);
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, r) != 0) return 1;
    pthread_detach(thread);
  }
  /* The end of the input is the end of the adapter, whatever is still under way. */
  pthread_mutex_lock(&lock);
  _exit(0);
}
