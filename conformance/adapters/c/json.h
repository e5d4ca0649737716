/* JSON as the adapters of C and C++ need it: lines in, lines out.
 *
 * Owns a tree of one line, whose memory is freed as a whole, and a growing text. Numbers keep their
 * text, so that those of 64 bits stay exact. What is not JSON is NULL.
 */
#ifndef TW_ADAPTER_JSON_H
#define TW_ADAPTER_JSON_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT } json_kind;

typedef struct json {
  json_kind kind;
  bool truth;
  char *text;         /* of a string or a number */
  size_t len;
  char *name;         /* in an object */
  struct json *first; /* of an array or object */
  struct json *next;
} json;

/* ---- writing ---- */

typedef struct {
  char *at;
  size_t len, room;
} text;

static inline void put_bytes(text *out, const void *bytes, size_t len) {
  if (out->len + len + 1 > out->room) {
    out->room = (out->len + len + 1) * 2;
    out->at = (char *)realloc(out->at, out->room);
    if (out->at == NULL) abort();
  }
  if (len > 0) memcpy(out->at + out->len, bytes, len);
  out->len += len;
  out->at[out->len] = 0;
}

static inline void put(text *out, const char *format, ...) {
  char small[512];
  va_list list;
  va_start(list, format);
  int len = vsnprintf(small, sizeof small, format, list);
  va_end(list);
  put_bytes(out, small, len < (int)sizeof small ? (size_t)len : sizeof small - 1);
}

static inline void put_string(text *out, const char *string) {
  put_bytes(out, "\"", 1);
  for (const unsigned char *c = (const unsigned char *)string; *c != 0; c++) {
    if (*c == '"' || *c == '\\') put(out, "\\%c", *c);
    else if (*c < 0x20) put(out, "\\u%04x", *c);
    else put_bytes(out, c, 1);
  }
  put_bytes(out, "\"", 1);
}

/* ---- reading ---- */

typedef struct {
  const char *at, *end;
} json_source;

static inline void json_free(json *it) {
  while (it != NULL) {
    json *next = it->next;
    json_free(it->first);
    free(it->text);
    free(it->name);
    free(it);
    it = next;
  }
}

static inline void json_space(json_source *in) {
  while (in->at < in->end && strchr(" \t\r\n", *in->at) != NULL && *in->at != 0) in->at++;
}

