"""Sends a few records, and reads them back.

    python produce_consume.py [URL]
"""

import sys

from tidewire import Client, TopicExistsError

url = sys.argv[1] if len(sys.argv) > 1 else "tidewire://127.0.0.1:8433"

with Client(url) as client:
    try:
        client.create_topic("greetings", partitions=2)
    except TopicExistsError:
        pass

    with client.producer("greetings") as producer:
        receipt = producer.send("hello", key="alice", headers={"lang": "en"})
        print(f"on the disk: partition {receipt.partition}, offset {receipt.offset}")
        producer.send_batch([f"hello {i}" for i in range(100)])

    with client.consumer("greetings", start="earliest") as consumer:
        count = 0
        for record in consumer:
            count += 1
            if count <= 3:
                print(record.partition, record.offset, record.key, record.value, record.timestamp)
            if consumer.lag() == 0 and count >= 101:
                break
    print(f"{count} records")
