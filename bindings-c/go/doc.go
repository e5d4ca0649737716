// Package tidewire is the Tidewire client for Go, on libtidewire by cgo.
//
//	client, err := tidewire.Connect(ctx, "tidewire://127.0.0.1:8433", nil)
//	defer client.Close()
//	_, err = client.CreateTopic(ctx, "shop/orders", &tidewire.TopicOptions{Partitions: tidewire.Set(uint32(4))})
//	producer, err := client.Producer(ctx, "shop/orders", nil)
//	receipt, err := producer.Send(ctx, tidewire.Record{Key: []byte("k"), Value: []byte("hello")})
//
//	consumer, err := client.Consumer(ctx, "shop/orders", &tidewire.ConsumerOptions{Group: "billing", Start: tidewire.Earliest()})
//	for batch, err := range consumer.Batches(ctx) {
//		if err != nil { … }
//		for record := range batch.Records() {
//			fmt.Println(record.Offset, string(record.Value))
//		}
//		err = consumer.CommitBatch(ctx, batch)
//	}
//
// Every call that waits takes a context and returns its error when it is done first. Errors are
// *[Error]; errors.Is knows them by the generated values, such as [ErrTopicNotFound].
//
// All types may be used by any number of goroutines. What is opened is closed by Close; what is
// forgotten is freed by the garbage collector at some time.
//
// A batch is a copy in Go's memory, which the collector has to find and give back. A program that reads
// a million records a second and does not keep them sets ReuseBatches in [ConsumerOptions]: one batch's
// memory is then used for the next.
//
// Waiting for batches blocks no thread: one goroutine a client sleeps in the runtime's poller until
// the library tells that there is something.
package tidewire