static inline int json_hex(json_source *in) {
  int value = 0;
  for (int i = 0; i < 4; i++) {
    if (in->at >= in->end) return -1;
    char c = *in->at++;
    int digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/* The characters up to the closing quote; NULL if they are not a string. */
static inline char *json_characters(json_source *in, size_t *len) {
  text out = {NULL, 0, 0};
  put_bytes(&out, "", 0);
  while (in->at < in->end && *in->at != '"') {
    char c = *in->at++;
    if (c != '\\') {
      put_bytes(&out, &c, 1);
      continue;
    }
    c = in->at < in->end ? *in->at++ : 0;
    const char *plain = "\"\\/bfnrt", *meant = "\"\\/\b\f\n\r\t";
    const char *found = c == 0 ? NULL : strchr(plain, c);
    if (found != NULL) {
      put_bytes(&out, meant + (found - plain), 1);
      continue;
    }
    int code = c == 'u' ? json_hex(in) : -1;
    if (code >= 0xD800 && code < 0xDC00 && in->end - in->at >= 6 && in->at[0] == '\\' && in->at[1] == 'u') {
      in->at += 2;
      int low = json_hex(in);
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    if (code < 0) {
      free(out.at);
      return NULL;
    }
    unsigned char utf8[4];
    size_t n = 0;
    if (code < 0x80) utf8[n++] = (unsigned char)code;
    else if (code < 0x800) {
      utf8[n++] = (unsigned char)(0xC0 | code >> 6);
      utf8[n++] = (unsigned char)(0x80 | (code & 63));
    } else {
      if (code < 0x10000) utf8[n++] = (unsigned char)(0xE0 | code >> 12);
      else {
        utf8[n++] = (unsigned char)(0xF0 | code >> 18);
        utf8[n++] = (unsigned char)(0x80 | (code >> 12 & 63));
      }
      utf8[n++] = (unsigned char)(0x80 | (code >> 6 & 63));
      utf8[n++] = (unsigned char)(0x80 | (code & 63));
    }
    put_bytes(&out, utf8, n);
  }
  if (in->at >= in->end) {
    free(out.at);
    return NULL;
  }
  in->at++;
  *len = out.len;
  return out.at;
}

static inline json *json_value(json_source *in, int depth);

static inline bool json_children(json_source *in, json *it, int depth) {
  char close = it->kind == JSON_OBJECT ? '}' : ']';
  json **place = &it->first;
  json_space(in);
  if (in->at < in->end && *in->at == close) {
    in->at++;
    return true;
  }
  for (;;) {
    char *name = NULL;
    size_t len = 0;
    if (it->kind == JSON_OBJECT) {
      json_space(in);
      if (in->at >= in->end || *in->at++ != '"' || (name = json_characters(in, &len)) == NULL) return false;
      json_space(in);
      if (in->at >= in->end || *in->at++ != ':') {
        free(name);
        return false;
      }
    }
    json *child = json_value(in, depth + 1);
    if (child == NULL) {
      free(name);
      return false;
    }
    child->name = name;
    *place = child;
    place = &child->next;
    json_space(in);
    if (in->at >= in->end) return false;
    char after = *in->at++;
    if (after == close) return true;
    if (after != ',') return false;
  }
}

static inline bool json_fill(json_source *in, json *it, int depth) {
  json_space(in);
  size_t left = (size_t)(in->end - in->at);
  if (left == 0 || depth > 64) return false;
  char c = *in->at;
  if (c == '{' || c == '[') {
    it->kind = c == '{' ? JSON_OBJECT : JSON_ARRAY;
    in->at++;
    return json_children(in, it, depth);
  }
  if (c == '"') {
    it->kind = JSON_STRING;
    in->at++;
    it->text = json_characters(in, &it->len);
    return it->text != NULL;
  }
  bool is_true = left >= 4 && memcmp(in->at, "true", 4) == 0;
  bool is_false = left >= 5 && memcmp(in->at, "false", 5) == 0;
  if (is_true || is_false || (left >= 4 && memcmp(in->at, "null", 4) == 0)) {
    it->kind = is_true || is_false ? JSON_BOOL : JSON_NULL;
    it->truth = is_true;
    in->at += is_false ? 5 : 4;
    return true;
  }
  const char *from = in->at;
  while (in->at < in->end && *in->at != 0 && strchr("+-.0123456789eE", *in->at) != NULL) in->at++;
  it->kind = JSON_NUMBER;
  it->len = (size_t)(in->at - from);
  it->text = (char *)malloc(it->len + 1);
  if (it->text == NULL) abort();
  memcpy(it->text, from, it->len);
  it->text[it->len] = 0;
  return it->len > 0;
}

static inline json *json_value(json_source *in, int depth) {
  json *it = (json *)calloc(1, sizeof *it);
  if (it == NULL) abort();
  if (json_fill(in, it, depth)) return it;
  json_free(it);
  return NULL;
}

static inline json *json_read(const char *line, size_t len) {
  json_source in = {line, line + len};
  return json_value(&in, 0);
}

/* ---- looking ---- */

/* A field of an object; NULL if there is none, or it is null. */
static inline const json *field(const json *object, const char *name) {
  if (object == NULL || object->kind != JSON_OBJECT) return NULL;
  for (const json *it = object->first; it != NULL; it = it->next)
    if (strcmp(it->name, name) == 0) return it->kind == JSON_NULL ? NULL : it;
  return NULL;
}

/* A string of an object as a text of C's; a NUL in it becomes what the library refuses as one. */
static inline const char *string(const json *object, const char *name) {
  const json *it = field(object, name);
  if (it == NULL || it->kind != JSON_STRING) return NULL;
  return memchr(it->text, 0, it->len) == NULL ? it->text : "\xC0\x80";
}

/* A number that is written as one or as a string. */
static inline uint64_t number(const json *it, uint64_t otherwise) {
  if (it == NULL || it->text == NULL) return otherwise;
  return it->text[0] == '-' ? (uint64_t)strtoll(it->text, NULL, 10) : strtoull(it->text, NULL, 10);
}

static inline uint64_t number_of(const json *object, const char *name, uint64_t otherwise) {
  return number(field(object, name), otherwise);
}

static inline bool truth(const json *object, const char *name) {
  const json *it = field(object, name);
  return it != NULL && it->kind == JSON_BOOL && it->truth;
}

#endif
