package tidewire

/*
#include "shim.h"
*/
import "C"

import (
	"context"
	"runtime"
	"sync"
	"time"
	"unsafe"
)

// Acks is what an acknowledgement promises.
type Acks uint32

// Levels of acknowledgement.
const (
	AcksNone    Acks = C.TW_ACKS_NONE
	AcksWritten Acks = C.TW_ACKS_WRITTEN
	AcksSynced  Acks = C.TW_ACKS_SYNCED
)

// Codec is how batches are compressed.
type Codec uint32

// Codecs.
const (
	CodecNone Codec = C.TW_CODEC_NONE
	CodecLZ4  Codec = C.TW_CODEC_LZ4
	CodecZstd Codec = C.TW_CODEC_ZSTD
)

// QueueFull is what happens to a record for which the producer's queue has no room.
type QueueFull uint32

// What may happen then.
const (
	QueueFullBlock QueueFull = C.TW_QUEUE_FULL_BLOCK
	QueueFullError QueueFull = C.TW_QUEUE_FULL_ERROR
	QueueFullDrop  QueueFull = C.TW_QUEUE_FULL_DROP
)

// ProducerOptions are options of a producer; nil is not set.
type ProducerOptions struct {
	// Name is one within the topic: who opens it again takes the place of whoever has it.
	Name              string
	Acks              *Acks
	LingerMs          *uint32
	BatchBytes        *uint32
	BatchRecords      *uint32
	QueueBytes        *uint32
	MaxInFlight       *uint32
	Codec             *Codec
	DeliveryTimeoutMs *uint32
	QueueFull         *QueueFull
	// EncryptionKeyID is the number of the client's key that batches are encrypted with; 0 is none.
	EncryptionKeyID *uint32
}

// Header is a header of a record.
type Header struct {
	Name  string
	Value []byte
}

// Record is a record to send. A nil key is no key, and not an empty one; a nil value is a tombstone.
type Record struct {
	Key, Value []byte
	Headers    []Header
	// Time is the record's own; the zero time is that of the call.
	Time time.Time
	// Partition is left to the key or the producer if it is nil.
	Partition *uint32
	// ID is what the server finds duplicates by, in a topic with DedupWindowMs.
	ID *[16]byte
}

// Receipt is what became of a record.
type Receipt struct {
	Partition uint32
	Offset    uint64
	// AppendTime is zero for a duplicate by its id.
	AppendTime time.Time
	Acks       Acks
	// Duplicate: it was there already, or another record of its id was; Offset is that one's.
	Duplicate bool
	// Err is why it was not acknowledged, of SendBatch.
	Err error
}

func receipt(raw *C.tw_receipt) Receipt {
	out := Receipt{
		Partition: uint32(raw.partition), Offset: uint64(raw.offset),
		Acks: Acks(raw.acks), Duplicate: bool(raw.duplicate),
	}
	if raw.append_time_us != 0 {
		out.AppendTime = time.UnixMicro(int64(raw.append_time_us))
	}
	if raw.status != C.TW_OK {
		code := Code(raw.status)
		out.Err = &Error{Code: code, Disposition: Disposition(raw.disposition), Message: "the record was not acknowledged"}
	}
	return out
}

// Producer sends records to a topic.
type Producer struct {
	raw    *C.tw_producer
	client *Client
	mu     sync.Mutex
	memory packed
}

// Producer opens a producer for a topic, stream/topic. The options may be nil.
func (client *Client) Producer(ctx context.Context, topic string, options *ProducerOptions) (*Producer, error) {
	var a arena
	defer a.free()
	var raw *C.tw_producer
	if options == nil {
		options = &ProducerOptions{}
	}
	given := C.tw_producer_options{size: C.sizeof_tw_producer_options}
	given.name = a.optional(options.Name)
	given.acks = u32((*uint32)(options.Acks))
	given.linger_ms = u32(options.LingerMs)
	given.batch_bytes = u32(options.BatchBytes)
	given.batch_records = u32(options.BatchRecords)
	given.queue_bytes = u32(options.QueueBytes)
	given.max_in_flight = u32(options.MaxInFlight)
	given.codec = u32((*uint32)(options.Codec))
	given.delivery_timeout_ms = u32(options.DeliveryTimeoutMs)
	given.queue_full = u32((*uint32)(options.QueueFull))
	given.encryption_key_id = u32(options.EncryptionKeyID)
	given.completions = C.TW_UNSET
	name := a.text(topic)
	err := wait(ctx, func(err **C.tw_error) { C.tw_producer_open(client.raw, name, &given, &raw, err) })
	if err != nil {
		return nil, err
	}
	producer := &Producer{raw: raw, client: client}
	runtime.SetFinalizer(producer, func(it *Producer) {
		C.tw_producer_free(it.raw)
		C.free(it.memory.at)
	})
	return producer, nil
}

