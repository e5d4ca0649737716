/* Sends records to a topic: one and waits for it, then many without waiting.
 *
 *   cc produce.c $(pkg-config --cflags --libs tidewire) -o produce && ./produce [URL]
 */
#include <stdio.h>
#include <stdlib.h>

#include "tidewire.h"

static void check(tw_status status, tw_error *err) {
  if (status == TW_OK) return;
  fprintf(stderr, "%s: %s\n", tw_error_name(status), tw_error_message(err));
  tw_error_free(err);
  exit(1);
}

int main(int argc, char **argv) {
  tw_error *err = NULL;
  tw_client *client;
  check(tw_client_connect(argc > 1 ? argv[1] : NULL, NULL, &client, &err), err);

  tw_topic_options topic = TW_TOPIC_OPTIONS_INIT;
  topic.partitions = 4;
  tw_status status = tw_client_create_topic(client, "orders", &topic, NULL, &err);
  if (status == TW_E_TOPIC_EXISTS) {
    tw_error_free(err);
    err = NULL;
  } else {
    check(status, err);
  }

  tw_producer *producer;
  check(tw_producer_open(client, "orders", NULL, &producer, &err), err);

  /* One record, and its place. */
  tw_header headers[] = {{TW_STR("trace"), TW_STR("1")}};
  tw_record record = {.key = TW_STR("k"), .value = TW_STR("hello"), .headers = headers, .header_count = 1};
  tw_receipt receipt;
  check(tw_producer_send(producer, &record, &receipt, &err), err);
  printf("partition %u, offset %llu\n", receipt.partition, (unsigned long long)receipt.offset);

  /* Many: they travel in batches, and the flush tells whether all went well. */
  for (int i = 0; i < 1000; i++) {
    char text[32];
    int len = snprintf(text, sizeof text, "order %d", i);
    tw_record each = {.value = {text, (size_t)len}};
    while ((status = tw_producer_enqueue(producer, &each, NULL, &err)) == TW_E_QUEUE_FULL) {
      tw_error_free(err);
      err = NULL;
      check(tw_producer_ready(producer, -1, &err), err);
    }
    check(status, err);
  }
  check(tw_producer_flush(producer, -1, &err), err);

  check(tw_producer_close(producer, 10000, &err), err);
  tw_producer_free(producer);
  check(tw_client_close(client, &err), err);
  tw_client_free(client);
  return 0;
}
