#include <stdio.h>
#include <tidewire.h>

int main(int argc, char **argv) {
  tw_client *client;
  tw_error *err = NULL;
  if (tw_client_connect(argc > 1 ? argv[1] : NULL, NULL, &client, &err) != TW_OK) {
    fprintf(stderr, "%s\n", tw_error_message(err));
    tw_error_free(err);
    return 1;
  }
  tw_status status = tw_client_ping(client, NULL, NULL);
  tw_client_free(client);
  return status == TW_OK ? 0 : 1;
}
