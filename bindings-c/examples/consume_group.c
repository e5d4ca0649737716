/* Reads a topic as a member of a group, and stores how far it came. Run it several times at once: the
 * members divide the partitions. It ends when nothing has come for a second.
 *
 *   cc consume_group.c $(pkg-config --cflags --libs tidewire) -o consume_group && ./consume_group [URL]
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

  tw_consumer_options options = TW_CONSUMER_OPTIONS_INIT;
  options.group = "billing";
  options.start = TW_START_EARLIEST;
  tw_consumer *consumer;
  check(tw_consumer_open(client, "orders", &options, &consumer, &err), err);

  for (;;) {
    tw_batch *batch;
    check(tw_consumer_next_batch(consumer, 1000, &batch, &err), err);
    if (batch == NULL) break;
    tw_record_view record;
    for (size_t i = 0; tw_batch_get(batch, i, &record); i++) {
      printf("%s/%u@%llu %.*s\n", tw_batch_topic(batch), tw_batch_partition(batch),
             (unsigned long long)record.offset, (int)record.value.len, (const char *)record.value.data);
    }
    /* The work is done: store that, and all before it in its partition. */
    check(tw_consumer_commit_batch(consumer, batch, &err), err);
    tw_batch_free(batch);
  }

  check(tw_consumer_close(consumer, 10000, &err), err);
  tw_consumer_free(consumer);
  check(tw_client_close(client, &err), err);
  tw_client_free(client);
  return 0;
}
