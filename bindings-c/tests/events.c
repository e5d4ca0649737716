/* The half that does not block: every end is told once, with what it was begun with. */
#define _POSIX_C_SOURCE 200809L
#include <poll.h>

#include "check.h"

static bool readable(int fd, int timeout_ms) {
  struct pollfd one = {.fd = fd, .events = POLLIN};
  return poll(&one, 1, timeout_ms) == 1;
}

/* Waits for an event of a kind; others are dropped. It belongs to `*list`. */
static const tw_event *wait_for(tw_client *client, uint32_t kind, tw_events **list) {
  int fd;
  OK(tw_client_fd(client, &fd, &err));
  for (;;) {
    EXPECT(readable(fd, PATIENCE));
    OK(tw_client_poll(client, 0, 1, list, &err));
    if ((*list)->count == 1 && (*list)->items[0]->kind == kind) return (*list)->items[0];
    tw_events_free(*list);
  }
}

/* Nothing is left to be told; the descriptor may have been raised for what was told meanwhile. */
static void quiet(tw_client *client, int fd) {
  while (readable(fd, 0)) {
    tw_events *list;
    OK(tw_client_poll(client, 0, 8, &list, &err));
    EXPECT(list->count == 0);
    tw_events_free(list);
  }
}

static tw_client *opened(const char *url) {
  tw_client *client;
  int mark;
  tw_client_options options = TW_CLIENT_OPTIONS_INIT;
  options.user_data = &mark;
  OK(tw_client_start(url, &options, &client, &err));
  tw_events *list;
  const tw_event *event = wait_for(client, TW_EVENT_OPENED, &list);
  EXPECT(event->error == NULL && event->user_data == &mark && event->producer == NULL && event->consumer == NULL);
  tw_events_free(list);
  return client;
}

static void what_cannot_be_opened_says_why(const char *url) {
  tw_client *client;
  tw_events *list;
  OK(tw_client_start("tidewire://127.0.0.1:1", NULL, &client, &err));
  const tw_event *event = wait_for(client, TW_EVENT_OPENED, &list);
  EXPECT(tw_error_code(event->error) == TW_E_CONNECT_FAILED);
  tw_events_free(list);
  FAILS(TW_E_INVALID_ARGUMENT, "not connected yet", tw_client_ping(client, NULL, &err));
  tw_client_free(client);

  client = opened(url);
  tw_producer *producer;
  OK(tw_producer_start(client, "no-such-topic-here", NULL, &producer, &err));
  event = wait_for(client, TW_EVENT_OPENED, &list);
  EXPECT(tw_error_code(event->error) == TW_E_TOPIC_NOT_FOUND && event->producer == producer);
  tw_events_free(list);
  FAILS(TW_E_INVALID_ARGUMENT, "not open yet", tw_producer_flush(producer, 0, &err));
  tw_producer_free(producer);
  /* Freed while it is being opened: nothing is told of it any more. */
  OK(tw_producer_start(client, "no-such-topic-here", NULL, &producer, &err));
  tw_producer_free(producer);
  tw_client_free(client);
}

static void everything_is_told_once(const char *url) {
  const char *topic = fresh("events");
  tw_client *client = opened(url);
  OK(tw_client_create_topic(client, topic, NULL, NULL, &err));
  OK(tw_client_watch(client, &err));
  int fd, one, two, three;
  OK(tw_client_fd(client, &fd, &err));
  tw_producer_options sending = TW_PRODUCER_OPTIONS_INIT;
  sending.completions = 1;
  sending.user_data = &one;
  tw_producer *producer;
  tw_events *list;
  OK(tw_producer_start(client, topic, &sending, &producer, &err));
  const tw_event *event = wait_for(client, TW_EVENT_OPENED, &list);
  EXPECT(event->producer == producer && event->user_data == &one && event->error == NULL);
  tw_events_free(list);
  quiet(client, fd);

  tw_record record = {.value = TW_STR("v")};
  uint64_t number, settled = 0;
  for (uint64_t i = 0; i < 5000; i++) {
    OK(tw_producer_enqueue(producer, &record, &number, &err));
    EXPECT(number == i);
  }
  OK(tw_producer_flush_start(producer, &two, &err));
  bool flushed = false;
  while (settled < 5000 || !flushed) {
    EXPECT(readable(fd, PATIENCE));
    OK(tw_client_poll(client, 0, 1, &list, &err));
    for (size_t i = 0; i < list->count; i++) {
      event = list->items[i];
      EXPECT(event->error == NULL && event->producer == producer);
      if (event->kind == TW_EVENT_FLUSHED) {
        EXPECT(!flushed && event->user_data == &two);
        flushed = true;
      } else {
        EXPECT(event->kind == TW_EVENT_SETTLED && event->first_number == settled && event->user_data == &one);
        EXPECT(event->receipt.offset == settled && event->receipt.status == TW_OK);
        settled += event->record_count;
      }
    }
    tw_events_free(list);
  }
  quiet(client, fd);

  tw_consumer_options reading = TW_CONSUMER_OPTIONS_INIT;
  reading.start = TW_START_EARLIEST;
  reading.user_data = &three;
  tw_consumer *consumer;
  OK(tw_consumer_start(client, topic, &reading, &consumer, &err));
  uint64_t read = 0;
  while (read < 5000) {
    event = wait_for(client, TW_EVENT_READABLE, &list);
    EXPECT(event->consumer == consumer && event->user_data == &three);
    tw_events_free(list);
    tw_batch *batch;
    for (;;) {
      OK(tw_consumer_next_batch(consumer, 0, &batch, &err));
      if (batch == NULL) break;
      read += tw_batch_len(batch);
      tw_batch_free(batch);
    }
  }
  /* Nothing is there, and the time is over. */
  OK(tw_client_poll(client, 1, 8, &list, &err));
  tw_events_free(list);
  FAILS(TW_E_INVALID_ARGUMENT, "max", tw_client_poll(client, 0, 0, &list, &err));

  OK(tw_producer_close_start(producer, -1, &three, &err));
  event = wait_for(client, TW_EVENT_CLOSED, &list);
  EXPECT(event->user_data == &three && event->error == NULL);
  tw_events_free(list);
  tw_consumer_free(consumer);
  tw_producer_free(producer);
  tw_client_free(client);
}

int main(int argc, char **argv) {
  const char *url = argc > 1 ? argv[1] : NULL;
  what_cannot_be_opened_says_why(url);
  everything_is_told_once(url);
  return 0;
}
