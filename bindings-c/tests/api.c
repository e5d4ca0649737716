/* The whole client, call by call, against a real server. */
#include "check.h"

static void streams_and_topics(tw_client *client) {
  char stream[128], topic[160];
  snprintf(stream, sizeof stream, "%s", fresh("stream"));
  snprintf(topic, sizeof topic, "%s/t", stream);
  tw_stream_info *info;
  OK(tw_client_create_stream(client, stream, &info, &err));
  EXPECT(strcmp(info->name, stream) == 0 && info->size == sizeof *info && info->created_us > 0);
  tw_stream_info_free(info);
  FAILS(TW_E_STREAM_EXISTS, stream, tw_client_create_stream(client, stream, NULL, &err));

  tw_topic_options options = TW_TOPIC_OPTIONS_INIT;
  options.partitions = 3;
  options.codec = TW_CODEC_LZ4;
  options.retention_ms = 0;
  tw_topic_info *made;
  OK(tw_client_create_topic(client, topic, &options, &made, &err));
  EXPECT(made->partitions == 3 && made->codec == TW_CODEC_LZ4 && made->retention_ms == 0);
  EXPECT(strcmp(made->stream, stream) == 0 && strcmp(made->name, "t") == 0);
  tw_topic_info_free(made);

  options = (tw_topic_options)TW_TOPIC_OPTIONS_INIT;
  options.retention_ms = 60000;
  OK(tw_client_update_topic(client, topic, &options, &made, &err));
  EXPECT(made->retention_ms == 60000 && made->partitions == 3);
  tw_topic_info_free(made);
  OK(tw_client_add_partitions(client, topic, 5, NULL, &err));
  OK(tw_client_describe_topic(client, topic, &made, &err));
  EXPECT(made->partitions == 5);
  tw_topic_info_free(made);

  tw_topics *topics;
  OK(tw_client_list_topics(client, stream, &topics, &err));
  EXPECT(topics->count == 1 && strcmp(topics->items[0]->name, "t") == 0);
  tw_topics_free(topics);
  tw_partitions *partitions;
  OK(tw_client_list_partitions(client, topic, &partitions, &err));
  EXPECT(partitions->count == 5 && partitions->items[4]->partition == 4 && partitions->items[4]->error == 0);
  tw_partitions_free(partitions);
  tw_streams *streams;
  bool found = false;
  OK(tw_client_list_streams(client, &streams, &err));
  for (size_t i = 0; i < streams->count; i++) found |= strcmp(streams->items[i]->name, stream) == 0;
  EXPECT(found);
  tw_streams_free(streams);

  FAILS(TW_E_STREAM_NOT_EMPTY, stream, tw_client_delete_stream(client, stream, false, &err));
  OK(tw_client_delete_topic(client, topic, &err));
  FAILS(TW_E_TOPIC_NOT_FOUND, stream, tw_client_describe_topic(client, topic, &made, &err));
  OK(tw_client_delete_stream(client, stream, false, &err));
}

static void what_the_server_enforces(tw_client *client) {
  tw_limits *limits;
  int found = 0;
  OK(tw_client_describe_limits(client, &limits, &err));
  for (size_t i = 0; i < limits->count; i++) {
    const tw_limit_info *it = limits->items[i];
    EXPECT(it->size == sizeof *it && it->reserved == 0);
    if (strcmp(it->name, "max_name_len") == 0) {
      found++;
      EXPECT(it->value == 255 && strcmp(it->unit, "bytes") == 0 && it->configured == 0 && it->used == 0);
    } else if (strcmp(it->name, "max_connections") == 0) {
      found++;
      EXPECT(it->configured == 1 && it->used >= 1 && it->used <= it->value);
    }
  }
  EXPECT(found == 2);
  tw_limits_free(limits);
  FAILS(TW_E_INVALID_ARGUMENT, "", tw_client_describe_limits(client, NULL, &err));
}

