// Users, tokens and grants.

package main

import (
	"context"
	"strconv"
	"time"

	tidewire "github.com/tidewire/tidewire/bindings-c/go"
)

func userTo(it tidewire.UserInfo) object {
	return object{
		"name": it.Name, "id": wide(it.ID), "enabled": it.Enabled, "password": it.Password, "tokens": it.Tokens,
	}
}

func tokenTo(it tidewire.TokenInfo) object {
	expires := int64(0)
	if !it.Expires.IsZero() {
		expires = it.Expires.UnixMicro()
	}
	return object{
		"id": wide(it.ID), "name": it.Name, "user": it.User, "expires_us": strconv.FormatInt(expires, 10),
	}
}

func texts(args object, name string) []string {
	out := []string{}
	for _, each := range list(args, name) {
		text, _ := each.(string)
		out = append(out, text)
	}
	return out
}

func (a *adapter) users(ctx context.Context, op string, args object) (any, error) {
	client, err := get(a, a.clients, text(args, "client"))
	if err != nil {
		return nil, err
	}
	name, user := text(args, "name"), text(args, "user")
	aUser := func(it tidewire.UserInfo, err error) (any, error) { return userTo(it), err }
	switch op {
	case "user.create":
		return aUser(client.CreateUser(ctx, name, text(args, "password"), texts(args, "grants")...))
	case "user.describe":
		it, err := client.DescribeUser(ctx, name)
		if err != nil {
			return nil, err
		}
		out := userTo(it.UserInfo)
		out["grants"] = it.Grants
		return out, nil
	case "user.list":
		all, err := client.ListUsers(ctx)
		out := []any{}
		for _, each := range all {
			out = append(out, userTo(each))
		}
		return object{"users": out}, err
	case "user.enable":
		return aUser(client.EnableUser(ctx, name, args["enabled"] == true))
	case "user.password":
		return nil, client.ChangePassword(ctx, name, text(args, "password"))
	case "user.delete":
		return nil, client.DeleteUser(ctx, name)
	case "user.grants":
		left, err := client.ChangeGrants(ctx, name, texts(args, "revoke"), texts(args, "grant"))
		return object{"grants": left}, err
	case "token.create":
		lifetime := time.Duration(0)
		if args["lifetime_ms"] != nil {
			lifetime = time.Duration(number(args["lifetime_ms"])) * time.Millisecond
		}
		made, err := client.CreateToken(ctx, user, name, lifetime)
		if err != nil {
			return nil, err
		}
		out := tokenTo(made.TokenInfo)
		out["secret"] = string(made.Secret)
		return out, nil
	case "token.list":
		all, err := client.ListTokens(ctx, user)
		out := []any{}
		for _, each := range all {
			out = append(out, tokenTo(each))
		}
		return object{"tokens": out}, err
	case "token.delete":
		return nil, client.DeleteToken(ctx, number(args["id"]))
	}
	return nil, unsupported("no operation " + op)
}
