/* Everything from one epoll loop, in which nothing blocks: connecting, opening, sending, reading.
 * It sends some records and ends when it has read them.
 *
 *   cc event_loop.c $(pkg-config --cflags --libs tidewire) -o event_loop && ./event_loop [URL]
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tidewire.h"

enum { RECORDS = 1000 };

typedef struct {
  tw_client *client;
  tw_producer *producer;
  tw_consumer *consumer;
  unsigned long acknowledged, read;
} app;

static void check(tw_status status, tw_error *err) {
  if (status == TW_OK) return;
  fprintf(stderr, "%s: %s\n", tw_error_name(status), tw_error_message(err));
  tw_error_free(err);
  exit(1);
}

static void begin(app *it) {
  tw_error *err = NULL;
  /* Administration waits for its answer: it belongs to the start of a program, or on another thread. */
  tw_status status = tw_client_create_topic(it->client, "loop", NULL, NULL, &err);
  if (status == TW_E_TOPIC_EXISTS) tw_error_free(err);
  else check(status, err);
  err = NULL;
  tw_consumer_options reading = TW_CONSUMER_OPTIONS_INIT;
  check(tw_consumer_start(it->client, "loop", &reading, &it->consumer, &err), err);
}

static void send_all(app *it) {
  tw_error *err = NULL;
  for (int i = 0; i < RECORDS; i++) {
    tw_record record = {.value = TW_STR("from the loop")};
    check(tw_producer_enqueue(it->producer, &record, NULL, &err), err);
  }
}

static void read_all(app *it) {
  tw_error *err = NULL;
  tw_batch *batch;
  for (;;) {
    check(tw_consumer_next_batch(it->consumer, 0, &batch, &err), err);
    if (batch == NULL) return;
    it->read += tw_batch_len(batch);
    tw_batch_free(batch);
  }
}

static void told(app *it, const tw_event *event) {
  if (event->error != NULL) {
    fprintf(stderr, "event %u: %s\n", event->kind, tw_error_message(event->error));
    exit(1);
  }
  tw_error *err = NULL;
  switch (event->kind) {
    case TW_EVENT_OPENED:
      if (event->consumer != NULL) {
        tw_producer_options sending = TW_PRODUCER_OPTIONS_INIT;
        sending.completions = 1;
        check(tw_producer_start(it->client, "loop", &sending, &it->producer, &err), err);
      } else if (event->producer != NULL) {
        send_all(it);
      } else {
        begin(it);
      }
      break;
    case TW_EVENT_SETTLED:
      it->acknowledged += event->record_count;
      break;
    case TW_EVENT_READABLE:
      read_all(it);
      break;
    default:
      break;
  }
}

int main(int argc, char **argv) {
  app it = {0};
  tw_error *err = NULL;
  int fd;
  check(tw_client_start(argc > 1 ? argv[1] : NULL, NULL, &it.client, &err), err);
  check(tw_client_fd(it.client, &fd, &err), err);

  int loop = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event interest = {.events = EPOLLIN, .data = {.ptr = &it}};
  if (loop < 0 || epoll_ctl(loop, EPOLL_CTL_ADD, fd, &interest) != 0) {
    perror("epoll");
    return 1;
  }
  while (it.read < RECORDS || it.acknowledged < RECORDS) {
    struct epoll_event ready;
    if (epoll_wait(loop, &ready, 1, 30000) != 1) {
      fprintf(stderr, "nothing happened for 30 s\n");
      return 1;
    }
    tw_events *events;
    check(tw_client_poll(it.client, 0, 64, &events, &err), err);
    for (size_t i = 0; i < events->count; i++) told(&it, events->items[i]);
    tw_events_free(events);
  }
  printf("%lu acknowledged, %lu read\n", it.acknowledged, it.read);

  close(loop);
  tw_consumer_free(it.consumer);
  tw_producer_free(it.producer);
  tw_client_free(it.client);
  return 0;
}
