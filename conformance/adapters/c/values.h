/* How the library's values are written in JSON: numbers of 64 bits as strings, bytes by content or,
 * when they are many, by length and checksum.
 */
#ifndef TW_ADAPTER_VALUES_H
#define TW_ADAPTER_VALUES_H

#include "json.h"
#include "tidewire.h"

/* CRC-32 as in zlib; begins and ends complemented. */
static inline uint32_t crc32_add(uint32_t crc, const void *bytes, size_t len) {
  const unsigned char *at = (const unsigned char *)bytes;
  for (size_t i = 0; i < len; i++) {
    crc ^= at[i];
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (0xEDB88320u & (0u - (crc & 1)));
  }
  return crc;
}

static inline void put_slice(text *out, tw_slice bytes) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const unsigned char *at = (const unsigned char *)bytes.data;
  if (at == NULL) {
    put(out, "null");
    return;
  }
  if (bytes.len > 1024) {
    put(out, "{\"len\":%zu,\"crc32\":\"%08x\"}", bytes.len, ~crc32_add(~0u, at, bytes.len));
    return;
  }
  put(out, "{\"base64\":\"");
  for (size_t i = 0; i < bytes.len; i += 3) {
    size_t left = bytes.len - i;
    uint32_t three = (uint32_t)at[i] << 16 | (left > 1 ? (uint32_t)at[i + 1] << 8 : 0) | (left > 2 ? at[i + 2] : 0);
    char four[4] = {digits[three >> 18], digits[three >> 12 & 63], left > 1 ? digits[three >> 6 & 63] : '=',
                    left > 2 ? digits[three & 63] : '='};
    put_bytes(out, four, 4);
  }
  put(out, "\"}");
}

/* A record to send, with the memory that it needs. */
typedef struct {
  tw_record record;
  tw_header *headers;
  void *owned[256];
  size_t count;
} owned_record;

/* `null`, `{"utf8"}`, `{"base64"}` or `{"repeat","times"}`. */
static inline bool read_bytes(owned_record *in, const json *it, tw_slice *out) {
  out->data = NULL;
  out->len = 0;
  if (it == NULL || it->kind == JSON_NULL) return true;
  text bytes = {NULL, 0, 0};
  put_bytes(&bytes, "", 0);
  const json *utf8 = field(it, "utf8"), *base64 = field(it, "base64"), *repeat = field(it, "repeat");
  if (utf8 != NULL) put_bytes(&bytes, utf8->text, utf8->len);
  else if (repeat != NULL)
    for (uint64_t i = number_of(it, "times", 0); i > 0; i--) put_bytes(&bytes, repeat->text, repeat->len);
  else if (base64 != NULL) {
    uint32_t bits = 0;
    int have = 0;
    for (const char *c = base64->text; *c != 0 && *c != '='; c++) {
      int digit = *c >= 'A' && *c <= 'Z'   ? *c - 'A'
                  : *c >= 'a' && *c <= 'z' ? *c - 'a' + 26
                  : *c >= '0' && *c <= '9' ? *c - '0' + 52
                  : *c == '+'              ? 62
                                           : 63;
      bits = bits << 6 | (uint32_t)digit;
      have += 6;
      if (have >= 8) {
        have -= 8;
        char byte = (char)(bits >> have & 255);
        put_bytes(&bytes, &byte, 1);
      }
    }
  } else {
    free(bytes.at);
    return false;
  }
  if (in->count == sizeof in->owned / sizeof in->owned[0]) abort();
  in->owned[in->count++] = bytes.at;
  out->data = bytes.at;
  out->len = bytes.len;
  return true;
}

static inline bool read_record(const json *it, owned_record *out) {
  memset(out, 0, sizeof *out);
  tw_slice id;
  if (it == NULL || !read_bytes(out, field(it, "value"), &out->record.value) ||
      !read_bytes(out, field(it, "key"), &out->record.key) || !read_bytes(out, field(it, "id"), &id) ||
      (id.data != NULL && id.len != 16))
    return false;
  out->record.id = (const uint8_t *)id.data;
  if (field(it, "timestamp_us") != NULL) {
    out->record.timestamp_us = (int64_t)number_of(it, "timestamp_us", 0);
    out->record.set |= TW_RECORD_TIMESTAMP;
  }
  if (field(it, "partition") != NULL) {
    out->record.partition = (uint32_t)number_of(it, "partition", 0);
    out->record.set |= TW_RECORD_PARTITION;
  }
  const json *headers = field(it, "headers");
  for (const json *header = headers ? headers->first : NULL; header != NULL; header = header->next) {
    size_t n = out->record.header_count++;
    out->headers = (tw_header *)realloc(out->headers, (n + 1) * sizeof *out->headers);
    out->record.headers = out->headers;
    if (out->headers == NULL) abort();
    out->headers[n].name.data = header->first->text;
    out->headers[n].name.len = header->first->len;
    if (!read_bytes(out, header->first->next, &out->headers[n].value)) return false;
  }
  return true;
}

