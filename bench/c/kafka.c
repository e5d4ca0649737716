/* What bench.c measures, through librdkafka on Kafka: bench-kafka ADDRESS WORK COUNT prints records a
 * second. See run.py.
 */
#define _POSIX_C_SOURCE 200809L
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { VALUE = 256, MANY = 256, WAIT_MS = 30000 };

static char value[VALUE];
static unsigned long delivered;

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void fail(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque) {
  (void)rk;
  (void)opaque;
  if (message->err) fail("delivery", rd_kafka_err2str(message->err));
  delivered++;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *to) {
  char why[512];
  if (rd_kafka_conf_set(conf, name, to, why, sizeof why) != RD_KAFKA_CONF_OK) fail(name, why);
}

static rd_kafka_t *begin(rd_kafka_type_t type, rd_kafka_conf_t *conf) {
  char why[512];
  rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof why);
  if (rk == NULL) fail("rd_kafka_new", why);
  return rk;
}

static double consume(rd_kafka_conf_t *conf, unsigned long count) {
  set(conf, "group.id", "bench");
  set(conf, "enable.auto.commit", "false");
  set(conf, "fetch.max.bytes", "67108864");
  set(conf, "max.partition.fetch.bytes", "8388608");
  set(conf, "queued.min.messages", "1000000");
  set(conf, "queued.max.messages.kbytes", "1048576");
  set(conf, "check.crcs", "true");
  double begun = now();
  rd_kafka_t *rk = begin(RD_KAFKA_CONSUMER, conf);
  rd_kafka_poll_set_consumer(rk);
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, "read", 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
  rd_kafka_resp_err_t error = rd_kafka_assign(rk, list);
  if (error) fail("assign", rd_kafka_err2str(error));
  rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(rk);
  static rd_kafka_message_t *messages[4096];
  unsigned long seen = 0, sum = 0;
  while (seen < count) {
    /* It waits until it has as many as it is asked for. */
    size_t most = count - seen < 4096 ? count - seen : 4096;
    ssize_t got = rd_kafka_consume_batch_queue(queue, WAIT_MS, messages, most);
    if (got <= 0) fail("consume", "nothing more");
    for (ssize_t i = 0; i < got; i++) {
      if (messages[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        sum += messages[i]->len;
        seen++;
      }
      rd_kafka_message_destroy(messages[i]);
    }
  }
  double took = now() - begun;
  if (sum == 0) fail("consume", "empty records");
  rd_kafka_queue_destroy(queue);
  rd_kafka_topic_partition_list_destroy(list);
  rd_kafka_consumer_close(rk);
  rd_kafka_destroy(rk);
  return took;
}

static void one(rd_kafka_t *rk, rd_kafka_topic_t *topic) {
  while (rd_kafka_produce(topic, 0, RD_KAFKA_MSG_F_COPY, value, VALUE, NULL, 0, NULL) != 0) {
    if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
      fail("produce", rd_kafka_err2str(rd_kafka_last_error()));
    rd_kafka_poll(rk, 10);
  }
}

static void many(rd_kafka_t *rk, rd_kafka_topic_t *topic) {
  rd_kafka_message_t messages[MANY];
  memset(messages, 0, sizeof messages);
  for (int i = 0; i < MANY; i++) {
    messages[i].payload = value;
    messages[i].len = VALUE;
  }
  int taken = rd_kafka_produce_batch(topic, 0, RD_KAFKA_MSG_F_COPY, messages, MANY);
  for (int i = 0; taken < MANY && i < MANY; i++) {
    if (messages[i].err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    if (messages[i].err != RD_KAFKA_RESP_ERR__QUEUE_FULL)
      fail("produce", rd_kafka_err2str(messages[i].err));
    one(rk, topic);
    taken++;
  }
}

static double produce(rd_kafka_conf_t *conf, const char *work, unsigned long count) {
  int roomy = strncmp(work, "enqueue", strlen("enqueue")) == 0;
  set(conf, "acks", "1");
  set(conf, "batch.size", "1048576");
  set(conf, "linger.ms", roomy ? "1000" : strcmp(work, "send") == 0 ? "0" : "5");
  set(conf, "queue.buffering.max.messages", "10000000");
  set(conf, "queue.buffering.max.kbytes", roomy ? "1048576" : "65536");
  rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  rd_kafka_t *rk = begin(RD_KAFKA_PRODUCER, conf);
  rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, strcmp(work, "fill") == 0 ? "read" : "bench", NULL);
  if (topic == NULL) fail("topic", rd_kafka_err2str(rd_kafka_last_error()));
  /* It is connected, and the topic known or made, before the clock begins: as in bench.c. */
  one(rk, topic);
  if (rd_kafka_flush(rk, WAIT_MS) != 0) fail("flush", "in vain");
  double begun = now();
  if (strcmp(work, "send") == 0) {
    for (unsigned long i = 0; i < count; i++) {
      unsigned long before = delivered;
      one(rk, topic);
      while (delivered == before) rd_kafka_poll(rk, WAIT_MS);
    }
  } else if (strcmp(work, "enqueue-many") == 0) {
    for (unsigned long i = 0; i < count; i += MANY) many(rk, topic);
  } else {
    for (unsigned long i = 0; i < count; i++) {
      one(rk, topic);
      if (i % 1024 == 0) rd_kafka_poll(rk, 0);
    }
  }
  if (!roomy && rd_kafka_flush(rk, WAIT_MS) != 0) fail("flush", "in vain");
  double took = now() - begun;
  if (rd_kafka_flush(rk, 60000) != 0) fail("flush", "in vain");
  rd_kafka_topic_destroy(topic);
  rd_kafka_destroy(rk);
  return took;
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: bench-kafka ADDRESS enqueue|enqueue-many|produce|send|fill|consume COUNT\n");
    return 2;
  }
  unsigned long count = strtoul(argv[3], NULL, 10);
  memset(value, 'x', VALUE);
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", argv[1]);
  int reads = strncmp(argv[2], "consume", strlen("consume")) == 0;
  double took = reads ? consume(conf, count) : produce(conf, argv[2], count);
  printf("%.0f\n", (double)count / took);
  return 0;
}
