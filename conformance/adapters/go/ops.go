// The operations of the suite, each a call or two of the public module.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	tidewire "github.com/tidewire/tidewire/bindings-c/go"
)

var features = []string{
	"admin", "fetch", "producer", "enqueue", "named_producer", "record_id", "codecs", "consumer", "seek", "pause",
	"positions", "partitions", "stats", "events", "cancel", "concurrent", "reconnect", "timestamps", "retention",
	"option_structs", "topic_update", "truncate", "groups", "offsets", "named_consumer", "users", "limits",
}

// options hands each option of a request to whom it sets.
func options(args object, set map[string]func(any)) error {
	all, _ := args["options"].(object)
	for name, value := range all {
		if set[name] == nil {
			return unsupported("the module has no option " + name)
		}
		set[name](value)
	}
	return nil
}

func u32(place **uint32) func(any) {
	return func(value any) { *place = tidewire.Set(uint32(number(value))) }
}

func u64(place **uint64) func(any) { return func(value any) { *place = tidewire.Set(number(value)) } }

func word[T ~uint32](place **T, words ...string) func(any) {
	return func(value any) { *place = tidewire.Set(T(slices.Index(words, fmt.Sprint(value)))) }
}

func place(value any) tidewire.Start {
	switch value {
	case "earliest":
		return tidewire.Earliest()
	case "latest":
		return tidewire.Latest()
	}
	if us, timed := strings.CutPrefix(fmt.Sprint(value), "time:"); timed {
		return tidewire.Timestamp(time.UnixMicro(int64(number(us))))
	}
	return tidewire.Offset(number(value))
}

func topicOptions(args object) (*tidewire.TopicOptions, error) {
	it := &tidewire.TopicOptions{}
	return it, options(args, map[string]func(any){
		"partitions": u32(&it.Partitions), "segment_bytes": u64(&it.SegmentBytes),
		"retention_ms": u64(&it.RetentionMs), "retention_bytes": u64(&it.RetentionBytes),
		"dedup_window_ms": u64(&it.DedupWindowMs), "codec": word(&it.Codec, "none", "lz4", "zstd"),
	})
}

func within(ctx context.Context, args object) (context.Context, context.CancelFunc) {
	ms := uint64(10_000)
	if args["timeout_ms"] != nil {
		ms = number(args["timeout_ms"])
	}
	return context.WithTimeout(ctx, time.Duration(ms)*time.Millisecond)
}

func (a *adapter) run(ctx context.Context, op string, args object) (any, error) {
	switch family, _, _ := strings.Cut(op, "."); family {
	case "producer":
		return a.produce(ctx, op, args)
	case "consumer":
		return a.consume(ctx, op, args)
	case "stream", "topic":
		return a.admin(ctx, op, args)
	case "group", "offsets":
		return a.groups(ctx, op, args)
	case "user", "token":
		return a.users(ctx, op, args)
	}
	return a.general(ctx, op, args)
}

func server(client *tidewire.Client) (any, error) {
	it, err := client.Server()
	return object{
		"name": it.Name, "version": it.Version, "address": it.Address, "id": wide(it.ID),
		"limits": object{
			"max_frame_len": it.MaxFrameLen, "max_batch_len": it.MaxBatchLen,
			"max_batch_records": it.MaxBatchRecords, "max_in_flight": it.MaxInFlight, "max_channels": it.MaxChannels,
		},
	}, err
}

