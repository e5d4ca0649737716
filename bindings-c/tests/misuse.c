/* What can be seen to be wrong is an error, says what, and does no harm. */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static void null_is_refused(tw_client *client) {
  tw_client *none = NULL;
  tw_producer *producer;
  tw_consumer *consumer;
  FAILS(TW_E_INVALID_ARGUMENT, "the client is NULL", tw_client_ping(none, NULL, &err));
  FAILS(TW_E_INVALID_ARGUMENT, "client is NULL", tw_client_connect(NULL, NULL, NULL, &err));
  FAILS(TW_E_INVALID_ARGUMENT, "topic is NULL", tw_producer_open(client, NULL, NULL, &producer, &err));
  EXPECT(producer == NULL);
  FAILS(TW_E_INVALID_ARGUMENT, "producer is NULL", tw_producer_open(client, "t", NULL, NULL, &err));
  FAILS(TW_E_INVALID_ARGUMENT, "topic is NULL", tw_consumer_open(client, NULL, NULL, &consumer, &err));
  EXPECT(consumer == NULL);
  FAILS(TW_E_INVALID_ARGUMENT, "the producer is NULL", tw_producer_enqueue(NULL, NULL, NULL, &err));
  FAILS(TW_E_INVALID_ARGUMENT, "the consumer is NULL", tw_consumer_next_batch(NULL, 0, (tw_batch **)&none, &err));
  FAILS(TW_E_INVALID_ARGUMENT, "fd is NULL", tw_client_fd(client, NULL, &err));
  EXPECT(tw_client_ping(NULL, NULL, NULL) == TW_E_INVALID_ARGUMENT);
  EXPECT(tw_batch_len(NULL) == 0 && !tw_batch_get(NULL, 0, NULL) && tw_batch_partition(NULL) == 0);
  EXPECT(tw_error_code(NULL) == 0 && tw_error_message(NULL)[0] == 0);
  tw_client_free(NULL);
  tw_producer_free(NULL);
  tw_consumer_free(NULL);
  tw_batch_free(NULL);
  tw_error_free(NULL);
  tw_ticket_free(NULL);
  tw_events_free(NULL);
}

static void another_kind_of_handle_is_refused(tw_client *client) {
  FAILS(TW_E_INVALID_ARGUMENT, "passed as a producer is none",
        tw_producer_flush((tw_producer *)client, 0, &err));
  FAILS(TW_E_INVALID_ARGUMENT, "passed as a consumer is none",
        tw_consumer_commit((tw_consumer *)client, &err));
}

static void texts_must_be_utf8(tw_client *client) {
  FAILS(TW_E_INVALID_ARGUMENT, "not UTF-8", tw_client_create_stream(client, "\xff", NULL, &err));
}

static void structs_without_their_size_are_refused(tw_client *client) {
  tw_producer *producer;
  tw_producer_options empty;
  memset(&empty, 0, sizeof empty);
  FAILS(TW_E_INVALID_ARGUMENT, "TW_PRODUCER_OPTIONS_INIT", tw_producer_open(client, "t", &empty, &producer, &err));
  empty.size = sizeof empty + 8;
  FAILS(TW_E_INVALID_ARGUMENT, "later one", tw_producer_open(client, "t", &empty, &producer, &err));
  tw_client *other;
  tw_client_options options = TW_CLIENT_OPTIONS_INIT;
  options.heartbeat_ms = 1;
  FAILS(TW_E_INVALID_OPTION, "heartbeat_ms", tw_client_connect(NULL, &options, &other, &err));
  EXPECT(other == NULL);
}

static void a_struct_that_the_caller_knows_more_of_is_filled_with_zeros(tw_producer *producer) {
  struct {
    tw_producer_stats known;
    uint64_t later;
  } stats = {TW_PRODUCER_STATS_INIT, 7};
  stats.known.size = sizeof stats;
  OK(tw_producer_get_stats(producer, &stats.known, &err));
  EXPECT(stats.later == 0 && stats.known.size == sizeof stats);
}

static void records_are_looked_at(tw_producer *producer) {
  tw_record record = {.value = {NULL, 5}};
  FAILS(TW_E_INVALID_ARGUMENT, "value is NULL", tw_producer_enqueue(producer, &record, NULL, &err));
  record = (tw_record){.value = TW_STR("v"), .set = 64};
  FAILS(TW_E_INVALID_ARGUMENT, "set", tw_producer_enqueue(producer, &record, NULL, &err));
  record = (tw_record){.value = TW_STR("v"), .header_count = 2};
  FAILS(TW_E_INVALID_ARGUMENT, "headers is NULL", tw_producer_enqueue(producer, &record, NULL, &err));
  tw_header header = {{"\xff", 1}, TW_STR("v")};
  record = (tw_record){.value = TW_STR("v"), .headers = &header, .header_count = 1};
  FAILS(TW_E_INVALID_ARGUMENT, "UTF-8", tw_producer_enqueue(producer, &record, NULL, &err));
  record = (tw_record){.value = TW_STR("v"), .partition = 9, .set = TW_RECORD_PARTITION};
  FAILS(TW_E_PARTITION_NOT_FOUND, "9", tw_producer_enqueue(producer, &record, NULL, &err));
}

