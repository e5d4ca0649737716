// A pool of worker threads that divide a topic between them: each is a member of the group.
//
//   node examples/pool.mjs [tidewire://127.0.0.1:8433] [THREADS]

import { once } from 'node:events'
import { isMainThread, parentPort, threadId, Worker, workerData } from 'node:worker_threads'

import { Client } from 'tidewire'

if (isMainThread) {
  const url = process.argv[2] ?? 'tidewire://127.0.0.1:8433'
  const threads = Number(process.argv[3] ?? 2)
  const workers = Array.from({ length: threads }, () => new Worker(new URL(import.meta.url), { workerData: url }))
  for (const worker of workers) worker.on('message', (text) => console.log(text))
  const stop = () => workers.forEach((worker) => worker.postMessage('stop'))
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  await Promise.all(workers.map((worker) => once(worker, 'exit')))
} else {
  const client = await Client.connect(workerData)
  client.on('partitionsAssigned', ({ partitions }) => {
    parentPort.postMessage(`thread ${threadId} reads ${partitions.map((p) => p.partition).join(', ')}`)
  })
  const consumer = await client.consumer('orders', { group: 'pool', start: 'earliest', autoCommit: 'after' })
  parentPort.once('message', () => consumer.close())
  let done = 0
  for await (const batch of consumer.batches()) {
    for (const record of batch) done += work(record)
  }
  parentPort.postMessage(`thread ${threadId} did ${done} orders`)
  await client.close()
}

/** Something that takes a processor. */
function work(record) {
  let sum = 0
  for (const byte of record.value) sum = (sum * 31 + byte) >>> 0
  return sum >= 0 ? 1 : 0
}
