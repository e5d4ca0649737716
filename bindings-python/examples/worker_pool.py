"""Workers of a group, on one event loop: each record is worked on once, whoever comes and goes.

    python worker_pool.py [URL]
"""

import asyncio
import sys

from tidewire import AsyncClient, TopicExistsError

url = sys.argv[1] if len(sys.argv) > 1 else "tidewire://127.0.0.1:8433"
JOBS = 200


async def worker(number: int, client: AsyncClient, left: asyncio.Semaphore) -> None:
    async with await client.consumer("jobs", group="workers", start="earliest") as consumer:
        async for batch in consumer.batches():
            for _ in batch:
                await asyncio.sleep(0)  # The work.
                left.release()
            # Done: whoever reads this partition next goes on behind it.
            await consumer.commit(batch)
            print(f"worker {number}: {len(batch)} of partition {batch.partition}")


async def main() -> None:
    async with AsyncClient(url) as client:
        try:
            await client.create_topic("jobs", partitions=4)
        except TopicExistsError:
            pass
        async with await client.producer("jobs") as producer:
            await producer.send_batch([f"job {i}" for i in range(JOBS)], keys=map(str, range(JOBS)))

        done = asyncio.Semaphore(0)
        workers = [asyncio.create_task(worker(n, client, done)) for n in range(3)]
        for _ in range(JOBS):
            await done.acquire()
        print(f"{JOBS} jobs done")
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


asyncio.run(main())
