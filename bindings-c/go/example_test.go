// What the documentation shows, compiled and run.

package tidewire_test

import (
	"context"
	"fmt"
	"log"

	tidewire "github.com/tidewire/tidewire/bindings-c/go"
)

// A record is sent, and read as a member of a group.
func Example() {
	ctx := context.Background()
	client, err := tidewire.Connect(ctx, "tidewire://127.0.0.1:8433", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	producer, err := client.Producer(ctx, "shop/orders", nil)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := producer.Send(ctx, tidewire.Record{Key: []byte("k"), Value: []byte("hello")}); err != nil {
		log.Fatal(err)
	}
	consumer, err := client.Consumer(ctx, "shop/orders", &tidewire.ConsumerOptions{
		Group: "billing", Start: tidewire.Earliest(),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer consumer.Close()
	for batch, err := range consumer.Batches(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		for record := range batch.Records() {
			fmt.Println(record.Offset, string(record.Value))
		}
		if err := consumer.CommitBatch(ctx, batch); err != nil {
			log.Fatal(err)
		}
	}
}