static inline void free_record(owned_record *it) {
  for (size_t i = 0; i < it->count; i++) free(it->owned[i]);
  free(it->headers);
}

static inline void put_receipt(text *out, const tw_receipt *it) {
  static const char *const acks[] = {"none", "written", "synced"};
  put(out, "{\"partition\":%u,\"offset\":\"%llu\",\"append_time_us\":\"%lld\",\"acks\":\"%s\",\"duplicate\":%s}",
      it->partition, (unsigned long long)it->offset, (long long)it->append_time_us,
      it->acks < 3 ? acks[it->acks] : "other", it->duplicate ? "true" : "false");
}

static inline void put_error(text *out, const tw_error *it) {
  uint64_t first, next;
  put(out, "{\"code\":%d,\"disposition\":%u,\"kind\":\"%s\",\"message\":", tw_error_code(it), tw_error_disposition(it),
      tw_error_kind(it));
  put_string(out, tw_error_message(it));
  if (tw_error_offsets(it, &first, &next))
    put(out, ",\"offsets\":[\"%llu\",\"%llu\"]", (unsigned long long)first, (unsigned long long)next);
  put(out, "}");
}

static inline void put_event(text *out, const tw_event *it) {
  static const char *const types[] = {"connected", "disconnected", "reconnecting", "gave_up", "throttled"};
  bool known = it->kind <= TW_EVENT_THROTTLED;
  put(out, "{\"event\":{\"type\":\"%s\",\"attempt\":%u,\"partition\":%u,\"count\":\"%llu\"",
      known                                  ? types[it->kind - TW_EVENT_CONNECTED]
      : it->kind == TW_EVENT_MISSED          ? "missed"
      : it->kind == TW_EVENT_RECORDS_SKIPPED ? "records_skipped"
                                             : "other",
      it->attempt, it->partition, (unsigned long long)it->missed);
  if (it->address != NULL) put(out, ",\"address\":"), put_string(out, it->address);
  if (it->topic != NULL) put(out, ",\"topic\":"), put_string(out, it->topic);
  if (it->error != NULL) put(out, ",\"error\":"), put_error(out, it->error);
  put(out, ",\"from_offset\":\"%llu\",\"to_offset\":\"%llu\"}}", (unsigned long long)it->from_offset,
      (unsigned long long)it->to_offset);
}

static inline void put_producers(text *out, const tw_producers *all) {
  put(out, "{\"producers\":[");
  for (size_t i = 0; i < all->count; i++) {
    put(out, i > 0 ? ",{\"name\":" : "{\"name\":");
    put_string(out, all->items[i]->name);
    put(out, "}");
  }
  put(out, "]}");
}

static inline void put_stream(text *out, const tw_stream_info *it) {
  put(out, "{\"name\":");
  put_string(out, it->name);
  put(out, ",\"id\":\"%llu\",\"topics\":%u,\"created_us\":\"%lld\"}", (unsigned long long)it->id, it->topics,
      (long long)it->created_us);
}

static inline void put_topic(text *out, const tw_topic_info *it) {
  static const char *const codecs[] = {"none", "lz4", "zstd"};
  put(out, "{\"stream\":");
  put_string(out, it->stream);
  put(out, ",\"name\":");
  put_string(out, it->name);
  put(out, ",\"id\":\"%llu\",\"created_us\":\"%lld\",\"partitions\":%u,\"segment_bytes\":\"%llu\",\"codec\":\"%s\"",
      (unsigned long long)it->id, (long long)it->created_us, it->partitions, (unsigned long long)it->segment_bytes,
      it->codec < 3 ? codecs[it->codec] : "other");
  put(out, ",\"retention_ms\":\"%llu\",\"retention_bytes\":\"%llu\",\"dedup_window_ms\":\"%llu\"}",
      (unsigned long long)it->retention_ms, (unsigned long long)it->retention_bytes,
      (unsigned long long)it->dedup_window_ms);
}