func (a *adapter) general(ctx context.Context, op string, args object) (any, error) {
	switch op {
	case "hello":
		return object{"protocol": 1, "sdk": "go", "language": "Go", "sdk_version": "0.1.0", "features": features}, nil
	case "connect":
		it := &tidewire.ClientOptions{}
		err := options(args, map[string]func(any){
			"client_name":         func(value any) { it.ClientName, _ = value.(string) },
			"user":                func(value any) { it.User, _ = value.(string) },
			"secret":              func(value any) { it.Secret, _ = value.(string) },
			"secret_file":         func(value any) { it.SecretFile, _ = value.(string) },
			"tls_ca_file":         func(value any) { it.TLSCAFile, _ = value.(string) },
			"tls_cert_file":       func(value any) { it.TLSCertFile, _ = value.(string) },
			"tls_key_file":        func(value any) { it.TLSKeyFile, _ = value.(string) },
			"tls_danger":          func(value any) { it.TLSDanger, _ = value.(string) },
			"encryption_keys":     func(value any) { it.EncryptionKeys, _ = value.(string) },
			"encryption_key_file": func(value any) { it.EncryptionKeyFile, _ = value.(string) },
			"connect_timeout_ms":  u32(&it.ConnectTimeoutMs), "request_timeout_ms": u32(&it.RequestTimeoutMs),
			"heartbeat_ms": u32(&it.HeartbeatMs), "retry_backoff_ms": u32(&it.RetryBackoffMs),
			"retry_backoff_max_ms": u32(&it.RetryBackoffMaxMs), "runtime_threads": u32(&it.RuntimeThreads),
			"busy_poll_us": u32(&it.BusyPollUs),
		})
		if err != nil {
			return nil, err
		}
		client, err := tidewire.Connect(ctx, text(args, "url"), it)
		if err != nil {
			return nil, err
		}
		put(a, a.clients, text(args, "client"), client)
		return server(client)
	}
	client, err := get(a, a.clients, text(args, "client"))
	if err != nil {
		return nil, err
	}
	switch op {
	case "server":
		return server(client)
	case "limits.describe":
		all, err := client.DescribeLimits(ctx)
		out := object{}
		for _, it := range all {
			out[it.Name] = object{
				"value": wide(it.Value), "unit": it.Unit, "configured": it.Configured, "used": wide(it.Used),
			}
		}
		return object{"limits": out}, err
	case "ping":
		_, err := client.Ping(ctx)
		return nil, err
	case "client.close":
		return nil, client.Close()
	case "events.watch":
		events, err := client.Events()
		put(a, a.events, text(args, "client"), events)
		return nil, err
	case "events.next":
		events, err := get(a, a.events, text(args, "client"))
		if err != nil {
			return nil, err
		}
		limited, cancel := within(ctx, args)
		defer cancel()
		select {
		case event, open := <-events:
			if open {
				return object{"event": eventTo(event)}, nil
			}
		case <-limited.Done():
		}
		return object{"event": nil}, ctx.Err()
	case "fetch":
		it := &tidewire.FetchOptions{}
		for name, place := range map[string]**uint32{
			"max_bytes": &it.MaxBytes, "min_bytes": &it.MinBytes, "max_wait_ms": &it.MaxWaitMs,
		} {
			if args[name] != nil {
				*place = tidewire.Set(small(args, name))
			}
		}
		found, err := client.Fetch(ctx, text(args, "topic"), small(args, "partition"), number(args["offset"]), it)
		if err != nil {
			return nil, err
		}
		records := []any{}
		for _, batch := range found.Batches {
			records = recordsTo(records, batch)
		}
		return object{
			"records": records, "batches": len(found.Batches), "start_offset": wide(found.StartOffset),
			"end_offset": wide(found.EndOffset), "next_offset": wide(found.NextOffset),
		}, nil
	}
	return nil, unsupported("no operation " + op)
}

