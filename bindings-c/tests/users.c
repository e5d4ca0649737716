/* Users, tokens and grants, on a server that asks for credentials. */
#define _POSIX_C_SOURCE 200809L
#include <time.h>

#include "check.h"

static tw_client *as(const char *user, const char *secret) {
  tw_client *client;
  tw_client_options options = TW_CLIENT_OPTIONS_INIT;
  options.user = user;
  options.secret = secret;
  OK(tw_client_connect(getenv("TW_TEST_SECURED_URL"), &options, &client, &err));
  return client;
}

/* Waits until a client has learnt why it may not come back. */
static tw_status ended(tw_client *client) {
  for (int i = 0; i < PATIENCE / 10; i++) {
    tw_error *err = NULL;
    tw_status status = tw_client_ping(client, NULL, &err);
    bool over = status != TW_OK && (tw_error_disposition(err) & (TW_DISPOSITION_RETRIABLE | TW_DISPOSITION_OUTCOME_UNKNOWN)) == 0;
    tw_error_free(err);
    if (over) return status;
    nanosleep(&(struct timespec){0, 10000000}, NULL);
  }
  fprintf(stderr, "the connection never ended\n");
  exit(1);
}

static void a_user_does_what_it_was_granted(tw_client *root) {
  const char *grants[] = {"read topic default/orders"}, *more[] = {"read,manage topic default/o*"};
  const char *bad[] = {"read server", "fly topic a"};
  OK(tw_client_create_topic(root, "orders", NULL, NULL, &err));
  tw_user_info *info;
  OK(tw_client_create_user(root, "ada", "pw", grants, 1, &info, &err));
  EXPECT(strcmp(info->name, "ada") == 0 && info->enabled == 1 && info->password == 1 && info->tokens == 0);
  tw_user_info_free(info);
  FAILS(TW_E_USER_EXISTS, "ada", tw_client_create_user(root, "ada", NULL, NULL, 0, NULL, &err));
  FAILS(TW_E_INVALID_ARGUMENT, "fly topic a", tw_client_create_user(root, "b", NULL, bad, 2, NULL, &err));
  FAILS(TW_E_INVALID_ARGUMENT, "grants", tw_client_create_user(root, "b", NULL, NULL, 2, NULL, &err));
  tw_users *users;
  OK(tw_client_list_users(root, &users, &err));
  EXPECT(users->count == 2 && strcmp(users->items[0]->name, "ada") == 0);
  tw_users_free(users);

  tw_client *ada = as("ada", "pw");
  tw_user_description *self;
  OK(tw_client_describe_user(ada, NULL, &self, &err));
  EXPECT(strcmp(self->user->name, "ada") == 0 && self->grant_count == 1);
  EXPECT(strcmp(self->grants[0], grants[0]) == 0);
  tw_user_description_free(self);
  FAILS(TW_E_DENIED, "", tw_client_delete_topic(ada, "orders", &err));
  tw_topic_info *topic;
  FAILS(TW_E_DENIED, "", tw_client_describe_topic(ada, "missing", &topic, &err));
  tw_grants *left;
  OK(tw_client_change_grants(root, "ada", grants, 1, more, 1, &left, &err));
  EXPECT(left->count == 1 && strcmp(left->items[0], more[0]) == 0);
  tw_grants_free(left);
  OK(tw_client_purge_topic(ada, "orders", &err));
  OK(tw_client_change_password(root, "ada", "new", &err));
  EXPECT(ended(ada) == TW_E_AUTH_FAILED);
  tw_client_free(ada);
  OK(tw_client_enable_user(root, "ada", false, &info, &err));
  EXPECT(info->enabled == 0);
  tw_user_info_free(info);
  OK(tw_client_delete_user(root, "ada", &err));
  FAILS(TW_E_USER_NOT_FOUND, "ada", tw_client_describe_user(root, "ada", &self, &err));
  OK(tw_client_delete_topic(root, "orders", &err));
}

static void a_token_logs_in_until_it_is_deleted(tw_client *root) {
  OK(tw_client_create_user(root, "bob", NULL, NULL, 0, NULL, &err));
  tw_new_token *made;
  OK(tw_client_create_token(root, "bob", "laptop", 3600000, &made, &err));
  EXPECT(strncmp(made->secret, "twt_", 4) == 0);
  EXPECT(made->token->expires_us - made->token->created_us == 3600000000);
  tw_client *bob = as(NULL, made->secret);
  tw_tokens *tokens;
  OK(tw_client_list_tokens(bob, NULL, &tokens, &err));
  EXPECT(tokens->count == 1 && strcmp(tokens->items[0]->name, "laptop") == 0);
  EXPECT(strcmp(tokens->items[0]->user, "bob") == 0);
  tw_tokens_free(tokens);
  FAILS(TW_E_INVALID_ARGUMENT, "", tw_client_create_token(bob, NULL, "x", UINT64_MAX, &made, &err));
  OK(tw_client_delete_token(root, made->token->id, &err));
  EXPECT(ended(bob) == TW_E_AUTH_FAILED);
  tw_client_free(bob);
  tw_new_token_free(made);
  OK(tw_client_delete_user(root, "bob", &err));
}

int main(void) {
  const char *url = getenv("TW_TEST_SECURED_URL");
  if (url == NULL) {
    printf("SKIPPED: users.c: TW_TEST_SECURED_URL names no server; `cargo xtask c` starts one\n");
    return 0;
  }
  tw_client *root;
  FAILS(TW_E_AUTH_REQUIRED, "credentials", tw_client_connect(url, NULL, &root, &err));
  tw_client_options wrong = TW_CLIENT_OPTIONS_INIT;
  wrong.user = "root";
  wrong.secret = "hunter2";
  FAILS(TW_E_AUTH_FAILED, "", tw_client_connect(url, &wrong, &root, &err));
  OK(tw_client_connect(getenv("TW_TEST_ROOT_URL"), NULL, &root, &err));
  a_user_does_what_it_was_granted(root);
  a_token_logs_in_until_it_is_deleted(root);
  tw_client_free(root);
  return 0;
}