/* Appends the records of a batch, of which `*n` were written before. */
static inline void put_records(text *out, const tw_batch *batch, size_t *n) {
  tw_record_view it;
  for (size_t i = 0; tw_batch_get(batch, i, &it); i++) {
    put(out, "%s{\"partition\":%u,\"offset\":\"%llu\",\"timestamp_us\":\"%lld\",\"append_time_us\":\"%lld\",\"key\":",
        (*n)++ > 0 ? "," : "", tw_batch_partition(batch), (unsigned long long)it.offset, (long long)it.timestamp_us,
        (long long)tw_batch_append_time_us(batch));
    put_slice(out, it.key);
    put(out, ",\"value\":");
    put_slice(out, it.value);
    put(out, ",\"headers\":[");
    tw_slice rest = it.headers;
    tw_header header;
    for (size_t h = 0; tw_header_next(&rest, &header); h++) {
      text name = {NULL, 0, 0};
      put_bytes(&name, header.name.data, header.name.len);
      put(out, h > 0 ? ",[" : "[");
      put_string(out, name.at);
      put(out, ",");
      put_slice(out, header.value);
      put(out, "]");
      free(name.at);
    }
    put(out, "]}");
  }
}

/* What was read of each partition, for reads too large to be written out. */
typedef struct {
  struct {
    bool used;
    uint64_t count, first, next;
    uint32_t crc;
  } of[64];
} digests;

static inline void digest_bytes(uint32_t *crc, tw_slice bytes) {
  uint32_t len = bytes.data == NULL ? UINT32_MAX : (uint32_t)bytes.len;
  *crc = crc32_add(*crc, &len, 4);
  if (bytes.data != NULL) *crc = crc32_add(*crc, bytes.data, bytes.len);
}

static inline void add_digest(digests *sums, const tw_batch *batch) {
  uint32_t partition = tw_batch_partition(batch) % 64;
  tw_record_view it;
  for (size_t i = 0; tw_batch_get(batch, i, &it); i++) {
    if (!sums->of[partition].used) {
      sums->of[partition].used = true;
      sums->of[partition].first = it.offset;
      sums->of[partition].crc = ~0u;
    }
    sums->of[partition].count++;
    sums->of[partition].next = it.offset + 1;
    uint32_t *crc = &sums->of[partition].crc, headers = 0;
    *crc = crc32_add(*crc, &it.offset, 8);
    *crc = crc32_add(*crc, &it.timestamp_us, 8);
    digest_bytes(crc, it.key);
    digest_bytes(crc, it.value);
    tw_header header;
    for (tw_slice rest = it.headers; tw_header_next(&rest, &header);) headers++;
    *crc = crc32_add(*crc, &headers, 4);
    for (tw_slice rest = it.headers; tw_header_next(&rest, &header);) {
      digest_bytes(crc, header.name);
      digest_bytes(crc, header.value);
    }
  }
}

static inline void put_digests(text *out, const digests *sums) {
  bool first = true;
  put(out, "\"digests\":{");
  for (unsigned p = 0; p < 64; p++) {
    if (!sums->of[p].used) continue;
    put(out, "%s\"%u\":{\"count\":\"%llu\",\"first_offset\":\"%llu\",\"next_offset\":\"%llu\",\"crc32\":\"%08x\"}",
        first ? "" : ",", p, (unsigned long long)sums->of[p].count, (unsigned long long)sums->of[p].first,
        (unsigned long long)sums->of[p].next, ~sums->of[p].crc);
    first = false;
  }
  put(out, "}");
}

/* Limits, by name. */
static inline void put_limits(text *out, const tw_limits *all) {
  put(out, "{\"limits\":{");
  for (size_t i = 0; i < all->count; i++) {
    const tw_limit_info *it = all->items[i];
    put(out, "%s\"%s\":{\"value\":\"%llu\",\"unit\":\"%s\",\"configured\":%s,\"used\":\"%llu\"}", i > 0 ? "," : "",
        it->name, (unsigned long long)it->value, it->unit, it->configured ? "true" : "false",
        (unsigned long long)it->used);
  }
  put(out, "}}");
}

/* A user; left open for more, unless it is whole. */
static inline void put_user(text *out, const tw_user_info *it, bool whole) {
  put(out, "{\"name\":");
  put_string(out, it->name);
  put(out, ",\"id\":\"%llu\",\"enabled\":%s,\"password\":%s,\"tokens\":%u%s", (unsigned long long)it->id,
      it->enabled ? "true" : "false", it->password ? "true" : "false", it->tokens, whole ? "}" : "");
}

/* Grants, as a further field. */
static inline void put_grants(text *out, const char *const *items, size_t count) {
  put(out, ",\"grants\":[");
  for (size_t i = 0; i < count; i++) {
    put(out, i > 0 ? "," : "");
    put_string(out, items[i]);
  }
  put(out, "]");
}

/* A token, left open for more. */
static inline void put_token(text *out, const tw_token_info *it) {
  put(out, "{\"id\":\"%llu\",\"expires_us\":\"%lld\",\"name\":", (unsigned long long)it->id, (long long)it->expires_us);
  put_string(out, it->name);
  put(out, ",\"user\":");
  put_string(out, it->user);
}

#endif