static void what_is_not_for_this_consumer_is_refused(tw_client *client, const char *topic) {
  tw_consumer *consumer;
  tw_consumer_options options = TW_CONSUMER_OPTIONS_INIT;
  options.auto_commit = TW_AUTO_COMMIT_AFTER;
  FAILS(TW_E_INVALID_ARGUMENT, "auto_commit", tw_consumer_open(client, topic, &options, &consumer, &err));
  options = (tw_consumer_options)TW_CONSUMER_OPTIONS_INIT;
  options.start = 77;
  FAILS(TW_E_INVALID_ARGUMENT, "77", tw_consumer_open(client, topic, &options, &consumer, &err));
  OK(tw_consumer_open(client, topic, NULL, &consumer, &err));
  FAILS(TW_E_INVALID_ARGUMENT, "group", tw_consumer_commit(consumer, &err));
  OK(tw_consumer_close(consumer, PATIENCE, &err));
  tw_batch *batch = (tw_batch *)client;
  OK(tw_consumer_next_batch(consumer, -1, &batch, &err));
  EXPECT(batch == NULL && tw_consumer_is_closed(consumer));
  tw_consumer_free(consumer);
}

static void a_closed_handle_says_so(const char *url, const char *topic) {
  tw_client *client;
  tw_producer *producer;
  tw_record record = {.value = TW_STR("v")};
  OK(tw_client_connect(url, NULL, &client, &err));
  OK(tw_producer_open(client, topic, NULL, &producer, &err));
  OK(tw_producer_close(producer, PATIENCE, &err));
  FAILS(TW_E_CLOSED, "closed", tw_producer_enqueue(producer, &record, NULL, &err));
  tw_producer_free(producer);
  OK(tw_client_close(client, &err));
  FAILS(TW_E_CLOSED, "closed", tw_client_ping(client, NULL, &err));
  tw_client_free(client);
}

static void a_handle_of_before_a_fork_fails_in_the_child(tw_client *client, tw_producer *producer) {
  pid_t child = fork();
  EXPECT(child >= 0);
  if (child == 0) {
    tw_record record = {.value = TW_STR("v")};
    int right = tw_client_ping(client, NULL, NULL) == TW_E_FORKED &&
                tw_producer_enqueue(producer, &record, NULL, NULL) == TW_E_FORKED;
    tw_producer_free(producer);
    tw_client_free(client);
    _exit(right ? 0 : 1);
  }
  int status;
  EXPECT(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void *wait_for_ever(void *argument) {
  tw_consumer *consumer = argument;
  tw_batch *batch;
  OK(tw_consumer_next_batch(consumer, -1, &batch, &err));
  EXPECT(batch == NULL);
  return NULL;
}

static void closing_ends_the_waiting_of_others(tw_client *client, const char *topic) {
  tw_consumer *consumer;
  pthread_t threads[2];
  OK(tw_consumer_open(client, topic, NULL, &consumer, &err));
  for (int i = 0; i < 2; i++) EXPECT(pthread_create(&threads[i], NULL, wait_for_ever, consumer) == 0);
  OK(tw_consumer_close(consumer, PATIENCE, &err));
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  tw_consumer_free(consumer);
}

static void a_canceller_interrupts(tw_client *client, const char *topic) {
  tw_canceller *canceller = tw_canceller_new();
  tw_consumer *consumer;
  tw_batch *batch;
  OK(tw_consumer_open(client, topic, NULL, &consumer, &err));
  OK(tw_canceller_enter(canceller, &err));
  tw_canceller_cancel(canceller);
  FAILS(TW_E_INTERRUPTED, "interrupted", tw_consumer_next_batch(consumer, -1, &batch, &err));
  OK(tw_canceller_enter(NULL, &err));
  OK(tw_consumer_next_batch(consumer, 1, &batch, &err));
  EXPECT(batch == NULL && !tw_consumer_is_closed(consumer));
  tw_canceller_free(canceller);
  tw_consumer_free(consumer);
}

int main(int argc, char **argv) {
  const char *url = argc > 1 ? argv[1] : NULL, *topic = fresh("misuse");
  tw_client *client;
  tw_producer *producer;
  OK(tw_client_connect(url, NULL, &client, &err));
  OK(tw_client_create_topic(client, topic, NULL, NULL, &err));
  OK(tw_producer_open(client, topic, NULL, &producer, &err));
  null_is_refused(client);
  another_kind_of_handle_is_refused(client);
  texts_must_be_utf8(client);
  structs_without_their_size_are_refused(client);
  a_struct_that_the_caller_knows_more_of_is_filled_with_zeros(producer);
  records_are_looked_at(producer);
  what_is_not_for_this_consumer_is_refused(client, topic);
  a_closed_handle_says_so(url, topic);
  a_handle_of_before_a_fork_fails_in_the_child(client, producer);
  closing_ends_the_waiting_of_others(client, topic);
  a_canceller_interrupts(client, topic);
  tw_producer_free(producer);
  tw_client_free(client);
  return 0;
}
