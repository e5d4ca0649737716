/* What the tests in C share. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tidewire.h"

/* How long anything may take before a test fails, in milliseconds. */
#define PATIENCE 120000

#define EXPECT(condition)                                                                  \
  do {                                                                                     \
    if (!(condition)) {                                                                    \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);              \
      exit(1);                                                                             \
    }                                                                                      \
  } while (0)

/* A call that succeeds; its last argument is `&err`. */
#define OK(call)                                                                           \
  do {                                                                                     \
    tw_error *err = NULL;                                                                  \
    tw_status status_ = (call);                                                            \
    if (status_ != TW_OK) {                                                                \
      fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, tw_error_name(status_),       \
              tw_error_message(err));                                                      \
      exit(1);                                                                             \
    }                                                                                      \
    EXPECT(err == NULL);                                                                   \
  } while (0)

/* A call that fails with a number, in both places, and with a text that says something. */
#define FAILS(code, says, call)                                                            \
  do {                                                                                     \
    tw_error *err = NULL;                                                                  \
    tw_status status_ = (call);                                                            \
    if (status_ != (code) || tw_error_code(err) != (code) ||                               \
        strstr(tw_error_message(err), says) == NULL) {                                     \
      fprintf(stderr, "%s:%d: expected %s saying \"%s\", was %d: %s\n", __FILE__, __LINE__, \
              #code, says, status_, tw_error_message(err));                                \
      exit(1);                                                                             \
    }                                                                                      \
    tw_error_free(err);                                                                    \
  } while (0)

/* A name that no other test has. */
static inline const char *fresh(const char *what) {
  static char name[128];
  static int count;
  extern int getpid(void);
  snprintf(name, sizeof name, "%s-%d-%d", what, getpid(), count++);
  return name;
}

#endif
