/* tidewire.hpp against a real server: values, errors in both styles, views, and ends of lives. */
#include "tidewire.hpp"

#include <algorithm>
#include <cstdio>
#include <thread>
#include <unistd.h>

#define EXPECT(condition)                                                             \
  do {                                                                                \
    if (!(condition)) {                                                               \
      std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);    \
      std::exit(1);                                                                   \
    }                                                                                 \
  } while (0)

using namespace std::chrono_literals;
namespace tw = tidewire;

static constexpr auto patience = 120s;

static_assert(!std::is_copy_constructible_v<tw::client> && std::is_nothrow_move_constructible_v<tw::client>);
static_assert(!std::is_copy_constructible_v<tw::producer> && std::is_nothrow_move_constructible_v<tw::producer>);
static_assert(!std::is_copy_constructible_v<tw::batch> && std::is_nothrow_move_constructible_v<tw::batch>);
static_assert(std::is_convertible_v<std::string, tw::bytes> && std::is_convertible_v<std::vector<char>, tw::bytes>);

static std::string fresh(const char *what) {
  static int count = 0;
  return std::string("cpp-") + what + "-" + std::to_string(getpid()) + "-" + std::to_string(count++);
}

static void errors_come_in_both_styles(const tw::client &client) {
  auto found = client.try_describe_topic("no-such-topic");
  EXPECT(!found && found.error().code() == TW_E_TOPIC_NOT_FOUND);
  EXPECT(std::string(found.error().name()) == "TOPIC_NOT_FOUND" && std::string(found.error().kind()) == "not_found");
  bool thrown = false;
  try {
    client.describe_topic("no-such-topic");
  } catch (const tw::error &error) {
    thrown = error.code() == TW_E_TOPIC_NOT_FOUND && std::string(error.what()).find("no-such-topic") != std::string::npos;
  }
  EXPECT(thrown);
  thrown = false;
  try {
    tw::client nobody("tidewire://127.0.0.1:1");
  } catch (const std::runtime_error &) {
    thrown = true;
  }
  EXPECT(thrown);
  auto cut = client.try_create_topic(std::string("a\0b", 3));
  EXPECT(!cut && cut.error().code() == TW_E_INVALID_NAME);
}

static void what_was_sent_is_read(const tw::client &client) {
  auto topic = fresh("read");
  tw::topic_options options;
  options.partitions = 1;
  EXPECT(client.create_topic(topic, options)->partitions == 1);
  auto producer = client.open_producer(topic);

  tw::record first;
  first.value = "hello";
  const std::string key = "k";
  first.key = key;
  first.headers = {{"a", "1"}, {"a", ""}};
  first.timestamp_us = 7;
  EXPECT(producer.send(first).offset == 0);
  tw::record tombstone;
  tombstone.key = "k";
  EXPECT(producer.enqueue(tombstone).wait(patience).offset == 1);
  std::vector<tw::record> many(1000);
  for (auto &each : many) each.value = "many";
  auto receipts = producer.send_batch(many);
  EXPECT(receipts.size() == 1000 && receipts[999].status == TW_OK && receipts[999].offset == 1001);
  many[500].partition = 9;
  receipts = producer.send_batch(many);
  EXPECT(receipts[500].status == TW_E_PARTITION_NOT_FOUND && receipts[999].offset == 2000);
  EXPECT(producer.post(first) == 2001);
  producer.flush(patience);
  EXPECT(producer.stats().acknowledged_records == 2002);
  auto moved = std::move(producer);
  moved.close(patience);
  auto refused = moved.try_post(first);
  EXPECT(!refused && refused.error().code() == TW_E_CLOSED);

  tw::consumer_options reading;
  reading.start = tw::start::earliest();
  auto consumer = client.open_consumer(topic, reading);
  std::uint64_t next = 0;
  while (next < 2002) {
    auto batch = consumer.next_batch(patience);
    EXPECT(batch && batch->partition() == 0 && batch->base_offset() == next && batch->topic().find(topic) != std::string_view::npos);
    for (auto record : *batch) {
      EXPECT(record.offset == next);
      if (next == 0) {
        EXPECT(record.value.text() == "hello" && record.key.str() == "k" && record.timestamp_us == 7);
        std::vector<std::string> names;
        for (const auto &header : record.headers) names.push_back(std::string(header.name) + header.value.str());
        EXPECT((names == std::vector<std::string>{"a1", "a"}));
      } else if (next == 1) {
        EXPECT(!record.value && record.key && record.value.text().empty());
      }
      next++;
    }
    EXPECT((*batch)[batch->size() - 1].offset == next - 1);
  }
  EXPECT(consumer.lag() == 0 && consumer.positions()[0].next_offset == 2002 && consumer.stats().partitions == 1);
  EXPECT(!consumer.next_batch(1ms) && !consumer.is_closed());
  consumer.seek(0, tw::start::last(1));
  EXPECT(consumer.next_batch(patience)->base_offset() == 2001);
  consumer.close(patience);
  EXPECT(!consumer.next_batch() && consumer.is_closed());

  auto fetched = client.fetch(topic, 0, 2000);
  EXPECT(fetched.records().size() == 2 && fetched.end_offset() == 2002);
  auto beyond = client.try_fetch(topic, 0, 9999);
  EXPECT(!beyond && beyond.error().offsets() && beyond.error().offsets()->second == 2002);
}