// Partitions is how many partitions the topic had when the producer was opened.
func (producer *Producer) Partitions() uint32 {
	defer runtime.KeepAlive(producer)
	return uint32(C.tw_producer_partitions(producer.raw))
}

// idLen is how long a record's id is, in bytes.
const idLen = len(*Record{}.ID)

// packed is memory of C's that holds records while they are handed over.
type packed struct {
	at   unsafe.Pointer
	size int
}

// pack lays records out for C: the structs, their headers, and all bytes, in one piece.
func (memory *packed) pack(records []Record) *C.tw_record {
	headers, bytes := 0, 0
	for i := range records {
		it := &records[i]
		headers += len(it.Headers)
		// One byte more each, so that what is empty has a place, too; and an id.
		bytes += len(it.Key) + 1 + len(it.Value) + 1 + idLen + 1
		for _, header := range it.Headers {
			bytes += len(header.Name) + len(header.Value) + 2
		}
	}
	structs := len(records) * C.sizeof_tw_record
	size := structs + headers*C.sizeof_tw_header + bytes
	if size > memory.size {
		C.free(memory.at)
		memory.at = C.malloc(C.size_t(size))
		memory.size = size
	}
	// What lay there may look like a pointer into Go's memory, and storing a pointer shows the collector
	// what is overwritten. Clearing bytes does not.
	clear(unsafe.Slice((*byte)(memory.at), structs+headers*C.sizeof_tw_header))
	raw := unsafe.Slice((*C.tw_record)(memory.at), len(records))
	header := (*C.tw_header)(unsafe.Add(memory.at, structs))
	end := unsafe.Add(memory.at, structs+headers*C.sizeof_tw_header)
	put := func(part []byte) C.tw_slice {
		copy(unsafe.Slice((*byte)(end), len(part)), part)
		out := C.tw_slice{data: end, len: C.size_t(len(part))}
		end = unsafe.Add(end, len(part)+1)
		return out
	}
	for i := range records {
		it := &records[i]
		if it.Key != nil {
			raw[i].key = put(it.Key)
		}
		if it.Value != nil {
			raw[i].value = put(it.Value)
		}
		if len(it.Headers) > 0 {
			raw[i].headers = header
			raw[i].header_count = C.size_t(len(it.Headers))
		}
		for _, each := range it.Headers {
			*header = C.tw_header{name: put([]byte(each.Name)), value: put(each.Value)}
			header = (*C.tw_header)(unsafe.Add(unsafe.Pointer(header), C.sizeof_tw_header))
		}
		if it.ID != nil {
			raw[i].id = (*C.uint8_t)(put(it.ID[:]).data)
		}
		time, partition, set := it.places()
		raw[i].timestamp_us, raw[i].partition, raw[i].set = time, partition, set
	}
	return unsafe.SliceData(raw)
}

func (record *Record) places() (us C.int64_t, partition, set C.uint32_t) {
	if !record.Time.IsZero() {
		us, set = C.int64_t(record.Time.UnixMicro()), C.TW_RECORD_TIMESTAMP
	}
	if record.Partition != nil {
		partition, set = C.uint32_t(*record.Partition), set|C.TW_RECORD_PARTITION
	}
	return
}

// Send sends a record and waits for its acknowledgement. If the error is OutcomeUnknown, as when the
// context was done first, the record may be there or not; after any other it certainly is not.
func (producer *Producer) Send(ctx context.Context, record Record) (Receipt, error) {
	var memory packed
	defer func() { C.free(memory.at) }()
	raw := memory.pack([]Record{record})
	var out C.tw_receipt
	err := wait(ctx, func(err **C.tw_error) { C.tw_producer_send(producer.raw, raw, &out, err) })
	runtime.KeepAlive(producer)
	if err != nil {
		return Receipt{}, err
	}
	return receipt(&out), nil
}

// SendBatch sends many records with one crossing into the library, and waits until each has its
// outcome. The error is the first failure; each receipt tells its own.
func (producer *Producer) SendBatch(ctx context.Context, records []Record) ([]Receipt, error) {
	var memory packed
	defer func() { C.free(memory.at) }()
	raw := memory.pack(records)
	out := make([]C.tw_receipt, len(records))
	err := wait(ctx, func(err **C.tw_error) {
		C.tw_producer_send_batch(producer.raw, raw, C.size_t(len(records)), unsafe.SliceData(out), err)
	})
	runtime.KeepAlive(producer)
	receipts := make([]Receipt, len(records))
	for i := range out {
		receipts[i] = receipt(&out[i])
	}
	return receipts, err
}

