// Users, tokens and grants, on a server that asks for credentials, which TW_TEST_SECURED_URL names.

package tidewire_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	tidewire "github.com/tidewire/tidewire/bindings-c/go"
)

func as(t testing.TB, url string, options *tidewire.ClientOptions) *tidewire.Client {
	if url == "" {
		t.Skip("no server asks for credentials; `cargo xtask c go` starts one")
	}
	client, err := tidewire.Connect(soon(t), url, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// ended waits until a client has learnt why it may not come back.
func ended(t testing.TB, ctx context.Context, client *tidewire.Client) error {
	for {
		var known *tidewire.Error
		_, err := client.Ping(ctx)
		if errors.As(err, &known) && known.Disposition&(tidewire.Retriable|tidewire.OutcomeUnknown) == 0 {
			return err
		}
		if ctx.Err() != nil {
			t.Fatal("the connection never ended")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestAUserDoesWhatItWasGranted(t *testing.T) {
	root, ctx := as(t, os.Getenv("TW_TEST_ROOT_URL"), nil), soon(t)
	url, name, topic := os.Getenv("TW_TEST_SECURED_URL"), fresh("user"), fresh("topic")
	must(root.CreateTopic(ctx, topic, nil))(t)
	grant := "read topic default/" + topic
	made := must(root.CreateUser(ctx, name, "pw", grant))(t)
	if made.Name != name || !made.Enabled || !made.Password || made.Tokens != 0 {
		t.Fatalf("%+v", made)
	}
	client := as(t, url, &tidewire.ClientOptions{User: name, Secret: "pw"})
	self := must(client.DescribeUser(ctx, ""))(t)
	if self.Name != name || !slices.Equal(self.Grants, []string{grant}) {
		t.Fatalf("%+v", self)
	}
	must(client.DescribeTopic(ctx, topic))(t)
	if err := client.DeleteTopic(ctx, topic); !errors.Is(err, tidewire.ErrDenied) {
		t.Fatal(err)
	}
	if _, err := client.DescribeTopic(ctx, "missing"); !errors.Is(err, tidewire.ErrDenied) {
		t.Fatal(err)
	}
	if _, err := root.ChangeGrants(ctx, name, nil, []string{"fly topic a"}); !errors.Is(err, tidewire.ErrInvalidArgument) {
		t.Fatal(err)
	}
	left := must(root.ChangeGrants(ctx, name, []string{grant}, []string{"read,manage topic *"}))(t)
	if !slices.Equal(left, []string{"read,manage topic *"}) {
		t.Fatal(left)
	}
	for _, each := range must(client.DescribeLimits(ctx))(t) {
		// What it uses itself is for it to know, and what all use together is not.
		if each.Name == "max_user_connections" && each.Used != 1 || each.Name == "max_connections" && each.Used != 0 {
			t.Fatalf("%+v", each)
		}
	}
	if err := client.DeleteTopic(ctx, topic); err != nil {
		t.Fatal(err)
	}
	if err := root.ChangePassword(ctx, name, "new"); err != nil {
		t.Fatal(err)
	}
	if err := ended(t, ctx, client); !errors.Is(err, tidewire.ErrAuthFailed) {
		t.Fatal(err)
	}
	if must(root.EnableUser(ctx, name, false))(t).Enabled {
		t.Fatal("it is enabled")
	}
	if err := root.DeleteUser(ctx, name); err != nil {
		t.Fatal(err)
	}
	for _, each := range must(root.ListUsers(ctx))(t) {
		if each.Name == name {
			t.Fatal("it is still there")
		}
	}
}

func TestATokenLogsInUntilItIsDeleted(t *testing.T) {
	root, ctx := as(t, os.Getenv("TW_TEST_ROOT_URL"), nil), soon(t)
	name := fresh("user")
	must(root.CreateUser(ctx, name, ""))(t)
	made := must(root.CreateToken(ctx, name, "laptop", time.Hour))(t)
	if shown := fmt.Sprintf("%v %+v %#v", made, *made, made); strings.Contains(shown, "twt_") {
		t.Fatal("it shows")
	}
	if made.Expires.Sub(made.Created) != time.Hour {
		t.Fatal(made.Expires)
	}
	client := as(t, os.Getenv("TW_TEST_SECURED_URL"), &tidewire.ClientOptions{Secret: string(made.Secret)})
	tokens := must(client.ListTokens(ctx, ""))(t)
	if len(tokens) != 1 || tokens[0].Name != "laptop" || tokens[0].User != name {
		t.Fatal(tokens)
	}
	if _, err := client.CreateToken(ctx, "", "x", -time.Second); !errors.Is(err, tidewire.ErrInvalidArgument) {
		t.Fatal(err)
	}
	if err := root.DeleteToken(ctx, made.ID); err != nil {
		t.Fatal(err)
	}
	if err := ended(t, ctx, client); !errors.Is(err, tidewire.ErrAuthFailed) {
		t.Fatal(err)
	}
}
