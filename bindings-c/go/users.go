package tidewire

/*
#include "shim.h"
*/
import "C"

import (
	"context"
	"runtime"
	"time"
	"unsafe"
)

// UserInfo is a user.
type UserInfo struct {
	Name    string
	ID      uint64
	Created time.Time
	// Enabled is whether it may log in.
	Enabled bool
	// Password is whether it has one.
	Password bool
	Tokens   uint32
}

// UserDescription is a user and what it may do.
type UserDescription struct {
	UserInfo
	// Grants are texts such as "read,write topic shop/*". root may do everything, and has none.
	Grants []string
}

// TokenInfo is a token, without what logs in.
type TokenInfo struct {
	ID         uint64
	Name, User string
	Created    time.Time
	// Expires is zero if it never does.
	Expires time.Time
}

// Secret logs in. It does not show when it is printed: convert it to a string to have it.
type Secret string

// String is dots.
func (Secret) String() string { return "…" }

// GoString is dots.
func (Secret) GoString() string { return `tidewire.Secret("…")` }

// NewToken is a token that was just created.
type NewToken struct {
	TokenInfo
	// Secret is known to nobody else, and not kept anywhere.
	Secret Secret
}

func user(it *C.tw_user_info) UserInfo {
	return UserInfo{
		text(it.name), uint64(it.id), time.UnixMicro(int64(it.created_us)), it.enabled != 0, it.password != 0,
		uint32(it.tokens),
	}
}

func token(it *C.tw_token_info) TokenInfo {
	out := TokenInfo{
		ID: uint64(it.id), Name: text(it.name), User: text(it.user), Created: time.UnixMicro(int64(it.created_us)),
	}
	if it.expires_us != 0 {
		out.Expires = time.UnixMicro(int64(it.expires_us))
	}
	return out
}

// texts is an array of texts.
func (a *arena) texts(all []string) **C.char {
	memory := (**C.char)(a.alloc(int(unsafe.Sizeof(uintptr(0))) * len(all)))
	for i, each := range all {
		unsafe.Slice(memory, len(all))[i] = a.text(each)
	}
	return memory
}

func texts(items **C.char, count C.size_t) []string {
	all := make([]string, 0, int(count))
	for _, it := range unsafe.Slice(items, int(count)) {
		all = append(all, text(it))
	}
	return all
}

// userOf makes a call that gives a user.
func (client *Client) userOf(ctx context.Context, name string, call func(name *C.char, out **C.tw_user_info, err **C.tw_error)) (UserInfo, error) {
	var out *C.tw_user_info
	err := client.named(ctx, name, func(name *C.char, err **C.tw_error) { call(name, &out, err) })
	if err != nil {
		return UserInfo{}, err
	}
	defer C.tw_user_info_free(out)
	return user(out), nil
}

// CreateUser creates a user, who may do what the grants say, such as "read,write topic shop/*": of
// read, write, manage and admin, on server, stream, topic or group. With an empty password it logs in
// with tokens only; the password itself stays here.
func (client *Client) CreateUser(ctx context.Context, name, password string, grants ...string) (UserInfo, error) {
	var a arena
	defer a.free()
	secret, raw := a.optional(password), a.texts(grants)
	return client.userOf(ctx, name, func(name *C.char, out **C.tw_user_info, err **C.tw_error) {
		C.tw_client_create_user(client.raw, name, secret, raw, C.size_t(len(grants)), out, err)
	})
}

// DeleteUser deletes a user and its tokens, and ends its connections.
func (client *Client) DeleteUser(ctx context.Context, name string) error {
	return client.named(ctx, name, func(name *C.char, err **C.tw_error) { C.tw_client_delete_user(client.raw, name, err) })
}

// EnableUser lets a user log in again; with false keeps it out, and ends its connections.
func (client *Client) EnableUser(ctx context.Context, name string, enabled bool) (UserInfo, error) {
	return client.userOf(ctx, name, func(name *C.char, out **C.tw_user_info, err **C.tw_error) {
		C.tw_client_enable_user(client.raw, name, C.bool(enabled), out, err)
	})
}

