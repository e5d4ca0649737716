"""Reads what came since yesterday once more, up to now, and stops.

    python replay_yesterday.py [URL] [TOPIC]
"""

import sys
from datetime import timedelta

from tidewire import Client, TopicNotFoundError

url = sys.argv[1] if len(sys.argv) > 1 else "tidewire://127.0.0.1:8433"
topic = sys.argv[2] if len(sys.argv) > 2 else "greetings"

with Client(url) as client:
    try:
        consumer = client.consumer(topic, start=timedelta(days=1))
    except TopicNotFoundError as error:
        sys.exit(str(error))
    with consumer:
        ends = {place.partition: place.end_offset for place in consumer.positions()}
        due = {part: end for part, end in ends.items() if end > 0}
        count = 0
        for place in consumer.positions():
            if place.next_offset >= place.end_offset:
                due.pop(place.partition, None)
        while due:
            batch = consumer.poll(timeout=10)
            if batch is None:
                break
            count += len(batch)
            if batch.next_offset >= due.get(batch.partition, 0):
                due.pop(batch.partition, None)
    print(f"{count} records since yesterday")
