package io.tidewire.examples

import io.tidewire.Client
import io.tidewire.ErrorCode
import io.tidewire.NewRecord
import io.tidewire.TidewireException
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.runBlocking

/** Sends ten orders, and reads them as a member of a group: `OrdersKt [URL]`. */
fun main(arguments: Array<String>): Unit = runBlocking {
    Client.connect(arguments.firstOrNull() ?: "tidewire://127.0.0.1:8433").use { client ->
        try {
            client.createTopic("orders", "partitions" to 4)
        } catch (error: TidewireException) {
            if (error.code != ErrorCode.TOPIC_EXISTS) throw error
        }
        client.producer("orders").use { producer ->
            val outcomes = producer.sendAll(List(10) { NewRecord("order $it", key = "customer ${it % 3}") })
            for (receipt in outcomes.receipts()) println("partition ${receipt.partition}, offset ${receipt.offset}")
        }
        client.consumer("orders", "start" to "earliest", group = "billing").use { consumer ->
            consumer.records().take(10).collect { println("${it.keyText}: ${it.valueText}") }
            consumer.commit()
        }
    }
}
