/* Every kind of thing that the library gives, made and freed, for valgrind: nothing is lost. */
#include "check.h"

int main(int argc, char **argv) {
  const char *topic = fresh("memory");
  tw_client *client;
  tw_error *err = NULL;
  OK(tw_client_connect(argc > 1 ? argv[1] : NULL, NULL, &client, &err));
  tw_topic_info *info;
  OK(tw_client_create_topic(client, topic, NULL, &info, &err));
  tw_topic_info_free(info);
  EXPECT(tw_client_create_topic(client, topic, NULL, &info, &err) == TW_E_TOPIC_EXISTS);
  tw_error_free(err);
  OK(tw_client_watch(client, &err));
  tw_streams *streams;
  OK(tw_client_list_streams(client, &streams, &err));
  tw_streams_free(streams);
  tw_producer_options sending = TW_PRODUCER_OPTIONS_INIT;
  sending.completions = 1;
  tw_producer *producer;
  OK(tw_producer_open(client, topic, &sending, &producer, &err));
  tw_header header = {TW_STR("h"), TW_STR("v")};
  tw_record record = {.key = TW_STR("k"), .value = TW_STR("v"), .headers = &header, .header_count = 1};
  tw_ticket *ticket;
  OK(tw_producer_enqueue_ticket(producer, &record, &ticket, &err));
  tw_ticket_free(ticket);
  for (int i = 0; i < 50; i++) OK(tw_producer_enqueue(producer, &record, NULL, &err));
  OK(tw_producer_flush(producer, PATIENCE, &err));
  tw_events *events;
  OK(tw_client_poll(client, PATIENCE, 100, &events, &err));
  EXPECT(events->count > 0);
  tw_events_free(events);
  tw_consumer_options reading = TW_CONSUMER_OPTIONS_INIT;
  reading.start = TW_START_EARLIEST;
  tw_consumer *consumer;
  OK(tw_consumer_open(client, topic, &reading, &consumer, &err));
  for (size_t seen = 0; seen < 51;) {
    tw_batch *batch;
    OK(tw_consumer_next_batch(consumer, PATIENCE, &batch, &err));
    seen += tw_batch_len(batch);
    tw_batch_free(batch);
  }
  tw_consumer_free(consumer);
  OK(tw_producer_close(producer, PATIENCE, &err));
  tw_producer_free(producer);
  OK(tw_client_close(client, &err));
  tw_client_free(client);
  return 0;
}
