package tidewire

/*
#include "shim.h"
*/
import "C"

import (
	"context"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// ClientOptions are options of a client. What is nil comes from the URL, then from the environment,
// then from the defaults.
type ClientOptions struct {
	// ClientName is a name for the server's logs.
	ClientName string
	// User is who logs in; empty takes the user of the URL. A token knows its user.
	User string
	// Secret is the password or token; empty takes that of SecretFile or of the URL.
	Secret string
	// SecretFile is a file whose first line is the password or token, read at each connection.
	SecretFile string
	// TLSCAFile is, with a URL of tidewire+tls://, a file of the certificates that the server's has to
	// lead to; empty takes those that the system trusts.
	TLSCAFile string
	// TLSCertFile and TLSKeyFile are files with a certificate that shows the server who the client is,
	// and its private key.
	TLSCertFile, TLSKeyFile string
	// TLSDanger is "trust-any-server" to believe whoever answers, so that anybody on the way can read
	// and change everything: for trials only.
	TLSDanger string
	// EncryptionKeys are keys that batches are encrypted and read with, as `tidewire keygen` prints
	// them, with commas between them.
	EncryptionKeys string
	// EncryptionKeyFile is a file with such keys, one a line; they are added to EncryptionKeys.
	EncryptionKeyFile string
	// ConnectTimeoutMs bounds reaching a server, for each address, in milliseconds.
	ConnectTimeoutMs *uint32
	// RequestTimeoutMs bounds every request, in milliseconds.
	RequestTimeoutMs *uint32
	HeartbeatMs      *uint32
	RetryBackoffMs   *uint32
	// RetryBackoffMaxMs is the longest pause before what failed is tried again, in milliseconds.
	RetryBackoffMaxMs *uint32
	// RuntimeThreads are shared by all clients of the process; the first one decides.
	RuntimeThreads *uint32
	// BusyPollUs is how long a thread of the library that waits for one answer looks for it before it sleeps,
	// in microseconds, while answers have lately come within that time: 100 if it is not set, 0 never looks. The
	// first client of the process decides.
	BusyPollUs *uint32
}

// Client is a connection to a server, and all that is made from it. It makes the connection again
// when it is lost.
type Client struct {
	raw *C.tw_client
	hub *hub
}

// hub tells on what the library tells of.
type hub struct {
	file   *os.File
	done   chan struct{}
	once   sync.Once
	closed atomic.Bool
	mu     sync.Mutex
	// Who waits for a consumer to have something.
	ready  map[unsafe.Pointer]chan struct{}
	events []chan Event
}

// Connect connects to the first server of a URL that can be reached, such as
// tidewire://host:8433,host2:8433. The options may be nil.
func Connect(ctx context.Context, url string, options *ClientOptions) (*Client, error) {
	var a arena
	defer a.free()
	var raw *C.tw_client
	given := C.tw_client_options{size: C.sizeof_tw_client_options}
	if options == nil {
		options = &ClientOptions{}
	}
	given.client_name = a.optional(options.ClientName)
	given.user = a.optional(options.User)
	given.secret = a.optional(options.Secret)
	given.secret_file = a.optional(options.SecretFile)
	given.tls_ca_file = a.optional(options.TLSCAFile)
	given.tls_cert_file = a.optional(options.TLSCertFile)
	given.tls_key_file = a.optional(options.TLSKeyFile)
	given.tls_danger = a.optional(options.TLSDanger)
	given.encryption_keys = a.optional(options.EncryptionKeys)
	given.encryption_key_file = a.optional(options.EncryptionKeyFile)
	given.connect_timeout_ms = u32(options.ConnectTimeoutMs)
	given.request_timeout_ms = u32(options.RequestTimeoutMs)
	given.heartbeat_ms = u32(options.HeartbeatMs)
	given.retry_backoff_ms = u32(options.RetryBackoffMs)
	given.retry_backoff_max_ms = u32(options.RetryBackoffMaxMs)
	given.runtime_threads = u32(options.RuntimeThreads)
	given.busy_poll_us, given.reserved = u32(options.BusyPollUs), C.TW_UNSET
	at := a.text(url)
	err := wait(ctx, func(err **C.tw_error) { C.tw_client_connect(at, &given, &raw, err) })
	if err != nil {
		return nil, err
	}
	client := &Client{raw: raw}
	runtime.SetFinalizer(client, func(it *Client) { C.tw_client_free(it.raw) })
	if client.hub, err = watch(raw); err != nil {
		return nil, err
	}
	return client, nil
}

func watch(raw *C.tw_client) (*hub, error) {
	var fd C.int32_t
	var failed *C.tw_error
	if C.tw_client_fd(raw, &fd, &failed) != C.TW_OK {
		return nil, taken(failed)
	}
	// One of our own, that can be closed while the library's is still there.
	own, err := syscall.Dup(int(fd))
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(own)
	h := &hub{
		file:  os.NewFile(uintptr(own), "tidewire"),
		done:  make(chan struct{}),
		ready: map[unsafe.Pointer]chan struct{}{},
	}
	conn, err := h.file.SyscallConn()
	if err != nil {
		h.file.Close()
		return nil, err
	}
	go func() {
		// Sleeps in the runtime's poller while there is nothing, on no thread of its own.
		_ = conn.Read(func(uintptr) bool { return h.tell(raw) })
		h.stop()
	}()
	return h, nil
}

// stop ends the telling; whoever waits looks for itself.
func (h *hub) stop() {
	h.once.Do(func() {
		h.closed.Store(true)
		close(h.done)
		h.file.Close()
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, events := range h.events {
			close(events)
		}
		h.events = nil
	})
}

// tell hands on everything there is; true once there will be no more.
func (h *hub) tell(raw *C.tw_client) bool {
	const most = 256
	for !h.closed.Load() {
		var list *C.tw_events
		if C.tw_client_poll(raw, 0, most, &list, nil) != C.TW_OK {
			return true
		}
		count := int(list.count)
		h.mu.Lock()
		for _, event := range unsafe.Slice(list.items, count) {
			if event.kind == C.TW_EVENT_READABLE {
				if ready := h.ready[unsafe.Pointer(event.consumer)]; ready != nil {
					ring(ready)
				}
			} else if event.kind >= C.TW_EVENT_CONNECTED {
				h.happened(event)
			}
		}
		h.mu.Unlock()
		C.tw_events_free(list)
		if count < most {
			return false
		}
	}
	return true
}

func ring(ready chan struct{}) {
	select {
	case ready <- struct{}{}:
	default:
	}
}

// Close closes the connection, for all that was made from the client: their calls fail with
// ErrClosed from then on, and those that wait end. Close producers first to have their records
// acknowledged.
func (client *Client) Close() error {
	var failed *C.tw_error
	C.tw_client_close(client.raw, &failed)
	client.hub.stop()
	runtime.KeepAlive(client)
	return taken(failed)
}

// Ping asks the server for a sign of life, and tells the time that it took.
func (client *Client) Ping(ctx context.Context) (time.Duration, error) {
	var us C.uint64_t
	err := wait(ctx, func(err **C.tw_error) { C.tw_client_ping(client.raw, &us, err) })
	runtime.KeepAlive(client)
	return time.Duration(us) * time.Microsecond, err
}

// ServerInfo is what the server said of itself.
type ServerInfo struct {
	Name, Version, Address string
	// ID stays with its data.
	ID                                                                  uint64
	MaxFrameLen, MaxBatchLen, MaxBatchRecords, MaxInFlight, MaxChannels uint32
}

// Server tells what the server said of itself; without a connection, what the last one said.
func (client *Client) Server() (ServerInfo, error) {
	var info *C.tw_server_info
	var failed *C.tw_error
	if C.tw_client_server(client.raw, &info, &failed) != C.TW_OK {
		return ServerInfo{}, taken(failed)
	}
	defer C.tw_server_info_free(info)
	runtime.KeepAlive(client)
	return ServerInfo{
		Name: C.GoString(info.name), Version: C.GoString(info.version), Address: C.GoString(info.address),
		ID: uint64(info.id), MaxFrameLen: uint32(info.max_frame_len), MaxBatchLen: uint32(info.max_batch_len),
		MaxBatchRecords: uint32(info.max_batch_records), MaxInFlight: uint32(info.max_in_flight),
		MaxChannels: uint32(info.max_channels),
	}, nil
}

// EventKind says what happened.
type EventKind uint32

// Kinds of events.
const (
	Connected          EventKind = C.TW_EVENT_CONNECTED
	Disconnected       EventKind = C.TW_EVENT_DISCONNECTED
	Reconnecting       EventKind = C.TW_EVENT_RECONNECTING
	GaveUp             EventKind = C.TW_EVENT_GAVE_UP
	Throttled          EventKind = C.TW_EVENT_THROTTLED
	PartitionsAssigned EventKind = C.TW_EVENT_PARTITIONS_ASSIGNED
	PartitionsRevoked  EventKind = C.TW_EVENT_PARTITIONS_REVOKED
	PartitionsLost     EventKind = C.TW_EVENT_PARTITIONS_LOST
	Missed             EventKind = C.TW_EVENT_MISSED
	// RecordsSkipped says that records were deleted before they were read; see OnOutOfRange.
	RecordsSkipped EventKind = C.TW_EVENT_RECORDS_SKIPPED
)

// TopicPartition is a partition of a topic, stream/topic.
type TopicPartition struct {
	Topic     string
	Partition uint32
}

// Event is something that happened to a client. None of it calls for action.
type Event struct {
	Kind       EventKind
	Address    string
	Attempt    uint32
	Topic      string
	Partition  uint32
	Group      string
	Partitions []TopicPartition
	// Missed events were lost, because the watcher was too slow.
	Missed uint64
	// FromOffset was due when its records were deleted, and ToOffset is where the consumer goes on.
	FromOffset, ToOffset uint64
	Err                  error
}

// Events tells what happens from now on, until the client is closed; then the channel is. It holds
// 256 events, and what does not fit is lost.
func (client *Client) Events() (<-chan Event, error) {
	var failed *C.tw_error
	if C.tw_client_watch(client.raw, &failed) != C.TW_OK {
		return nil, taken(failed)
	}
	events := make(chan Event, 256)
	client.hub.mu.Lock()
	defer client.hub.mu.Unlock()
	if client.hub.closed.Load() {
		close(events)
	} else {
		client.hub.events = append(client.hub.events, events)
	}
	runtime.KeepAlive(client)
	return events, nil
}

func text(c *C.char) string {
	if c == nil {
		return ""
	}
	return C.GoString(c)
}

func (h *hub) happened(raw *C.tw_event) {
	event := Event{
		Kind: EventKind(raw.kind), Address: text(raw.address), Attempt: uint32(raw.attempt),
		Topic: text(raw.topic), Partition: uint32(raw.partition), Group: text(raw.group),
		Missed: uint64(raw.missed), FromOffset: uint64(raw.from_offset), ToOffset: uint64(raw.to_offset),
	}
	for _, each := range unsafe.Slice(raw.partitions, int(raw.partition_count)) {
		event.Partitions = append(event.Partitions, TopicPartition{text(each.topic), uint32(each.partition)})
	}
	if raw.error != nil {
		event.Err = seen((*C.tw_error)(unsafe.Pointer(raw.error)))
	}
	for _, events := range h.events {
		select {
		case events <- event:
		default:
		}
	}
}