static void what_was_sent_is_read(tw_client *client) {
  const char *topic = fresh("read");
  tw_topic_options options = TW_TOPIC_OPTIONS_INIT;
  options.partitions = 2;
  OK(tw_client_create_topic(client, topic, &options, NULL, &err));
  tw_producer *producer;
  tw_producer_options sending = TW_PRODUCER_OPTIONS_INIT;
  sending.name = "writer";
  OK(tw_producer_open(client, topic, &sending, &producer, &err));
  EXPECT(tw_producer_partitions(producer) == 2);

  /* A missing key is not an empty one, and neither is a value. */
  tw_header headers[] = {{TW_STR("a"), TW_STR("1")}, {TW_STR("a"), TW_STR("")}};
  tw_record records[] = {
      {.key = TW_STR(""), .value = TW_STR("one"), .set = TW_RECORD_PARTITION | TW_RECORD_TIMESTAMP, .timestamp_us = 7},
      {.value = TW_STR(""), .set = TW_RECORD_PARTITION},
      {.key = TW_STR("k"), .set = TW_RECORD_PARTITION, .headers = headers, .header_count = 2},
  };
  tw_receipt receipts[3];
  OK(tw_producer_send_batch(producer, records, 3, receipts, &err));
  for (int i = 0; i < 3; i++)
    EXPECT(receipts[i].status == TW_OK && receipts[i].offset == (uint64_t)i && receipts[i].acks == TW_ACKS_SYNCED);

  /* Of many, those that can be sent are sent. */
  records[1].partition = 9;
  FAILS(TW_E_PARTITION_NOT_FOUND, "9", tw_producer_send_batch(producer, records, 3, receipts, &err));
  EXPECT(receipts[0].status == TW_OK && receipts[1].status == TW_E_PARTITION_NOT_FOUND && receipts[2].offset == 4);
  records[1].partition = 0;

  tw_ticket *ticket;
  tw_receipt receipt;
  OK(tw_producer_enqueue_ticket(producer, &records[0], &ticket, &err));
  EXPECT(tw_ticket_number(ticket) == 5);
  OK(tw_ticket_wait(ticket, PATIENCE, &receipt, &err));
  EXPECT(receipt.offset == 5 && receipt.append_time_us > 0);
  OK(tw_ticket_wait(ticket, 0, &receipt, &err));
  tw_ticket_free(ticket);

  uint64_t numbers[3];
  size_t taken;
  OK(tw_producer_enqueue_many(producer, records, 3, numbers, &taken, &err));
  EXPECT(taken == 3 && numbers[2] == 8);
  OK(tw_producer_flush(producer, PATIENCE, &err));
  tw_producer_stats stats = TW_PRODUCER_STATS_INIT;
  OK(tw_producer_get_stats(producer, &stats, &err));
  EXPECT(stats.acknowledged_records == 9 && stats.queued_records == 0);

  tw_consumer_options reading = TW_CONSUMER_OPTIONS_INIT;
  uint32_t partition = 0;
  tw_partition_offset from = {.partition = 0, .offset = 1};
  reading.partitions = &partition;
  reading.partition_count = 1;
  reading.offsets = &from;
  reading.offset_count = 1;
  tw_consumer *consumer;
  OK(tw_consumer_open(client, topic, &reading, &consumer, &err));
  tw_batch *batch;
  tw_record_view view;
  OK(tw_consumer_next_batch(consumer, PATIENCE, &batch, &err));
  EXPECT(batch != NULL && tw_batch_base_offset(batch) == 1 && tw_batch_get(batch, 0, &view));
  EXPECT(view.key.data == NULL && view.value.data != NULL && view.value.len == 0);
  EXPECT(tw_batch_get(batch, 1, &view) && view.value.data == NULL && view.key.len == 1);
  tw_header header;
  EXPECT(tw_header_next(&view.headers, &header) && header.name.len == 1 && header.value.len == 1);
  EXPECT(tw_header_next(&view.headers, &header) && header.value.len == 0 && header.value.data != NULL);
  EXPECT(!tw_header_next(&view.headers, &header));
  EXPECT(!tw_batch_get(batch, tw_batch_len(batch), &view));
  tw_record_view views[16];
  EXPECT(tw_batch_get_many(batch, 1, views, 16) == tw_batch_len(batch) - 1 && views[0].offset == 2);
  tw_batch_free(batch);

  OK(tw_consumer_seek(consumer, 0, TW_START_EARLIEST, 0, &err));
  OK(tw_consumer_next_batch(consumer, PATIENCE, &batch, &err));
  EXPECT(tw_batch_get(batch, 0, &view) && view.offset == 0 && view.timestamp_us == 7 && view.key.data != NULL &&
         view.key.len == 0);
  tw_batch_free(batch);
  tw_positions *positions;
  OK(tw_consumer_positions(consumer, &positions, &err));
  EXPECT(positions->count == 1 && positions->items[0]->stored == 0 && positions->items[0]->next_offset > 0);
  tw_positions_free(positions);
  FAILS(TW_E_PARTITION_NOT_FOUND, "1", tw_consumer_pause(consumer, 1, &err));
  OK(tw_consumer_pause(consumer, 0, &err));
  OK(tw_consumer_resume(consumer, 0, &err));
  tw_consumer_stats read = TW_CONSUMER_STATS_INIT;
  OK(tw_consumer_get_stats(consumer, &read, &err));
  EXPECT(read.partitions == 1 && read.batches >= 2);
  OK(tw_consumer_close(consumer, PATIENCE, &err));
  tw_consumer_free(consumer);

  tw_fetched *fetched;
  OK(tw_client_fetch(client, topic, 0, 0, NULL, &fetched, &err));
  EXPECT(fetched->end_offset == 9 && fetched->next_offset == 9 && fetched->batch_count >= 1);
  EXPECT(tw_batch_base_offset(fetched->batches[0]) == 0);
  tw_fetched_free(fetched);
  tw_error *err = NULL;
  uint64_t first, next;
  EXPECT(tw_client_fetch(client, topic, 0, 99, NULL, &fetched, &err) == TW_E_OFFSET_OUT_OF_RANGE);
  EXPECT(tw_error_offsets(err, &first, &next) && first == 0 && next == 9);
  EXPECT(strcmp(tw_error_name(tw_error_code(err)), "OFFSET_OUT_OF_RANGE") == 0 && tw_error_kind(err)[0] != 0);
  tw_error_free(err);

  tw_producers *producers;
  OK(tw_client_list_producers(client, topic, &producers, &err));
  EXPECT(producers->count == 1 && strcmp(producers->items[0]->name, "writer") == 0);
  tw_producers_free(producers);
  uint64_t start;
  OK(tw_client_truncate(client, topic, 0, 4, &start, &err));
  EXPECT(start == 4);
  OK(tw_client_purge_topic(client, topic, &err));
  OK(tw_producer_close(producer, PATIENCE, &err));
  tw_producer_free(producer);
  OK(tw_client_forget_producer(client, topic, "writer", &err));
}

