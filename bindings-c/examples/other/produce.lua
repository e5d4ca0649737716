-- Sends a record and reads it back, from LuaJIT, which has no binding of ours: the header's
-- declarations are all that it takes.
--
--   luajit produce.lua /usr/local/lib/libtidewire.so [URL]
local ffi = require("ffi")

ffi.cdef [[
typedef struct tw_client tw_client;
typedef struct tw_producer tw_producer;
typedef struct tw_consumer tw_consumer;
typedef struct tw_batch tw_batch;
typedef struct tw_error tw_error;
typedef struct { const void *data; size_t len; } tw_slice;
typedef struct {
  tw_slice key, value; const void *headers; size_t header_count; const uint8_t *id;
  int64_t timestamp_us; uint32_t partition, set;
} tw_record;
typedef struct {
  uint64_t offset; int64_t append_time_us; uint32_t partition; int32_t status; uint32_t disposition;
  uint8_t acks; bool duplicate; uint16_t reserved;
} tw_receipt;
typedef struct { uint64_t offset; int64_t timestamp_us; tw_slice key, value, headers; } tw_record_view;

int32_t tw_client_connect(const char *url, const void *options, tw_client **client, tw_error **err);
void tw_client_free(tw_client *client);
int32_t tw_client_create_topic(const tw_client *client, const char *topic, const void *options, void *info,
                               tw_error **err);
int32_t tw_producer_open(const tw_client *client, const char *topic, const void *options, tw_producer **producer,
                         tw_error **err);
int32_t tw_producer_send(const tw_producer *producer, const tw_record *record, tw_receipt *receipt, tw_error **err);
void tw_producer_free(tw_producer *producer);
int32_t tw_consumer_open(const tw_client *client, const char *topic, const void *options, tw_consumer **consumer,
                         tw_error **err);
int32_t tw_consumer_next_batch(const tw_consumer *consumer, int64_t timeout_ms, tw_batch **batch, tw_error **err);
void tw_consumer_free(tw_consumer *consumer);
bool tw_batch_get(const tw_batch *batch, size_t index, tw_record_view *record);
void tw_batch_free(tw_batch *batch);
int32_t tw_error_code(const tw_error *error);
const char *tw_error_message(const tw_error *error);
void tw_error_free(tw_error *error);
]]

local tw = ffi.load(arg[1] or "libtidewire.so.0")
local TOPIC_EXISTS = 304

local function check(call)
  local err = ffi.new("tw_error *[1]")
  if call(err) ~= 0 then
    local code, message = tw.tw_error_code(err[0]), ffi.string(tw.tw_error_message(err[0]))
    tw.tw_error_free(err[0])
    return code, message
  end
  return 0
end

local function must(call)
  local code, message = check(call)
  if code ~= 0 then error(message) end
end

local function slice(text) return ffi.new("tw_slice", ffi.cast("const char *", text), #text) end

local client, producer = ffi.new("tw_client *[1]"), ffi.new("tw_producer *[1]")
local consumer, batch = ffi.new("tw_consumer *[1]"), ffi.new("tw_batch *[1]")
must(function(err) return tw.tw_client_connect(arg[2], nil, client, err) end)
local code, message = check(function(err) return tw.tw_client_create_topic(client[0], "lua", nil, nil, err) end)
assert(code == 0 or code == TOPIC_EXISTS, message)
must(function(err) return tw.tw_consumer_open(client[0], "lua", nil, consumer, err) end)
must(function(err) return tw.tw_producer_open(client[0], "lua", nil, producer, err) end)

local record, receipt = ffi.new("tw_record"), ffi.new("tw_receipt")
local key, value = "k", "hello from " .. jit.version
record.key, record.value = slice(key), slice(value)
must(function(err) return tw.tw_producer_send(producer[0], record, receipt, err) end)
must(function(err) return tw.tw_consumer_next_batch(consumer[0], 60000, batch, err) end)
local view = ffi.new("tw_record_view")
assert(batch[0] ~= nil and tw.tw_batch_get(batch[0], 0, view))
local text = ffi.string(view.value.data, view.value.len)
assert(text == value and view.offset == receipt.offset)
print(("partition %d, offset %d: %s"):format(receipt.partition, tonumber(receipt.offset), text))

tw.tw_batch_free(batch[0])
tw.tw_consumer_free(consumer[0])
tw.tw_producer_free(producer[0])
tw.tw_client_free(client[0])