func (a *adapter) admin(ctx context.Context, op string, args object) (any, error) {
	client, err := get(a, a.clients, text(args, "client"))
	if err != nil {
		return nil, err
	}
	settings, err := topicOptions(args)
	if err != nil {
		return nil, err
	}
	name, topic := text(args, "name"), text(args, "topic")
	aStream := func(it tidewire.StreamInfo, err error) (any, error) { return streamTo(it), err }
	aTopic := func(it tidewire.TopicInfo, err error) (any, error) { return topicTo(it), err }
	switch op {
	case "stream.create":
		return aStream(client.CreateStream(ctx, name))
	case "stream.describe":
		return aStream(client.DescribeStream(ctx, name))
	case "stream.purge":
		return nil, client.PurgeStream(ctx, name)
	case "stream.delete":
		return nil, client.DeleteStream(ctx, name, args["with_topics"] == true)
	case "stream.list":
		all, err := client.ListStreams(ctx)
		out := []any{}
		for _, each := range all {
			out = append(out, streamTo(each))
		}
		return object{"streams": out}, err
	case "topic.create":
		return aTopic(client.CreateTopic(ctx, topic, settings))
	case "topic.update":
		return aTopic(client.UpdateTopic(ctx, topic, settings))
	case "topic.describe":
		return aTopic(client.DescribeTopic(ctx, topic))
	case "topic.add_partitions":
		return aTopic(client.AddPartitions(ctx, topic, small(args, "partitions")))
	case "topic.purge":
		return nil, client.PurgeTopic(ctx, topic)
	case "topic.delete":
		return nil, client.DeleteTopic(ctx, topic)
	case "topic.truncate":
		start, err := client.Truncate(ctx, topic, small(args, "partition"), number(args["before_offset"]))
		return object{"start_offset": wide(start)}, err
	case "topic.list":
		all, err := client.ListTopics(ctx, text(args, "stream"))
		out := []any{}
		for _, each := range all {
			out = append(out, topicTo(each))
		}
		return object{"topics": out}, err
	case "topic.partitions":
		all, err := client.ListPartitions(ctx, topic)
		out := []any{}
		for _, it := range all {
			out = append(out, object{
				"partition": it.Partition, "start_offset": wide(it.StartOffset), "end_offset": wide(it.EndOffset),
				"synced_offset": wide(it.SyncedOffset), "size_bytes": wide(it.SizeBytes), "segments": it.Segments,
				"error": it.Error,
			})
		}
		return object{"partitions": out}, err
	}
	return nil, unsupported("no operation " + op)
}

func outcome(ctx context.Context, ticket *tidewire.Ticket) any {
	receipt, err := ticket.Wait(ctx)
	var known *tidewire.Error
	if errors.As(err, &known) {
		return object{"error": errorOf(known)}
	}
	return receiptTo(receipt)
}

// named is what is asked of a topic about its named producers.
func (a *adapter) named(ctx context.Context, op string, args object) (any, error) {
	client, err := get(a, a.clients, text(args, "client"))
	if err != nil {
		return nil, err
	}
	if op == "producer.forget" {
		return nil, client.ForgetProducer(ctx, text(args, "topic"), text(args, "name"))
	}
	all, err := client.ListProducers(ctx, text(args, "topic"))
	out := []any{}
	for _, it := range all {
		out = append(out, object{"name": it.Name})
	}
	return object{"producers": out}, err
}

