package tidewire

/*
#include "shim.h"
*/
import "C"

import (
	"context"
	"encoding/binary"
	"iter"
	"math"
	"runtime"
	"time"
	"unsafe"
)

// Batch is consecutive records of one partition, in Go's own memory: it needs no closing, and what it
// shows stays as long as anybody has it, unless its consumer was opened with ReuseBatches.
type Batch struct {
	// Topic is stream/topic.
	Topic                             string
	Partition                         uint32
	BaseOffset, NextOffset, EndOffset uint64
	AppendTime                        time.Time
	bytes                             []byte
	places                            []C.go_place
}

// RecordView is a record of a batch. Its slices share the batch's memory: they are not to be written
// to, and keep all of it.
type RecordView struct {
	Partition uint32
	Offset    uint64
	// Key is nil if there is none, Value if the record is a tombstone.
	Key, Value  []byte
	TimestampUs int64
	headers     []byte
}

// Time is the record's own.
func (record *RecordView) Time() time.Time { return time.UnixMicro(record.TimestampUs) }

// Headers gives the record's headers in its producer's order; names may repeat.
func (record *RecordView) Headers() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for rest := record.headers; len(rest) >= 6; {
			name, value := int(binary.LittleEndian.Uint16(rest)), int(binary.LittleEndian.Uint32(rest[2:]))
			if len(rest) < 6+name+value {
				return
			}
			if !yield(string(rest[6:6+name]), rest[6+name:6+name+value:6+name+value]) {
				return
			}
			rest = rest[6+name+value:]
		}
	}
}

// newBatch copies a batch with one crossing: where its records lie, and the bytes that they lie in.
func newBatch(raw *C.go_batch) *Batch {
	batch := &Batch{}
	batch.fill(raw)
	return batch
}

// fill makes it a copy of another one, in the memory that it has where that is enough.
func (batch *Batch) fill(raw *C.go_batch) {
	count := int(raw.len)
	places := batch.places
	if cap(places) < count {
		places = make([]C.go_place, count)
	}
	*batch = Batch{
		Topic:      C.GoString(C.tw_batch_topic(raw.batch)),
		Partition:  uint32(raw.partition),
		BaseOffset: uint64(raw.base_offset),
		NextOffset: uint64(raw.next_offset),
		EndOffset:  uint64(raw.end_offset),
		AppendTime: time.UnixMicro(int64(raw.append_time_us)),
		bytes:      batch.bytes[:0],
		places:     places[:count],
	}
	var from unsafe.Pointer
	size := C.go_places(raw.batch, raw.base_offset, unsafe.SliceData(batch.places), raw.len, &from)
	if size > 0 {
		batch.bytes = append(batch.bytes, unsafe.Slice((*byte)(from), int(size))...)
	}
}

// Len is how many records it has, at least one.
func (batch *Batch) Len() int { return len(batch.places) }

func (batch *Batch) part(at, length C.uint32_t) []byte {
	if length == math.MaxUint32 {
		return nil
	}
	if length == 0 {
		return []byte{}
	}
	from, end := int(at), int(at)+int(length)
	return batch.bytes[from:end:end]
}

// Record is record i, from 0; it panics past the last one.
func (batch *Batch) Record(i int) RecordView {
	place := &batch.places[i]
	return RecordView{
		Partition:   batch.Partition,
		Offset:      batch.BaseOffset + uint64(place.offset),
		TimestampUs: int64(place.timestamp_us),
		Key:         batch.part(place.key, place.key_len),
		Value:       batch.part(place.value, place.value_len),
		headers:     batch.part(place.headers, place.headers_len),
	}
}

// Records gives the records in order.
func (batch *Batch) Records() iter.Seq[RecordView] {
	return func(yield func(RecordView) bool) {
		for i := range batch.places {
			if !yield(batch.Record(i)) {
				return
			}
		}
	}
}

// FetchOptions are how much a fetch returns, and how long it waits for it; nil is not set.
type FetchOptions struct{ MaxBytes, MinBytes, MaxWaitMs *uint32 }

// Fetched is what a fetch read.
type Fetched struct {
	Batches                            []*Batch
	StartOffset, EndOffset, NextOffset uint64
}

// Fetch reads batches of a partition once, from an offset on. The options may be nil.
func (client *Client) Fetch(ctx context.Context, topic string, partition uint32, offset uint64, options *FetchOptions) (*Fetched, error) {
	var a arena
	defer a.free()
	if options == nil {
		options = &FetchOptions{}
	}
	given := C.tw_fetch_options{
		size: C.sizeof_tw_fetch_options, max_bytes: u32(options.MaxBytes), min_bytes: u32(options.MinBytes),
		max_wait_ms: u32(options.MaxWaitMs), reserved: C.TW_UNSET,
	}
	name := a.text(topic)
	var raw *C.tw_fetched
	err := wait(ctx, func(err **C.tw_error) {
		C.tw_client_fetch(client.raw, name, C.uint32_t(partition), C.uint64_t(offset), &given, &raw, err)
	})
	runtime.KeepAlive(client)
	if err != nil {
		return nil, err
	}
	defer C.tw_fetched_free(raw)
	out := &Fetched{
		StartOffset: uint64(raw.start_offset), EndOffset: uint64(raw.end_offset), NextOffset: uint64(raw.next_offset),
	}
	for _, each := range unsafe.Slice(raw.batches, int(raw.batch_count)) {
		described := C.go_batch{batch: (*C.tw_batch)(unsafe.Pointer(each))}
		C.go_describe(&described)
		out.Batches = append(out.Batches, newBatch(&described))
	}
	return out, nil
}
