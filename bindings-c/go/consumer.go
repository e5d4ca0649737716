package tidewire

/*
#include "shim.h"
*/
import "C"

import (
	"context"
	"errors"
	"io"
	"iter"
	"runtime"
	"time"
	"unsafe"
)

// Start is a place in a partition.
type Start struct {
	kind C.uint32_t
	at   uint64
	set  bool
}

// Earliest is the first record that there is.
func Earliest() Start { return Start{C.TW_START_EARLIEST, 0, true} }

// Latest is after the last record that there is.
func Latest() Start { return Start{C.TW_START_LATEST, 0, true} }

// Offset is the record with this offset.
func Offset(offset uint64) Start { return Start{C.TW_START_OFFSET, offset, true} }

// Timestamp is the first record that was appended then or later.
func Timestamp(at time.Time) Start { return Start{C.TW_START_TIMESTAMP, uint64(at.UnixMicro()), true} }

// Last is as many records before the end.
func Last(records uint64) Start { return Start{C.TW_START_LAST, records, true} }

// AutoCommit says when offsets are stored by themselves.
type AutoCommit uint32

// When they may be.
const (
	AutoCommitOff      AutoCommit = C.TW_AUTO_COMMIT_OFF
	AutoCommitInterval AutoCommit = C.TW_AUTO_COMMIT_INTERVAL
	AutoCommitAfter    AutoCommit = C.TW_AUTO_COMMIT_AFTER
	AutoCommitBefore   AutoCommit = C.TW_AUTO_COMMIT_BEFORE
)

// ConsumerOptions are options of a consumer; nil and zero are not set.
type ConsumerOptions struct {
	// Group is the one to be a member of; empty reads without one.
	Group string
	// Name is one under which offsets are stored, without a group.
	Name string
	// Topics are read besides, with a group.
	Topics []string
	// Partitions are those to read, without a group; nil is all of them.
	Partitions []uint32
	// Offsets are where to begin in single partitions, without a group.
	Offsets map[uint32]uint64
	// Start is where to begin else, or in a group where nothing is stored.
	Start         Start
	PrefetchBytes *uint32
	// MemberName keeps the member's place in its group while its program is restarted.
	MemberName           string
	SessionTimeoutMs     *uint32
	RebalanceTimeoutMs   *uint32
	AutoCommit           *AutoCommit
	AutoCommitIntervalMs *uint32
	// OnOutOfRange is what happens where records were deleted before they were read.
	OnOutOfRange *OnOutOfRange
	// ReuseBatches has NextBatch, Batches and Records give the same Batch again and again, in the same
	// memory: the batch, its records and their slices are good until the next batch is asked for, and what
	// is to be kept has to be copied. It spares the collector a copy of all that is read. Such a consumer
	// is for one goroutine at a time.
	ReuseBatches bool
}

// OnOutOfRange is what happens where records were deleted before they were read.
type OnOutOfRange uint32

// What may happen then.
const (
	OutOfRangeError    OnOutOfRange = C.TW_OUT_OF_RANGE_ERROR
	OutOfRangeEarliest OnOutOfRange = C.TW_OUT_OF_RANGE_EARLIEST
	OutOfRangeLatest   OnOutOfRange = C.TW_OUT_OF_RANGE_LATEST
)

// Consumer receives a topic's records.
type Consumer struct {
	raw    *C.tw_consumer
	client *Client
	ready  chan struct{}
	// The batch that is given again and again, if one is.
	reused *Batch
}

