package tidewire

/*
#include "shim.h"
*/
import "C"

import (
	"context"
	"runtime"
	"unsafe"
)

// LimitInfo is a limit that the server enforces.
type LimitInfo struct {
	// Name is that of the server's configuration or of the protocol.
	Name string
	// Value is how much is allowed; 0 is no limit.
	Value uint64
	// Unit is what is counted, such as "bytes".
	Unit string
	// Configured is whether the server's configuration sets it; otherwise the protocol does.
	Configured bool
	// Used is how much is used now, by who asks where it is a user's, an address's or a shard's; 0
	// where that is not counted, or not for this user to know.
	Used uint64
}

// DescribeLimits lists the limits that the server enforces, and how much of them is used: first those
// that its configuration sets, which may change while it runs, then those of the protocol.
func (client *Client) DescribeLimits(ctx context.Context) ([]LimitInfo, error) {
	var list *C.tw_limits
	err := wait(ctx, func(err **C.tw_error) { C.tw_client_describe_limits(client.raw, &list, err) })
	runtime.KeepAlive(client)
	if err != nil {
		return nil, err
	}
	defer C.tw_limits_free(list)
	all := make([]LimitInfo, 0, int(list.count))
	for _, it := range unsafe.Slice(list.items, int(list.count)) {
		all = append(all, LimitInfo{text(it.name), uint64(it.value), text(it.unit), it.configured != 0, uint64(it.used)})
	}
	return all, nil
}