static void a_group_reads_and_stores(tw_client *client) {
  char topic[128], group[128];
  snprintf(topic, sizeof topic, "%s", fresh("group-topic"));
  snprintf(group, sizeof group, "%s", fresh("group"));
  OK(tw_client_create_topic(client, topic, NULL, NULL, &err));
  tw_producer *producer;
  OK(tw_producer_open(client, topic, NULL, &producer, &err));
  tw_record record = {.value = TW_STR("v")};
  for (int i = 0; i < 10; i++) OK(tw_producer_send(producer, &record, NULL, &err));
  tw_producer_free(producer);

  tw_consumer_options options = TW_CONSUMER_OPTIONS_INIT;
  options.group = group;
  options.start = TW_START_EARLIEST;
  tw_consumer *consumer;
  OK(tw_consumer_open(client, topic, &options, &consumer, &err));
  for (uint64_t seen = 0; seen < 10;) {
    tw_batch *batch;
    OK(tw_consumer_next_batch(consumer, PATIENCE, &batch, &err));
    EXPECT(batch != NULL && tw_batch_base_offset(batch) == seen);
    seen += tw_batch_len(batch);
    OK(tw_consumer_commit_batch(consumer, batch, &err));
    tw_batch_free(batch);
  }
  tw_positions *positions;
  OK(tw_consumer_positions(consumer, &positions, &err));
  EXPECT(positions->count == 1 && strstr(positions->items[0]->topic, topic) != NULL);
  tw_positions_free(positions);
  tw_group_description *description;
  OK(tw_client_describe_group(client, group, &description, &err));
  EXPECT(description->member_count == 1 && description->partition_count == 1 &&
         description->partitions[0]->offset == 10 && description->info->members == 1);
  tw_group_description_free(description);
  FAILS(TW_E_GROUP_NOT_EMPTY, group, tw_client_delete_group(client, group, &err));
  OK(tw_consumer_commit_offset(consumer, topic, 0, 10, &err));
  OK(tw_consumer_commit(consumer, &err));
  OK(tw_consumer_close(consumer, PATIENCE, &err));
  tw_consumer_free(consumer);

  tw_offsets *offsets;
  OK(tw_client_committed(client, group, topic, &offsets, &err));
  EXPECT(offsets->count == 1 && offsets->items[0]->offset == 10 && offsets->items[0]->note[0] == 0);
  tw_offsets_free(offsets);
  uint32_t partition = 0;
  tw_status status;
  tw_error *err = NULL;
  /* Leaving takes its time. */
  while ((status = tw_client_reset_offsets(client, group, topic, &partition, 1, TW_START_OFFSET, 3, false, &offsets,
                                           &err)) == TW_E_GROUP_NOT_EMPTY) {
    tw_error_free(err);
    err = NULL;
  }
  EXPECT(status == TW_OK && offsets->count == 1 && offsets->items[0]->offset == 3);
  tw_offsets_free(offsets);
  OK(tw_client_delete_offsets(client, group, topic, NULL, 0, &err));
  OK(tw_client_delete_group(client, group, &err));
  OK(tw_client_create_group(client, group, NULL, &err));
  OK(tw_client_delete_group(client, group, &err));
}

int main(int argc, char **argv) {
  tw_client *client;
  tw_client_options options = TW_CLIENT_OPTIONS_INIT;
  options.client_name = "api.c";
  OK(tw_client_connect(argc > 1 ? argv[1] : NULL, &options, &client, &err));
  tw_server_info *server;
  OK(tw_client_server(client, &server, &err));
  EXPECT(server->max_batch_len > 0 && strchr(server->address, ':') != NULL && server->id != 0);
  tw_server_info_free(server);
  uint64_t took;
  OK(tw_client_ping(client, &took, &err));
  EXPECT(strlen(tw_version()) >= 5 && tw_error_name(TW_E_CLOSED) != NULL && tw_error_name(9999) == NULL);
  streams_and_topics(client);
  what_the_server_enforces(client);
  what_was_sent_is_read(client);
  a_group_reads_and_stores(client);
  OK(tw_client_close(client, &err));
  tw_client_free(client);
  return 0;
}