// Post puts a record into the queue and does not wait: Flush tells whether all went well. With
// ErrQueueFull there is no room; wait for Ready. For many at a time, PostBatch is faster.
func (producer *Producer) Post(record Record) error {
	if len(record.Headers) > 0 || record.ID != nil {
		_, err := producer.PostBatch([]Record{record})
		return err
	}
	has := C.int(0)
	if record.Key != nil {
		has |= 1
	}
	if record.Value != nil {
		has |= 2
	}
	us, partition, set := record.places()
	out := C.go_post(producer.raw,
		unsafe.Pointer(unsafe.SliceData(record.Key)), C.size_t(len(record.Key)),
		unsafe.Pointer(unsafe.SliceData(record.Value)), C.size_t(len(record.Value)),
		has, us, partition, set)
	runtime.KeepAlive(producer)
	if out.status != C.TW_OK {
		return taken(out.err)
	}
	return nil
}

// PostBatch puts records into the queue with one crossing into the library, and does not wait. How
// many were taken, in order: fewer than all only with an error, which is that of the next one.
func (producer *Producer) PostBatch(records []Record) (int, error) {
	producer.mu.Lock()
	defer producer.mu.Unlock()
	raw := producer.memory.pack(records)
	var count C.size_t
	var failed *C.tw_error
	C.tw_producer_enqueue_many(producer.raw, raw, C.size_t(len(records)), nil, &count, &failed)
	runtime.KeepAlive(producer)
	return int(count), taken(failed)
}

// Ticket is the outcome of an enqueued record, to come.
type Ticket struct{ raw *C.tw_ticket }

// Enqueue puts a record into the queue, as Post, with a ticket that can be waited for.
func (producer *Producer) Enqueue(record Record) (*Ticket, error) {
	producer.mu.Lock()
	defer producer.mu.Unlock()
	raw := producer.memory.pack([]Record{record})
	var out *C.tw_ticket
	var failed *C.tw_error
	if C.tw_producer_enqueue_ticket(producer.raw, raw, &out, &failed) != C.TW_OK {
		return nil, taken(failed)
	}
	runtime.KeepAlive(producer)
	ticket := &Ticket{out}
	runtime.SetFinalizer(ticket, func(it *Ticket) { C.tw_ticket_free(it.raw) })
	return ticket, nil
}

// Wait waits for the outcome. When the context is done first it may be called again.
func (ticket *Ticket) Wait(ctx context.Context) (Receipt, error) {
	var out C.tw_receipt
	err := wait(ctx, func(err **C.tw_error) { C.tw_ticket_wait(ticket.raw, -1, &out, err) })
	runtime.KeepAlive(ticket)
	if err != nil {
		return Receipt{}, err
	}
	return receipt(&out), nil
}

// Ready waits until the queue has room.
func (producer *Producer) Ready(ctx context.Context) error {
	defer runtime.KeepAlive(producer)
	return wait(ctx, func(err **C.tw_error) { C.tw_producer_ready(producer.raw, -1, err) })
}

// Flush sends all that is enqueued and waits until it has its outcome: the first failure since the
// last flush that no ticket has told.
func (producer *Producer) Flush(ctx context.Context) error {
	defer runtime.KeepAlive(producer)
	return wait(ctx, func(err **C.tw_error) { C.tw_producer_flush(producer.raw, -1, err) })
}

// Close takes no more records, flushes, and closes the producer on the server.
func (producer *Producer) Close() error { return producer.CloseContext(context.Background()) }

// CloseContext is Close; when the context is done first, what is left goes on being sent.
func (producer *Producer) CloseContext(ctx context.Context) error {
	defer runtime.KeepAlive(producer)
	return wait(ctx, func(err **C.tw_error) { C.tw_producer_close(producer.raw, -1, err) })
}

// ProducerStats is what a producer did so far, and what waits.
type ProducerStats struct {
	QueuedRecords, QueuedBytes, InFlightBatches   uint64
	SentBatches, SentBytes, RetriedBatches        uint64
	DuplicateBatches, AcknowledgedRecords         uint64
	FailedRecords, UnknownRecords, DroppedRecords uint64
}

// Stats tells them, without asking the server.
func (producer *Producer) Stats() (ProducerStats, error) {
	raw := C.tw_producer_stats{size: C.sizeof_tw_producer_stats}
	var failed *C.tw_error
	C.tw_producer_get_stats(producer.raw, &raw, &failed)
	runtime.KeepAlive(producer)
	return ProducerStats{
		QueuedRecords: uint64(raw.queued_records), QueuedBytes: uint64(raw.queued_bytes),
		InFlightBatches: uint64(raw.in_flight_batches), SentBatches: uint64(raw.sent_batches),
		SentBytes: uint64(raw.sent_bytes), RetriedBatches: uint64(raw.retried_batches),
		DuplicateBatches: uint64(raw.duplicate_batches), AcknowledgedRecords: uint64(raw.acknowledged_records),
		FailedRecords: uint64(raw.failed_records), UnknownRecords: uint64(raw.unknown_records),
		DroppedRecords: uint64(raw.dropped_records),
	}, taken(failed)
}
