// Bench does what bench.c does, through the Go module: bench URL WORK COUNT prints records a second.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	tidewire "github.com/tidewire/tidewire/bindings-c/go"
)

const many = 256

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func open(ctx context.Context, client *tidewire.Client, roomy bool) *tidewire.Producer {
	options := tidewire.ProducerOptions{
		Acks:       tidewire.Set(tidewire.AcksWritten),
		BatchBytes: tidewire.Set(uint32(1 << 20)),
		QueueFull:  tidewire.Set(tidewire.QueueFullError),
	}
	if roomy {
		options.QueueBytes = tidewire.Set(uint32(1 << 30))
		options.LingerMs = tidewire.Set(uint32(1000))
	}
	producer, err := client.Producer(ctx, "bench", &options)
	check(err)
	return producer
}

func one(ctx context.Context, producer *tidewire.Producer, record tidewire.Record) {
	for {
		err := producer.Post(record)
		if !errors.Is(err, tidewire.ErrQueueFull) {
			check(err)
			return
		}
		check(producer.Ready(ctx))
	}
}

func batch(ctx context.Context, producer *tidewire.Producer, records []tidewire.Record) {
	for len(records) > 0 {
		taken, err := producer.PostBatch(records)
		records = records[taken:]
		if errors.Is(err, tidewire.ErrQueueFull) {
			err = producer.Ready(ctx)
		}
		check(err)
	}
}

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: bench URL enqueue|enqueue-many|produce|send|consume|consume-reused COUNT")
	}
	work := os.Args[2]
	count, err := strconv.Atoi(os.Args[3])
	check(err)
	ctx := context.Background()
	client, err := tidewire.Connect(ctx, os.Args[1], nil)
	check(err)

	var took time.Duration
	if reuse := work == "consume-reused"; reuse || work == "consume" {
		seen, sum := 0, 0
		begun := time.Now()
		consumer, err := client.Consumer(ctx, "read", &tidewire.ConsumerOptions{
			Start: tidewire.Earliest(), ReuseBatches: reuse,
		})
		check(err)
		for batch, err := range consumer.Batches(ctx) {
			check(err)
			for record := range batch.Records() {
				sum += len(record.Value)
			}
			if seen += batch.Len(); seen >= count {
				break
			}
		}
		took = time.Since(begun)
		if sum == 0 {
			log.Fatal("the values are empty")
		}
		check(consumer.Close())
	} else {
		record := tidewire.Record{Value: bytes.Repeat([]byte("x"), 256)}
		records := make([]tidewire.Record, many)
		for i := range records {
			records[i] = record
		}
		producer := open(ctx, client, work == "enqueue" || work == "enqueue-many")
		begun := time.Now()
		switch work {
		case "send":
			for range count {
				_, err := producer.Send(ctx, record)
				check(err)
			}
		case "enqueue-many":
			for i := 0; i < count; i += many {
				batch(ctx, producer, records)
			}
		default:
			for range count {
				one(ctx, producer, record)
			}
		}
		if work == "produce" {
			check(producer.Flush(ctx))
		}
		took = time.Since(begun)
		check(producer.Close())
	}
	fmt.Printf("%.0f\n", float64(count)/took.Seconds())
	check(client.Close())
}
