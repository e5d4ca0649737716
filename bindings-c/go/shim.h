// What cgo sees of the library, with what makes one crossing of many.
#ifndef TIDEWIRE_GO_SHIM_H
#define TIDEWIRE_GO_SHIM_H

#include <stdlib.h>
#include <string.h>
#include <tidewire.h>

// An outcome that is returned by value, so that nothing of Go's escapes.
typedef struct {
  tw_status status;
  tw_error *err;
} go_outcome;

// Enqueues a record without headers and id; `has` has 1 for a key, 2 for a value.
static inline go_outcome go_post(const tw_producer *producer, const void *key, size_t key_len, const void *value,
                                 size_t value_len, int has, int64_t timestamp_us, uint32_t partition, uint32_t set) {
  tw_record record = {0};
  go_outcome out = {TW_OK, NULL};
  if (has & 1) record.key.data = key_len > 0 ? key : "", record.key.len = key_len;
  if (has & 2) record.value.data = value_len > 0 ? value : "", record.value.len = value_len;
  record.timestamp_us = timestamp_us;
  record.partition = partition;
  record.set = set;
  out.status = tw_producer_enqueue(producer, &record, NULL, &out.err);
  return out;
}

// A batch, in short.
typedef struct {
  tw_batch *batch;
  uint64_t base_offset, next_offset, end_offset;
  int64_t append_time_us;
  size_t len;
  uint32_t partition;
} go_batch;

static inline void go_describe(go_batch *it) {
  it->base_offset = tw_batch_base_offset(it->batch);
  it->next_offset = tw_batch_next_offset(it->batch);
  it->end_offset = tw_batch_end_offset(it->batch);
  it->append_time_us = tw_batch_append_time_us(it->batch);
  it->len = tw_batch_len(it->batch);
  it->partition = tw_batch_partition(it->batch);
}

static inline tw_status go_next(const tw_consumer *consumer, go_batch *out, tw_error **err) {
  tw_status status = tw_consumer_next_batch(consumer, 0, &out->batch, err);
  if (out->batch != NULL) go_describe(out);
  return status;
}

// A record of a batch: its parts by their place in one range of bytes, which is shorter than 4 GiB; a length of
// UINT32_MAX is none.
typedef struct {
  int64_t timestamp_us;
  // From the batch's base offset.
  uint32_t offset;
  uint32_t key, key_len, value, value_len, headers, headers_len;
} go_place;

static inline void go_widen(const tw_slice *part, uintptr_t *from, uintptr_t *to) {
  uintptr_t at = (uintptr_t)part->data;
  if (part->data == NULL || part->len == 0) return;
  if (at < *from) *from = at;
  if (at + part->len > *to) *to = at + part->len;
}

static inline void go_put(const tw_slice *part, uint32_t *at, uint32_t *len) {
  *at = (uint32_t)(uintptr_t)part->data;
  *len = part->data == NULL ? UINT32_MAX : (uint32_t)part->len;
}

// Fills `places`; what they lie in begins at `*from`, and its length is returned. Until the beginning is known a place
// is the lower half of an address: the difference of two is right all the same.
static inline size_t go_places(const tw_batch *batch, uint64_t base, go_place *places, size_t count, void **from) {
  uintptr_t low = UINTPTR_MAX, high = 0;
  tw_record_view views[64];
  for (size_t at = 0, n; at < count && (n = tw_batch_get_many(batch, at, views, 64)) > 0; at += n) {
    for (size_t i = 0; i < n && at + i < count; i++) {
      go_place *it = &places[at + i];
      it->offset = (uint32_t)(views[i].offset - base);
      it->timestamp_us = views[i].timestamp_us;
      go_put(&views[i].key, &it->key, &it->key_len);
      go_put(&views[i].value, &it->value, &it->value_len);
      go_put(&views[i].headers, &it->headers, &it->headers_len);
      go_widen(&views[i].key, &low, &high);
      go_widen(&views[i].value, &low, &high);
      go_widen(&views[i].headers, &low, &high);
    }
  }
  if (high == 0) low = 0;
  for (size_t i = 0; i < count; i++) {
    places[i].key -= (uint32_t)low;
    places[i].value -= (uint32_t)low;
    places[i].headers -= (uint32_t)low;
  }
  *from = (void *)low;
  return high - low;
}

#endif