// Consumer opens a consumer of a topic, stream/topic. The options may be nil.
func (client *Client) Consumer(ctx context.Context, topic string, options *ConsumerOptions) (*Consumer, error) {
	var a arena
	defer a.free()
	if options == nil {
		options = &ConsumerOptions{}
	}
	given := (*C.tw_consumer_options)(a.alloc(C.sizeof_tw_consumer_options))
	given.size = C.sizeof_tw_consumer_options
	given.group = a.optional(options.Group)
	given.member_name = a.optional(options.MemberName)
	given.name = a.optional(options.Name)
	given.on_out_of_range, given.reserved = u32((*uint32)(options.OnOutOfRange)), C.TW_UNSET
	if len(options.Topics) > 0 {
		memory := a.alloc(len(options.Topics) * int(unsafe.Sizeof(uintptr(0))))
		topics := unsafe.Slice((**C.char)(memory), len(options.Topics))
		for i, each := range options.Topics {
			topics[i] = a.text(each)
		}
		given.topics, given.topic_count = (**C.char)(memory), C.size_t(len(topics))
	}
	if options.Partitions != nil {
		memory := a.alloc(4 * len(options.Partitions))
		for i, each := range options.Partitions {
			unsafe.Slice((*C.uint32_t)(memory), len(options.Partitions))[i] = C.uint32_t(each)
		}
		given.partitions, given.partition_count = (*C.uint32_t)(memory), C.size_t(len(options.Partitions))
	}
	if len(options.Offsets) > 0 {
		memory := a.alloc(len(options.Offsets) * C.sizeof_tw_partition_offset)
		places := unsafe.Slice((*C.tw_partition_offset)(memory), len(options.Offsets))
		i := 0
		for partition, offset := range options.Offsets {
			places[i].partition, places[i].offset = C.uint32_t(partition), C.uint64_t(offset)
			i++
		}
		given.offsets, given.offset_count = (*C.tw_partition_offset)(memory), C.size_t(len(places))
	}
	given.start = C.TW_UNSET
	if options.Start.set {
		given.start, given.start_at = options.Start.kind, C.uint64_t(options.Start.at)
	}
	given.prefetch_bytes = u32(options.PrefetchBytes)
	given.session_timeout_ms = u32(options.SessionTimeoutMs)
	given.rebalance_timeout_ms = u32(options.RebalanceTimeoutMs)
	given.auto_commit = u32((*uint32)(options.AutoCommit))
	given.auto_commit_interval_ms = u32(options.AutoCommitIntervalMs)
	name := a.text(topic)
	var raw *C.tw_consumer
	err := wait(ctx, func(err **C.tw_error) { C.tw_consumer_open(client.raw, name, given, &raw, err) })
	if err != nil {
		return nil, err
	}
	ready := make(chan struct{}, 1)
	// What came before this was registered is looked for at once.
	ring(ready)
	hub, key := client.hub, unsafe.Pointer(raw)
	hub.mu.Lock()
	hub.ready[key] = ready
	hub.mu.Unlock()
	consumer := &Consumer{raw: raw, client: client, ready: ready}
	if options.ReuseBatches {
		consumer.reused = &Batch{}
	}
	runtime.SetFinalizer(consumer, func(it *Consumer) {
		hub.mu.Lock()
		delete(hub.ready, key)
		hub.mu.Unlock()
		C.tw_consumer_free(it.raw)
	})
	return consumer, nil
}

// NextBatch waits for the next batch; io.EOF once the consumer or its client was closed.
//
// An error that is not the context's is that of a partition, which gives nothing more unless Seek
// moves it; the others go on. A lost connection is not an error. In a group, a batch counts as done
// when the next one is asked for.
func (consumer *Consumer) NextBatch(ctx context.Context) (*Batch, error) {
	defer runtime.KeepAlive(consumer)
	for {
		if err := ctx.Err(); err != nil {
			return nil, interrupted(err)
		}
		over := false
		select {
		case <-consumer.client.hub.done:
			over = true
		default:
		}
		batch, err := consumer.tryNext()
		if batch != nil || err != nil {
			// There may be more, for another who waits.
			ring(consumer.ready)
			return batch, err
		}
		if over || bool(C.tw_consumer_is_closed(consumer.raw)) {
			return nil, io.EOF
		}
		select {
		case <-consumer.ready:
		case <-consumer.client.hub.done:
		case <-ctx.Done():
		}
	}
}

func (consumer *Consumer) tryNext() (*Batch, error) {
	var raw C.go_batch
	var failed *C.tw_error
	if C.go_next(consumer.raw, &raw, &failed) != C.TW_OK {
		return nil, taken(failed)
	}
	if raw.batch == nil {
		return nil, nil
	}
	defer C.tw_batch_free(raw.batch)
	if consumer.reused == nil {
		return newBatch(&raw), nil
	}
	consumer.reused.fill(&raw)
	return consumer.reused, nil
}

// Batches gives batches as they come, until the consumer is closed, or an error of which there is no
// going on: that of the context, or of the last partition.
func (consumer *Consumer) Batches(ctx context.Context) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		for {
			batch, err := consumer.NextBatch(ctx)
			if err == io.EOF {
				return
			}
			if !yield(batch, err) || errors.Is(err, ErrInterrupted) {
				return
			}
		}
	}
}

// Records gives records as they come, as Batches. They are taken batch by batch: what is left of a
// batch when the loop is left is not given again, and Commit counts it as done. Where that matters,
// loop over Batches, and store with CommitBatch or CommitOffset.
func (consumer *Consumer) Records(ctx context.Context) iter.Seq2[RecordView, error] {
	return func(yield func(RecordView, error) bool) {
		for batch, err := range consumer.Batches(ctx) {
			if err != nil {
				if !yield(RecordView{}, err) {
					return
				}
				continue
			}
			for record := range batch.Records() {
				if !yield(record, nil) {
					return
				}
			}
		}
	}
}

// Seek goes on reading a partition at another place. Not for a member of a group.
func (consumer *Consumer) Seek(partition uint32, to Start) error {
	var failed *C.tw_error
	C.tw_consumer_seek(consumer.raw, C.uint32_t(partition), to.kind, C.uint64_t(to.at), &failed)
	runtime.KeepAlive(consumer)
	return taken(failed)
}