// ChangePassword changes a password: that of the client's own user if the name is empty. Connections
// that logged in with the old one end, this one among them.
func (client *Client) ChangePassword(ctx context.Context, user, password string) error {
	var a arena
	defer a.free()
	name := a.optional(user)
	return client.named(ctx, password, func(password *C.char, err **C.tw_error) {
		C.tw_client_change_password(client.raw, name, password, err)
	})
}

// DescribeUser describes a user: the client's own if the name is empty.
func (client *Client) DescribeUser(ctx context.Context, name string) (*UserDescription, error) {
	var a arena
	defer a.free()
	defer runtime.KeepAlive(client)
	var raw *C.tw_user_description
	at := a.optional(name)
	err := wait(ctx, func(err **C.tw_error) { C.tw_client_describe_user(client.raw, at, &raw, err) })
	if err != nil {
		return nil, err
	}
	defer C.tw_user_description_free(raw)
	return &UserDescription{user(raw.user), texts(raw.grants, raw.grant_count)}, nil
}

// ListUsers lists all users, by name.
func (client *Client) ListUsers(ctx context.Context) ([]UserInfo, error) {
	var list *C.tw_users
	err := wait(ctx, func(err **C.tw_error) { C.tw_client_list_users(client.raw, &list, err) })
	runtime.KeepAlive(client)
	if err != nil {
		return nil, err
	}
	defer C.tw_users_free(list)
	all := make([]UserInfo, 0, int(list.count))
	for _, it := range unsafe.Slice(list.items, int(list.count)) {
		all = append(all, user(it))
	}
	return all, nil
}

// ChangeGrants takes rights away from a user and then gives it others, at once, also on its open
// connections, and tells what it may do then. Rights are taken from grants of exactly the same scope
// and pattern.
func (client *Client) ChangeGrants(ctx context.Context, user string, revoke, grant []string) ([]string, error) {
	var a arena
	defer a.free()
	rawRevoke, rawGrant := a.texts(revoke), a.texts(grant)
	var left *C.tw_grants
	err := client.named(ctx, user, func(name *C.char, err **C.tw_error) {
		C.tw_client_change_grants(client.raw, name, rawRevoke, C.size_t(len(revoke)), rawGrant,
			C.size_t(len(grant)), &left, err)
	})
	if err != nil {
		return nil, err
	}
	defer C.tw_grants_free(left)
	return texts(left.items, left.count), nil
}

// CreateToken creates a token: of the client's own user if the user is empty. It ends after its
// lifetime, in whole milliseconds, or never if that is 0. Its secret is made here, and told nobody but
// the caller.
func (client *Client) CreateToken(ctx context.Context, user, name string, lifetime time.Duration) (*NewToken, error) {
	var a arena
	defer a.free()
	owner, ms := a.optional(user), C.uint64_t(lifetime.Milliseconds())
	if lifetime != 0 && lifetime < time.Millisecond {
		// What would be for ever to the library, or is in the past, is out of its range.
		ms = ^C.uint64_t(0)
	}
	var raw *C.tw_new_token
	err := client.named(ctx, name, func(name *C.char, err **C.tw_error) {
		C.tw_client_create_token(client.raw, owner, name, ms, &raw, err)
	})
	if err != nil {
		return nil, err
	}
	defer C.tw_new_token_free(raw)
	return &NewToken{token(raw.token), Secret(text(raw.secret))}, nil
}

// ListTokens lists the tokens of a user, by number: of the client's own if the user is empty.
func (client *Client) ListTokens(ctx context.Context, user string) ([]TokenInfo, error) {
	var a arena
	defer a.free()
	defer runtime.KeepAlive(client)
	var list *C.tw_tokens
	owner := a.optional(user)
	err := wait(ctx, func(err **C.tw_error) { C.tw_client_list_tokens(client.raw, owner, &list, err) })
	if err != nil {
		return nil, err
	}
	defer C.tw_tokens_free(list)
	all := make([]TokenInfo, 0, int(list.count))
	for _, it := range unsafe.Slice(list.items, int(list.count)) {
		all = append(all, token(it))
	}
	return all, nil
}

// DeleteToken deletes a token, and ends the connections that were made with it.
func (client *Client) DeleteToken(ctx context.Context, id uint64) error {
	defer runtime.KeepAlive(client)
	return wait(ctx, func(err **C.tw_error) { C.tw_client_delete_token(client.raw, C.uint64_t(id), err) })
}
