// The module against a real server, which TW_TEST_URL names: clients, producers, consumers, errors,
// and what a done context does.

package tidewire_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	tidewire "github.com/tidewire/tidewire/bindings-c/go"
)

var names atomic.Int64

// fresh is a name that no other test has.
func fresh(what string) string { return fmt.Sprintf("go-%s-%d-%d", what, os.Getpid(), names.Add(1)) }

func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func connect(t testing.TB) *tidewire.Client {
	url := os.Getenv("TW_TEST_URL")
	if url == "" {
		t.Skip("TW_TEST_URL names no server; `cargo xtask c go` starts one")
	}
	client, err := tidewire.Connect(soon(t), url, &tidewire.ClientOptions{ClientName: "go test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func topicOf(t testing.TB, client *tidewire.Client, partitions uint32) string {
	topic := fresh("topic")
	if _, err := client.CreateTopic(soon(t), topic, &tidewire.TopicOptions{Partitions: &partitions}); err != nil {
		t.Fatal(err)
	}
	return topic
}

func must[T any](value T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func TestErrorsAreKnownByTheirCode(t *testing.T) {
	client := connect(t)
	_, err := client.DescribeTopic(soon(t), "no-such-topic")
	var known *tidewire.Error
	if !errors.Is(err, tidewire.ErrTopicNotFound) || errors.Is(err, tidewire.ErrClosed) || !errors.As(err, &known) {
		t.Fatalf("%v", err)
	}
	if known.Kind != "not_found" || known.Code.Error() != "TOPIC_NOT_FOUND" || known.OutcomeUnknown() {
		t.Fatalf("%+v", known)
	}
}

func TestWhatWasSentIsRead(t *testing.T) {
	client, ctx := connect(t), soon(t)
	topic := topicOf(t, client, 1)
	producer := must(client.Producer(ctx, topic, nil))(t)
	at := time.UnixMicro(7)
	first := must(producer.Send(ctx, tidewire.Record{
		Key: []byte{}, Value: []byte("hello"), Time: at,
		Headers: []tidewire.Header{{Name: "a", Value: []byte("1")}, {Name: "a", Value: nil}},
	}))(t)
	if first.Offset != 0 || first.Acks != tidewire.AcksSynced || first.AppendTime.IsZero() {
		t.Fatalf("%+v", first)
	}
	ticket := must(producer.Enqueue(tidewire.Record{Key: []byte("k")}))(t)
	if second := must(ticket.Wait(ctx))(t); second.Offset != 1 {
		t.Fatalf("%+v", second)
	}
	many := make([]tidewire.Record, 1000)
	for i := range many {
		many[i].Value = []byte(fmt.Sprint(i))
	}
	receipts := must(producer.SendBatch(ctx, many))(t)
	if len(receipts) != 1000 || receipts[999].Offset != 1001 {
		t.Fatalf("%+v", receipts[999])
	}
	nine := uint32(9)
	many[1].Partition = &nine
	receipts, err := producer.SendBatch(ctx, many[:3])
	if !errors.Is(err, tidewire.ErrPartitionNotFound) || receipts[0].Err != nil ||
		!errors.Is(receipts[1].Err, tidewire.ErrPartitionNotFound) || receipts[2].Offset != 1003 {
		t.Fatalf("%v %+v", err, receipts)
	}
	if taken, err := producer.PostBatch(many[2:4]); taken != 2 || err != nil {
		t.Fatal(taken, err)
	}
	if err := producer.Post(tidewire.Record{Value: []byte("last")}); err != nil {
		t.Fatal(err)
	}
	if err := producer.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if stats := must(producer.Stats())(t); stats.AcknowledgedRecords != 1007 {
		t.Fatalf("%+v", stats)
	}
	if err := producer.Close(); err != nil {
		t.Fatal(err)
	}
	if err := producer.Post(tidewire.Record{}); !errors.Is(err, tidewire.ErrClosed) {
		t.Fatal(err)
	}

	consumer := must(client.Consumer(ctx, topic, &tidewire.ConsumerOptions{Start: tidewire.Earliest()}))(t)
	next := uint64(0)
	for record, err := range consumer.Records(ctx) {
		if err != nil || record.Offset != next {
			t.Fatal(err, record.Offset, next)
		}
		switch next {
		case 0:
			headers := ""
			for name, value := range record.Headers() {
				headers += name + string(value)
			}
			if record.Key == nil || len(record.Key) != 0 || string(record.Value) != "hello" || headers != "a1a" || !record.Time().Equal(at) {
				t.Fatalf("%+v", record)
			}
		case 1:
			if string(record.Key) != "k" || record.Value != nil {
				t.Fatalf("%+v", record)
			}
		case 1006:
			if string(record.Value) != "last" {
				t.Fatalf("%+v", record)
			}
		}
		if next++; next == 1007 {
			break
		}
	}
	if positions := must(consumer.Positions())(t); len(positions) != 1 || positions[0].NextOffset != 1007 {
		t.Fatalf("%+v", positions)
	}
	if err := consumer.Seek(0, tidewire.Last(1)); err != nil {
		t.Fatal(err)
	}
	if batch := must(consumer.NextBatch(ctx))(t); batch.BaseOffset != 1006 || batch.Len() != 1 {
		t.Fatalf("%+v", batch)
	}
	if err := consumer.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := consumer.NextBatch(ctx); err != io.EOF {
		t.Fatal(err)
	}
	fetched := must(client.Fetch(ctx, topic, 0, 1006, nil))(t)
	if fetched.EndOffset != 1007 || string(fetched.Batches[0].Record(0).Value) != "last" {
		t.Fatalf("%+v", fetched)
	}
	_, err = client.Fetch(ctx, topic, 0, 5000, nil)
	var known *tidewire.Error
	if !errors.As(err, &known) || !known.OffsetsKnown || known.NextOffset != 1007 {
		t.Fatal(err)
	}
}

// The same batch is given again, in memory that grows as it must; what was copied stays.
func TestBatchesMayBeReused(t *testing.T) {
	client, ctx := connect(t), soon(t)
	topic := topicOf(t, client, 1)
	producer := must(client.Producer(ctx, topic, nil))(t)
	sent := [][]tidewire.Record{
		{{Key: []byte("k"), Value: []byte("first")}, {Value: nil}},
		make([]tidewire.Record, 300),
		{{Value: []byte("last"), Headers: []tidewire.Header{{Name: "h", Value: []byte("v")}}}},
	}
	for i := range sent[1] {
		sent[1][i].Value = bytes.Repeat([]byte{byte(i)}, i)
	}
	for _, records := range sent {
		must(producer.SendBatch(ctx, records))(t)
	}
	consumer := must(client.Consumer(ctx, topic, &tidewire.ConsumerOptions{
		Start: tidewire.Earliest(), ReuseBatches: true,
	}))(t)
	var only *tidewire.Batch
	var first []byte
	all := append(append(sent[0], sent[1]...), sent[2]...)
	next := 0
	for batch, err := range consumer.Batches(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if only != nil && only != batch {
			t.Fatal("another batch was given")
		}
		only = batch
		for record := range batch.Records() {
			wanted := all[next]
			if record.Offset != uint64(next) || !bytes.Equal(record.Value, wanted.Value) ||
				(record.Value == nil) != (wanted.Value == nil) || !bytes.Equal(record.Key, wanted.Key) ||
				(record.Key == nil) != (wanted.Key == nil) {
				t.Fatalf("%d: %+v", next, record)
			}
			headers := 0
			for range record.Headers() {
				headers++
			}
			if headers != len(wanted.Headers) {
				t.Fatalf("%d: %d headers", next, headers)
			}
			if next == 0 {
				first = bytes.Clone(record.Value)
			}
			next++
		}
		if next == len(all) {
			break
		}
	}
	if string(first) != "first" {
		t.Fatalf("%q", first)
	}
}

func TestAGroupStoresItsPlace(t *testing.T) {
	client, ctx := connect(t), soon(t)
	topic, group := topicOf(t, client, 2), fresh("group")
	producer := must(client.Producer(ctx, topic, nil))(t)
	must(producer.Send(ctx, tidewire.Record{Value: []byte("v")}))(t)
	consumer := must(client.Consumer(ctx, topic, &tidewire.ConsumerOptions{Group: group, Start: tidewire.Earliest()}))(t)
	batch := must(consumer.NextBatch(ctx))(t)
	if err := consumer.CommitBatch(ctx, batch); err != nil {
		t.Fatal(err)
	}
	if stored := must(client.Committed(ctx, group, topic))(t); len(stored) != 1 || stored[0].Offset != 1 {
		t.Fatalf("%+v", stored)
	}
	described := must(client.DescribeGroup(ctx, group))(t)
	if len(described.Members) != 1 || described.Members[0].ClientName != "go test" {
		t.Fatalf("%+v", described)
	}
	if err := consumer.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestADoneContextEndsWaiting(t *testing.T) {
	client := connect(t)
	topic := topicOf(t, client, 1)
	consumer := must(client.Consumer(soon(t), topic, nil))(t)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() {
		_, err := consumer.NextBatch(ctx)
		ended <- err
	}()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) || !errors.Is(err, tidewire.ErrInterrupted) {
		t.Fatal(err)
	}
	if _, err := client.ListStreams(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	// Somebody who takes the connection and says nothing.
	silent := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer silent.Close()
	ctx, cancel = context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := tidewire.Connect(ctx, "tidewire://"+silent.Addr().String(), nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
}

func TestClosingTheClientEndsEverything(t *testing.T) {
	client := connect(t)
	topic := topicOf(t, client, 1)
	consumer := must(client.Consumer(soon(t), topic, nil))(t)
	events := must(client.Events())(t)
	ended := make(chan error)
	go func() {
		_, err := consumer.NextBatch(soon(t))
		ended <- err
	}()
	client.Close()
	if err := <-ended; err == nil {
		t.Fatal("a batch came")
	}
	for range events {
	}
	if _, err := client.Ping(soon(t)); !errors.Is(err, tidewire.ErrClosed) {
		t.Fatal(err)
	}
}

func TestGoroutinesShareEverything(t *testing.T) {
	client, ctx := connect(t), soon(t)
	topic := topicOf(t, client, 3)
	producer := must(client.Producer(ctx, topic, nil))(t)
	consumer := must(client.Consumer(ctx, topic, &tidewire.ConsumerOptions{Start: tidewire.Earliest()}))(t)
	const writers, each = 4, 300
	var reading, writing sync.WaitGroup
	var seen atomic.Int64
	reads, stop := context.WithCancel(ctx)
	for range 3 {
		reading.Add(1)
		go func() {
			defer reading.Done()
			for batch, err := range consumer.Batches(reads) {
				if err != nil {
					return
				}
				for record := range batch.Records() {
					if string(record.Value) != "shared" {
						t.Errorf("%q", record.Value)
					}
				}
				if seen.Add(int64(batch.Len())) == writers*each {
					stop()
				}
				runtime.GC()
			}
		}()
	}
	for range writers {
		writing.Add(1)
		go func() {
			defer writing.Done()
			for range each {
				if err := producer.Post(tidewire.Record{Value: []byte("shared")}); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	writing.Wait()
	if err := producer.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	reading.Wait()
	stop()
	if seen.Load() != writers*each {
		t.Fatal(seen.Load())
	}
}

func TestAdministration(t *testing.T) {
	client, ctx := connect(t), soon(t)
	stream := fresh("stream")
	must(client.CreateStream(ctx, stream))(t)
	if _, err := client.CreateStream(ctx, stream); !errors.Is(err, tidewire.ErrStreamExists) {
		t.Fatal(err)
	}
	if _, err := client.CreateTopic(ctx, "a\x00b", nil); !errors.Is(err, tidewire.ErrInvalidName) {
		t.Fatal(err)
	}
	topic := stream + "/t"
	lz4 := tidewire.CodecLZ4
	made := must(client.CreateTopic(ctx, topic, &tidewire.TopicOptions{Codec: &lz4, RetentionMs: tidewire.Set(uint64(0))}))(t)
	if made.Codec != tidewire.CodecLZ4 || made.Partitions != 1 || made.Stream != stream {
		t.Fatalf("%+v", made)
	}
	if made = must(client.AddPartitions(ctx, topic, 3))(t); made.Partitions != 3 {
		t.Fatalf("%+v", made)
	}
	if partitions := must(client.ListPartitions(ctx, topic))(t); len(partitions) != 3 {
		t.Fatalf("%+v", partitions)
	}
	if topics := must(client.ListTopics(ctx, stream))(t); len(topics) != 1 {
		t.Fatalf("%+v", topics)
	}
	if info := must(client.Server())(t); info.ID == 0 || info.MaxBatchLen == 0 {
		t.Fatalf("%+v", info)
	}
	if err := client.DeleteStream(ctx, stream, true); err != nil {
		t.Fatal(err)
	}
}

// The costs of a crossing: of each record, and of many at once. `go test -bench .` with TW_TEST_URL set.
func BenchmarkPost(b *testing.B)      { benchmarkPost(b, 1) }
func BenchmarkPostBatch(b *testing.B) { benchmarkPost(b, 256) }

func benchmarkPost(b *testing.B, at int) {
	client, ctx := connect(b), soon(b)
	acks := tidewire.AcksNone
	producer := must(client.Producer(ctx, topicOf(b, client, 1), &tidewire.ProducerOptions{
		Acks: &acks, QueueBytes: tidewire.Set(uint32(512 << 20)),
	}))(b)
	records := make([]tidewire.Record, at)
	for i := range records {
		records[i].Value = make([]byte, 256)
	}
	b.SetBytes(256)
	b.ResetTimer()
	for done := 0; done < b.N; {
		var err error
		taken := 1
		if at == 1 {
			err = producer.Post(records[0])
		} else {
			taken, err = producer.PostBatch(records)
		}
		if errors.Is(err, tidewire.ErrQueueFull) {
			err = producer.Ready(ctx)
		} else {
			done += taken
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	producer.Close()
}
