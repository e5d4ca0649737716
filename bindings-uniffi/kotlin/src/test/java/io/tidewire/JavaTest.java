package io.tidewire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tidewire.core.TopicInfo;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The client as plain Java uses it. */
@Timeout(120)
class JavaTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @Test
    void futuresAndCloseablesServeJava() throws Exception {
        try (var server = new TestServer(false);
             var client = AsyncClient.connect(server.getUrl()).get(60, TimeUnit.SECONDS)) {
            TopicInfo made = client.createTopic("orders", Map.of("partitions", 2)).join();
            assertEquals(2, made.getPartitions());
            try (var producer = client.producer("orders", Map.of("linger_ms", 1)).join()) {
                assertEquals(0, producer.send("hello", "k").join().getOffset());
                var futures = new ArrayList<CompletableFuture<Receipt>>();
                for (int i = 0; i < 10; i++) {
                    futures.add(producer.enqueue(new NewRecord("v" + i, "k")));
                }
                for (int i = 0; i < 10; i++) {
                    assertEquals(i + 1, futures.get(i).join().getOffset());
                }
                var buffer = new RecordBuffer();
                buffer.add("a".getBytes(), "k".getBytes()).add("b".getBytes(), "k".getBytes());
                assertEquals(12, producer.sendAll(buffer).join().receipts().get(1).getOffset());
            }
            try (var consumer = client.consumer("orders", Map.of("start", "earliest"), "billing").join()) {
                var found = new ArrayList<String>();
                for (Batch batch : consumer) {
                    for (var record : batch) {
                        found.add(record.getValueText());
                    }
                    consumer.commit().join();
                    if (found.size() == 13) {
                        break;
                    }
                }
                assertEquals("hello", found.get(0));
                assertEquals("b", found.get(12));
                assertNull(consumer.poll(Duration.ofMillis(10)).join());
                assertNull(consumer.next(Duration.ofMillis(10)).join());
            }
            try (var consumer = client.consumer("orders", Map.of("start", "earliest")).join()) {
                var first = consumer.next().get(60, TimeUnit.SECONDS);
                var seen = new ArrayList<Record>(List.of(first));
                for (Record record : consumer.records()) {
                    seen.add(record);
                    if (seen.size() == 5) {
                        break;
                    }
                }
                while (seen.size() < 13) {
                    seen.add(consumer.next(PATIENCE).join());
                }
                assertEquals(13, seen.stream().map(one -> one.getPartition() + "/" + one.getOffset()).distinct().count());
            }
            assertEquals(13, client.committed("billing", "orders").join().stream().mapToLong(one -> one.getOffset()).sum());
            var failed = assertThrows(CompletionException.class, () -> client.describeTopic("nope").join());
            var why = assertInstanceOf(TidewireException.class, failed.getCause());
            assertEquals(ErrorCode.TOPIC_NOT_FOUND, why.getCode());
        }
    }

    @Test
    void aFutureThatIsCancelledTakesNothing() throws Exception {
        try (var server = new TestServer(false);
             var client = AsyncClient.connect(server.getUrl()).get(60, TimeUnit.SECONDS)) {
            client.createTopic("t").join();
            var consumer = client.consumer("t", Map.of("start", "earliest")).join();
            assertTrue(consumer.poll().cancel(true));
            client.producer("t").join().send("one").join();
            Batch batch = consumer.poll(PATIENCE).join();
            assertEquals("one", batch.get(0).getValueText());
            consumer.closeWithin(PATIENCE).join();
        }
    }

    @Test
    void theExamplesRun() throws Exception {
        try (var server = new TestServer(false)) {
            for (var main : List.<Main>of(io.tidewire.examples.OrdersKt::main, io.tidewire.examples.JavaOrders::main)) {
                var told = new ByteArrayOutputStream();
                var before = System.out;
                System.setOut(new PrintStream(told, true));
                try {
                    main.run(new String[] {server.getUrl()});
                } finally {
                    System.setOut(before);
                }
                assertTrue(told.toString().contains("order 9"), told.toString());
            }
        }
    }

    private interface Main {
        void run(String[] arguments) throws Exception;
    }
}
