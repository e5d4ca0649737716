package io.tidewire.examples;

import io.tidewire.AsyncClient;
import io.tidewire.Batch;
import io.tidewire.ErrorCode;
import io.tidewire.TidewireException;
import java.util.Map;
import java.util.concurrent.CompletionException;

/** Sends ten orders, and reads them as a member of a group: {@code JavaOrders [URL]}. */
public final class JavaOrders {
    public static void main(String[] arguments) {
        String url = arguments.length > 0 ? arguments[0] : "tidewire://127.0.0.1:8433";
        try (var client = AsyncClient.connect(url).join()) {
            createTopic(client);
            try (var producer = client.producer("java-orders", Map.of("linger_ms", 1)).join()) {
                for (int i = 0; i < 10; i++) {
                    var receipt = producer.send("order " + i, "customer " + i % 3).join();
                    System.out.println("partition " + receipt.getPartition() + ", offset " + receipt.getOffset());
                }
            }
            try (var consumer = client.consumer("java-orders", Map.of("start", "earliest"), "billing-java").join()) {
                int seen = 0;
                while (seen < 10) {
                    Batch batch = consumer.poll().join();
                    for (var record : batch) {
                        System.out.println(record.getKeyText() + ": " + record.getValueText());
                        seen++;
                    }
                    consumer.commit(batch).join();
                }
            }
        }
    }

    private static void createTopic(AsyncClient client) {
        try {
            client.createTopic("java-orders", Map.of("partitions", 4)).join();
        } catch (CompletionException error) {
            if (!(error.getCause() instanceof TidewireException why) || why.getCode() != ErrorCode.TOPIC_EXISTS) {
                throw error;
            }
        }
    }

    private JavaOrders() {}
}
