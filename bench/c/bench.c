/* One measurement through tidewire.h: bench URL WORK COUNT prints records a second. See run.py.
 * `fill` is what the others' `consume` reads.
 *
 * twin.rs and go/main.go do the same, call for call, through the Rust client and the Go module.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tidewire.h"

enum { VALUE = 256, MANY = 256 };

static char value[VALUE];

static void check(tw_status status, tw_error *err) {
  if (status == TW_OK) return;
  fprintf(stderr, "%s: %s\n", tw_error_name(status), tw_error_message(err));
  tw_error_free(err);
  exit(1);
}

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static tw_producer *producer_of(tw_client *client, const char *topic, bool roomy) {
  tw_error *err = NULL;
  tw_producer_options options = TW_PRODUCER_OPTIONS_INIT;
  options.acks = TW_ACKS_WRITTEN;
  options.batch_bytes = 1 << 20;
  options.queue_full = TW_QUEUE_FULL_ERROR;
  if (roomy) {
    options.queue_bytes = 1 << 30;
    options.linger_ms = 1000;
  }
  tw_producer *producer;
  check(tw_producer_open(client, topic, &options, &producer, &err), err);
  return producer;
}

static void one(const tw_producer *producer) {
  tw_error *err = NULL;
  tw_record record = {.value = {value, VALUE}};
  tw_status status;
  while ((status = tw_producer_enqueue(producer, &record, NULL, &err)) == TW_E_QUEUE_FULL) {
    tw_error_free(err);
    err = NULL;
    check(tw_producer_ready(producer, -1, &err), err);
  }
  check(status, err);
}

static void many(const tw_producer *producer, const tw_record *records, size_t count) {
  while (count > 0) {
    tw_error *err = NULL;
    size_t taken = 0;
    tw_status status = tw_producer_enqueue_many(producer, records, count, NULL, &taken, &err);
    records += taken;
    count -= taken;
    if (status != TW_E_QUEUE_FULL) {
      check(status, err);
      continue;
    }
    tw_error_free(err);
    err = NULL;
    check(tw_producer_ready(producer, -1, &err), err);
  }
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: bench URL enqueue|enqueue-many|produce|send|fill|consume|consume-reused COUNT\n");
    return 2;
  }
  const char *work = argv[2];
  unsigned long count = strtoul(argv[3], NULL, 10);
  memset(value, 'x', VALUE);
  tw_error *err = NULL;
  tw_client *client;
  check(tw_client_connect(argv[1], NULL, &client, &err), err);

  double begun, took;
  if (strncmp(work, "consume", strlen("consume")) == 0) {
    tw_consumer_options options = TW_CONSUMER_OPTIONS_INIT;
    options.start = TW_START_EARLIEST;
    tw_consumer *consumer;
    unsigned long seen = 0, sum = 0;
    begun = now();
    check(tw_consumer_open(client, "read", &options, &consumer, &err), err);
    while (seen < count) {
      tw_batch *batch;
      check(tw_consumer_next_batch(consumer, 30000, &batch, &err), err);
      if (batch == NULL) {
        fprintf(stderr, "nothing more after %lu records\n", seen);
        return 1;
      }
      tw_record_view views[MANY];
      size_t got;
      for (size_t first = 0; (got = tw_batch_get_many(batch, first, views, MANY)) > 0; first += got)
        for (size_t i = 0; i < got; i++) sum += views[i].value.len;
      seen += tw_batch_len(batch);
      tw_batch_free(batch);
    }
    took = now() - begun;
    if (sum == 0) return 1;
    check(tw_consumer_close(consumer, 10000, &err), err);
    tw_consumer_free(consumer);
  } else {
    bool enqueue_many = strcmp(work, "enqueue-many") == 0;
    bool enqueue = enqueue_many || strcmp(work, "enqueue") == 0;
    const char *topic = strcmp(work, "fill") == 0 ? "read" : "bench";
    tw_producer *producer = producer_of(client, topic, enqueue);
    tw_record records[MANY];
    for (int i = 0; i < MANY; i++) records[i] = (tw_record){.value = {value, VALUE}};
    begun = now();
    if (strcmp(work, "send") == 0) {
      for (unsigned long i = 0; i < count; i++) {
        tw_receipt receipt;
        check(tw_producer_send(producer, records, &receipt, &err), err);
      }
    } else if (enqueue_many) {
      for (unsigned long i = 0; i < count; i += MANY) many(producer, records, MANY);
    } else {
      for (unsigned long i = 0; i < count; i++) one(producer);
    }
    if (!enqueue) check(tw_producer_flush(producer, -1, &err), err);
    took = now() - begun;
    check(tw_producer_close(producer, 60000, &err), err);
    tw_producer_free(producer);
  }
  printf("%.0f\n", (double)count / took);
  check(tw_client_close(client, &err), err);
  tw_client_free(client);
  return 0;
}