func (a *adapter) produce(ctx context.Context, op string, args object) (any, error) {
	if op == "producer.list" || op == "producer.forget" {
		return a.named(ctx, op, args)
	}
	if op == "producer.open" {
		it := &tidewire.ProducerOptions{Name: text(args, "name")}
		err := options(args, map[string]func(any){
			"acks": word(&it.Acks, "none", "written", "synced"), "codec": word(&it.Codec, "none", "lz4", "zstd"),
			"queue_full": word(&it.QueueFull, "block", "error", "drop"), "linger_ms": u32(&it.LingerMs),
			"batch_bytes": u32(&it.BatchBytes), "batch_records": u32(&it.BatchRecords),
			"queue_bytes": u32(&it.QueueBytes), "max_in_flight": u32(&it.MaxInFlight),
			"encryption_key_id":   u32(&it.EncryptionKeyID),
			"delivery_timeout_ms": u32(&it.DeliveryTimeoutMs),
		})
		if err != nil {
			return nil, err
		}
		client, err := get(a, a.clients, text(args, "client"))
		if err != nil {
			return nil, err
		}
		producer, err := client.Producer(ctx, text(args, "topic"), it)
		if err != nil {
			return nil, err
		}
		put(a, a.producers, text(args, "producer"), producer)
		return object{"partitions": producer.Partitions()}, nil
	}
	producer, err := get(a, a.producers, text(args, "producer"))
	if err != nil {
		return nil, err
	}
	switch op {
	case "producer.send":
		record, err := recordOf(args["record"])
		if err != nil {
			return nil, err
		}
		receipt, err := producer.Send(ctx, record)
		return receiptTo(receipt), err
	case "producer.send_many", "producer.enqueue":
		records, err := recordsOf(args)
		if err != nil {
			return nil, err
		}
		many := op == "producer.send_many"
		tickets := []*tidewire.Ticket{}
		for _, record := range records {
			ticket, err := producer.Enqueue(record)
			for many && errors.Is(err, tidewire.ErrQueueFull) {
				if err = producer.Ready(ctx); err == nil {
					ticket, err = producer.Enqueue(record)
				}
			}
			if err != nil {
				return nil, err
			}
			tickets = append(tickets, ticket)
		}
		if many {
			// What fails is told by its ticket.
			_ = producer.Flush(ctx)
			receipts := []any{}
			for _, ticket := range tickets {
				receipts = append(receipts, outcome(ctx, ticket))
			}
			return object{"receipts": receipts}, nil
		}
		names := []string{}
		a.mu.Lock()
		defer a.mu.Unlock()
		for _, ticket := range tickets {
			a.next++
			name := "t" + strconv.Itoa(a.next)
			a.tickets[name] = ticket
			names = append(names, name)
		}
		return object{"tickets": names}, nil
	case "producer.wait":
		receipts := []any{}
		for _, name := range list(args, "tickets") {
			ticket, err := get(a, a.tickets, name.(string))
			if err != nil {
				return nil, err
			}
			receipts = append(receipts, outcome(ctx, ticket))
		}
		return object{"receipts": receipts}, nil
	case "producer.flush":
		return nil, producer.Flush(ctx)
	case "producer.close":
		return nil, producer.CloseContext(ctx)
	case "producer.stats":
		stats, err := producer.Stats()
		return object{"queued_bytes": wide(stats.QueuedBytes)}, err
	}
	return nil, unsupported("no operation " + op)
}

func (a *adapter) openConsumer(ctx context.Context, args object) (any, error) {
	it := &tidewire.ConsumerOptions{Group: text(args, "group"), Name: text(args, "name"), Offsets: map[uint32]uint64{}}
	err := options(args, map[string]func(any){
		"start": func(value any) { it.Start = place(value) }, "prefetch_bytes": u32(&it.PrefetchBytes),
		"member_name":        func(value any) { it.MemberName, _ = value.(string) },
		"session_timeout_ms": u32(&it.SessionTimeoutMs), "rebalance_timeout_ms": u32(&it.RebalanceTimeoutMs),
		"auto_commit_interval_ms": u32(&it.AutoCommitIntervalMs),
		"auto_commit":             word(&it.AutoCommit, "off", "interval", "after", "before"),
		"on_out_of_range":         word(&it.OnOutOfRange, "error", "earliest", "latest"),
	})
	if err != nil {
		return nil, err
	}
	for _, partition := range list(args, "partitions") {
		it.Partitions = append(it.Partitions, uint32(number(partition)))
	}
	places, _ := args["start_at"].(object)
	for partition, offset := range places {
		it.Offsets[uint32(number(partition))] = number(offset)
	}
	client, err := get(a, a.clients, text(args, "client"))
	if err != nil {
		return nil, err
	}
	consumer, err := client.Consumer(ctx, text(args, "topic"), it)
	if err != nil {
		return nil, err
	}
	put(a, a.consumers, text(args, "consumer"), consumer)
	return nil, nil
}

