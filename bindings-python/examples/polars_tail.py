"""Counts, filters and plots a topic with polars, and follows what is still to come.

    python polars_tail.py [URL] [BATCHES]
"""

import sys
from pathlib import Path

import polars as pl

from tidewire import Client, TopicExistsError

url = sys.argv[1] if len(sys.argv) > 1 else "tidewire://127.0.0.1:8433"
batches = int(sys.argv[2]) if len(sys.argv) > 2 else 1
quakes = Path(__file__).resolve().parents[2] / "examples/data/earthquakes.ndjson"

with Client(url) as client:
    try:
        client.create_topic("quakes")
        lines = quakes.read_text().splitlines()
        with client.producer("quakes") as producer:
            producer.send_arrow(pl.DataFrame({"value": lines}))
    except TopicExistsError:
        pass

    with client.consumer("quakes", start="earliest") as consumer:
        frame = pl.DataFrame(consumer)  # All there is, keys and values as they came.
    print(f"{frame.height} earthquakes")

    text = frame["value"].cast(pl.String)
    magnitude = text.str.json_path_match("$.mag").cast(pl.Float64, strict=False)
    strong = magnitude.filter(magnitude >= 4.5)
    print(f"{strong.len()} of magnitude 4.5 or more")
    for low, count in magnitude.drop_nulls().floor().value_counts(name="n").sort(pl.nth(0)).iter_rows():
        print(f"  {low:3.0f}  {'#' * max(1, count // 10)} {count}")

    with client.consumer("quakes", start="last:5") as consumer:
        for _, batch in zip(range(batches), consumer.batches(), strict=False):
            print(pl.DataFrame(batch).select("offset", "timestamp", pl.col("value").bin.size()))