// Pause returns nothing of a partition until Resume. Not for a member of a group.
func (consumer *Consumer) Pause(partition uint32) error {
	var failed *C.tw_error
	C.tw_consumer_pause(consumer.raw, C.uint32_t(partition), &failed)
	runtime.KeepAlive(consumer)
	return taken(failed)
}

// Resume ends a Pause.
func (consumer *Consumer) Resume(partition uint32) error {
	var failed *C.tw_error
	C.tw_consumer_resume(consumer.raw, C.uint32_t(partition), &failed)
	runtime.KeepAlive(consumer)
	return taken(failed)
}

// AddPartition reads a further partition. Not for a member of a group.
func (consumer *Consumer) AddPartition(partition uint32, from Start) error {
	var failed *C.tw_error
	C.tw_consumer_add_partition(consumer.raw, C.uint32_t(partition), from.kind, C.uint64_t(from.at), &failed)
	runtime.KeepAlive(consumer)
	return taken(failed)
}

// RemovePartition stops reading a partition. Not for a member of a group.
func (consumer *Consumer) RemovePartition(partition uint32) error {
	var failed *C.tw_error
	C.tw_consumer_remove_partition(consumer.raw, C.uint32_t(partition), &failed)
	runtime.KeepAlive(consumer)
	return taken(failed)
}

// Commit stores how far the batches reach that were returned, and waits until that is on the
// server's disk. For a member of a group.
func (consumer *Consumer) Commit(ctx context.Context) error {
	defer runtime.KeepAlive(consumer)
	return wait(ctx, func(err **C.tw_error) { C.tw_consumer_commit(consumer.raw, err) })
}

// CommitBatch stores that a batch was done, and all before it in its partition.
func (consumer *Consumer) CommitBatch(ctx context.Context, batch *Batch) error {
	return consumer.CommitOffset(ctx, batch.Topic, batch.Partition, batch.NextOffset)
}

// CommitOffset stores the offset of the next record to read in a partition.
func (consumer *Consumer) CommitOffset(ctx context.Context, topic string, partition uint32, offset uint64) error {
	var a arena
	defer a.free()
	defer runtime.KeepAlive(consumer)
	name := a.text(topic)
	return wait(ctx, func(err **C.tw_error) {
		C.tw_consumer_commit_offset(consumer.raw, name, C.uint32_t(partition), C.uint64_t(offset), err)
	})
}

// Position is where a consumer stands in a partition.
type Position struct {
	Topic                 string
	Partition             uint32
	NextOffset, EndOffset uint64
	// Stored is what is stored for the consumer's group or name; nil if that is not known.
	Stored *uint64
}

// Positions tells where the consumer stands, without asking the server.
func (consumer *Consumer) Positions() ([]Position, error) {
	var list *C.tw_positions
	var failed *C.tw_error
	if C.tw_consumer_positions(consumer.raw, &list, &failed) != C.TW_OK {
		return nil, taken(failed)
	}
	defer C.tw_positions_free(list)
	runtime.KeepAlive(consumer)
	var all []Position
	for _, it := range unsafe.Slice(list.items, int(list.count)) {
		position := Position{
			Topic: text(it.topic), Partition: uint32(it.partition), NextOffset: uint64(it.next_offset),
			EndOffset: uint64(it.end_offset),
		}
		if it.stored != 0 {
			position.Stored = Set(uint64(it.stored_offset))
		}
		all = append(all, position)
	}
	return all, nil
}

// Lag is how many records are known to follow what was returned.
func (consumer *Consumer) Lag() (uint64, error) {
	var lag C.uint64_t
	var failed *C.tw_error
	C.tw_consumer_lag(consumer.raw, &lag, &failed)
	runtime.KeepAlive(consumer)
	return uint64(lag), taken(failed)
}

// ConsumerStats is what a consumer did so far, and what it holds.
type ConsumerStats struct {
	Partitions, LivePartitions, BufferedBytes, Batches, Bytes, Resubscriptions uint64
}

// Stats tells them, without asking the server. Not for a member of a group.
func (consumer *Consumer) Stats() (ConsumerStats, error) {
	raw := C.tw_consumer_stats{size: C.sizeof_tw_consumer_stats}
	var failed *C.tw_error
	C.tw_consumer_get_stats(consumer.raw, &raw, &failed)
	runtime.KeepAlive(consumer)
	return ConsumerStats{
		uint64(raw.partitions), uint64(raw.live_partitions), uint64(raw.buffered_bytes),
		uint64(raw.batches), uint64(raw.bytes), uint64(raw.resubscriptions),
	}, taken(failed)
}

// Close ends all waiting, now and for ever, and unsubscribes, or leaves the group.
func (consumer *Consumer) Close() error { return consumer.CloseContext(context.Background()) }

// CloseContext is Close; when the context is done first, it leaves all the same.
func (consumer *Consumer) CloseContext(ctx context.Context) error {
	defer runtime.KeepAlive(consumer)
	err := wait(ctx, func(err **C.tw_error) { C.tw_consumer_close(consumer.raw, -1, err) })
	ring(consumer.ready)
	return err
}
