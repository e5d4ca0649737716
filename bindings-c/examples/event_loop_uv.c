/* A consumer and a producer in a libuv loop, in which nothing blocks.
 *
 *   cc event_loop_uv.c $(pkg-config --cflags --libs tidewire libuv) -o event_loop_uv && ./event_loop_uv [URL]
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "tidewire.h"

enum { RECORDS = 1000 };

typedef struct {
  tw_client *client;
  tw_producer *producer;
  tw_consumer *consumer;
  uv_poll_t watch;
  unsigned long acknowledged, read;
} app;

static void check(tw_status status, tw_error *err) {
  if (status == TW_OK) return;
  fprintf(stderr, "%s: %s\n", tw_error_name(status), tw_error_message(err));
  tw_error_free(err);
  exit(1);
}

static void told(app *it, const tw_event *event) {
  tw_error *err = NULL;
  if (event->error != NULL) {
    fprintf(stderr, "event %u: %s\n", event->kind, tw_error_message(event->error));
    exit(1);
  }
  if (event->kind == TW_EVENT_OPENED && event->producer != NULL) {
    for (int i = 0; i < RECORDS; i++) {
      tw_record record = {.value = TW_STR("from libuv")};
      check(tw_producer_enqueue(it->producer, &record, NULL, &err), err);
    }
  } else if (event->kind == TW_EVENT_OPENED && event->consumer != NULL) {
    tw_producer_options sending = TW_PRODUCER_OPTIONS_INIT;
    sending.completions = 1;
    check(tw_producer_start(it->client, "uv", &sending, &it->producer, &err), err);
  } else if (event->kind == TW_EVENT_SETTLED) {
    it->acknowledged += event->record_count;
  } else if (event->kind == TW_EVENT_READABLE) {
    tw_batch *batch;
    while (check(tw_consumer_next_batch(it->consumer, 0, &batch, &err), err), batch != NULL) {
      it->read += tw_batch_len(batch);
      tw_batch_free(batch);
    }
  }
}

static void ready(uv_poll_t *watch, int status, int events) {
  (void)status, (void)events;
  app *it = watch->data;
  tw_error *err = NULL;
  tw_events *list;
  check(tw_client_poll(it->client, 0, 64, &list, &err), err);
  for (size_t i = 0; i < list->count; i++) told(it, list->items[i]);
  tw_events_free(list);
  if (it->read >= RECORDS && it->acknowledged >= RECORDS) uv_poll_stop(watch);
}

int main(int argc, char **argv) {
  app it = {0};
  tw_error *err = NULL;
  int fd;
  check(tw_client_connect(argc > 1 ? argv[1] : NULL, NULL, &it.client, &err), err);
  tw_status status = tw_client_create_topic(it.client, "uv", NULL, NULL, &err);
  if (status == TW_E_TOPIC_EXISTS) {
    tw_error_free(err);
    err = NULL;
  } else {
    check(status, err);
  }
  check(tw_client_fd(it.client, &fd, &err), err);

  uv_loop_t *loop = uv_default_loop();
  uv_poll_init(loop, &it.watch, fd);
  it.watch.data = &it;
  uv_poll_start(&it.watch, UV_READABLE, ready);
  check(tw_consumer_start(it.client, "uv", NULL, &it.consumer, &err), err);
  uv_run(loop, UV_RUN_DEFAULT);
  printf("%lu acknowledged, %lu read\n", it.acknowledged, it.read);

  uv_close((uv_handle_t *)&it.watch, NULL);
  uv_run(loop, UV_RUN_DEFAULT);
  uv_loop_close(loop);
  tw_consumer_free(it.consumer);
  tw_producer_free(it.producer);
  tw_client_free(it.client);
  return 0;
}