func (a *adapter) consume(ctx context.Context, op string, args object) (any, error) {
	if op == "consumer.open" {
		return a.openConsumer(ctx, args)
	}
	consumer, err := get(a, a.consumers, text(args, "consumer"))
	if err != nil {
		return nil, err
	}
	partition := small(args, "partition")
	switch op {
	case "consumer.next_batch":
		limited, cancel := within(ctx, args)
		defer cancel()
		batch, err := consumer.NextBatch(limited)
		switch {
		case err == io.EOF:
			return object{"batch": nil, "closed": true}, nil
		case errors.Is(err, context.DeadlineExceeded):
			return object{"batch": nil, "closed": false}, nil
		case err != nil:
			return nil, err
		}
		return object{"closed": false, "batch": object{
			"partition": batch.Partition, "base_offset": wide(batch.BaseOffset),
			"next_offset": wide(batch.NextOffset), "records": recordsTo([]any{}, batch),
		}}, nil
	case "consumer.read":
		limited, cancel := within(ctx, args)
		defer cancel()
		seen, records, sums := uint64(0), []any{}, digests{}
		for seen < number(args["count"]) {
			batch, err := consumer.NextBatch(limited)
			if err == io.EOF || errors.Is(err, context.DeadlineExceeded) {
				break
			} else if err != nil {
				return nil, err
			}
			seen += uint64(batch.Len())
			if args["digest"] == true {
				sums.add(batch)
			} else {
				records = recordsTo(records, batch)
			}
		}
		if args["digest"] == true {
			return object{"count": wide(seen), "digests": sums.done()}, nil
		}
		return object{"count": wide(seen), "records": records}, nil
	case "consumer.seek":
		return nil, consumer.Seek(partition, place(args["to"]))
	case "consumer.pause":
		return nil, consumer.Pause(partition)
	case "consumer.resume":
		return nil, consumer.Resume(partition)
	case "consumer.add_partition":
		return nil, consumer.AddPartition(partition, place(args["start"]))
	case "consumer.remove_partition":
		return nil, consumer.RemovePartition(partition)
	case "consumer.commit":
		return nil, consumer.Commit(ctx)
	case "consumer.close":
		return nil, consumer.CloseContext(ctx)
	case "consumer.positions":
		lag, err := consumer.Lag()
		if err != nil {
			return nil, err
		}
		all, err := consumer.Positions()
		out := []any{}
		for _, it := range all {
			out = append(out, object{
				"partition": it.Partition, "next_offset": wide(it.NextOffset), "end_offset": wide(it.EndOffset),
			})
		}
		return object{"positions": out, "lag": wide(lag)}, err
	case "consumer.stats":
		it, err := consumer.Stats()
		return object{
			"partitions": it.Partitions, "live_partitions": it.LivePartitions,
			"buffered_bytes": wide(it.BufferedBytes), "batches": wide(it.Batches), "bytes": wide(it.Bytes),
			"resubscriptions": wide(it.Resubscriptions),
		}, err
	}
	return nil, unsupported("no operation " + op)
}

func (a *adapter) groups(ctx context.Context, op string, args object) (any, error) {
	client, err := get(a, a.clients, text(args, "client"))
	if err != nil {
		return nil, err
	}
	group, topic := text(args, "group"), text(args, "topic")
	partitions := []uint32{small(args, "partition")}
	switch op {
	case "group.create":
		it, err := client.CreateGroup(ctx, group)
		return object{"name": it.Name}, err
	case "group.delete":
		return nil, client.DeleteGroup(ctx, group)
	case "group.list":
		all, err := client.ListGroups(ctx)
		out := []any{}
		for _, it := range all {
			out = append(out, object{"name": it.Name, "members": it.Members})
		}
		return object{"groups": out}, err
	case "group.describe":
		it, err := client.DescribeGroup(ctx, group)
		if err != nil {
			return nil, err
		}
		return object{
			"name": it.Name, "generation": it.Generation, "members": len(it.Members), "partitions": len(it.Partitions),
		}, nil
	case "offsets.get":
		all, err := client.Committed(ctx, group, topic)
		out := []any{}
		for _, it := range all {
			out = append(out, object{"partition": it.Partition, "offset": wide(it.Offset)})
		}
		return object{"offsets": out}, err
	case "offsets.set":
		_, err := client.ResetOffsets(ctx, group, topic, partitions, tidewire.Offset(number(args["offset"])), false)
		return nil, err
	case "offsets.delete":
		return nil, client.DeleteOffsets(ctx, group, topic, partitions)
	}
	return nil, unsupported("no operation " + op)
}