static void a_group_stores_its_place(const tw::client &client) {
  auto topic = fresh("group"), group = fresh("members");
  client.create_topic(topic);
  tw::record record;
  record.value = "v";
  client.open_producer(topic).send(record);
  tw::consumer_options options;
  options.group = group;
  options.start = tw::start::earliest();
  auto consumer = client.open_consumer(topic, options);
  auto batch = consumer.next_batch(patience);
  consumer.commit(*batch);
  EXPECT(client.committed(group, topic)->items[0]->offset == 1);
  EXPECT(client.describe_group(group)->member_count == 1 && client.list_groups()->count >= 1);
  consumer.close(patience);
}

static void a_batch_outlives_all_that_gave_it(const std::string &url) {
  std::optional<tw::batch> kept;
  {
    tw::client client(url);
    auto topic = fresh("outlive");
    client.create_topic(topic);
    tw::record record;
    record.value = "still there";
    client.open_producer(topic).send(record);
    tw::consumer_options options;
    options.start = tw::start::earliest();
    kept = client.open_consumer(topic, options).next_batch(patience);
  }
  EXPECT((*kept)[0].value.text() == "still there");
}

static void threads_share_a_producer(const tw::client &client) {
  auto topic = fresh("threads");
  client.create_topic(topic);
  auto producer = client.open_producer(topic);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++)
    threads.emplace_back([&] {
      tw::record record;
      record.value = "v";
      for (int n = 0; n < 500; n++) producer.post(record);
    });
  for (auto &thread : threads) thread.join();
  producer.flush(patience);
  EXPECT(producer.stats().acknowledged_records == 2000);
}

static void users_and_tokens() {
  const char *root_url = std::getenv("TW_TEST_ROOT_URL"), *url = std::getenv("TW_TEST_SECURED_URL");
  if (root_url == nullptr || url == nullptr) {
    std::printf("SKIPPED: users and tokens: no server asks for credentials; `cargo xtask c` starts one\n");
    return;
  }
  tw::client root{std::string(root_url)};
  const auto name = fresh("user");
  EXPECT(root.create_user(name, "pw", {"read topic default/orders"})->password == 1);
  EXPECT(root.try_create_user(name).error().code() == TW_E_USER_EXISTS);
  tw::client_options options;
  options.user = name;
  options.secret = "pw";
  tw::client client(url, options);
  EXPECT(client.describe_user()->user->name == name);
  EXPECT(client.try_list_users().error().code() == TW_E_DENIED && root.list_users()->count >= 2);
  auto left = root.change_grants(name, {"read topic default/orders"}, {"read server"});
  EXPECT(left->count == 1 && std::string(left->items[0]) == "read server");
  auto token = client.create_token("laptop", std::nullopt, 1h);
  EXPECT(std::string(token->secret).rfind("twt_", 0) == 0 && token->token->expires_us > token->token->created_us);
  EXPECT(client.try_create_token("other", std::nullopt, 0ms).error().code() == TW_E_INVALID_ARGUMENT);
  tw::client_options by_token;
  by_token.secret = token->secret;
  EXPECT(tw::client(url, by_token).describe_user()->user->tokens == 1);
  EXPECT(root.list_tokens(name)->count == 1);
  root.delete_token(token->token->id);
  EXPECT(client.list_tokens()->count == 0);
  root.change_password("new", name);
  EXPECT(root.enable_user(name, false)->enabled == 0);
  root.delete_user(name);
  EXPECT(root.try_describe_user(name).error().code() == TW_E_USER_NOT_FOUND);
}

int main(int argc, char **argv) {
  std::string url = argc > 1 ? argv[1] : "tidewire://127.0.0.1:8433";
  tw::client client(url);
  client.ping();
  EXPECT(client.server()->max_batch_len > 0);
  auto limits = client.describe_limits();
  EXPECT(std::any_of(limits->items, limits->items + limits->count, [](const tw_limit_info *it) {
    return std::string(it->name) == "max_connections" && it->configured == 1 && it->used >= 1 && it->used <= it->value;
  }));
  errors_come_in_both_styles(client);
  what_was_sent_is_read(client);
  a_group_stores_its_place(client);
  a_batch_outlives_all_that_gave_it(url);
  threads_share_a_producer(client);
  users_and_tokens();
  client.close();
  auto closed = client.try_ping();
  EXPECT(!closed && closed.error().code() == TW_E_CLOSED);
}
