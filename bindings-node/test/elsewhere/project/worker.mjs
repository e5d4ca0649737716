import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

import { rounds } from './rounds.mjs'

if (isMainThread) {
  const [url, topic] = process.argv.slice(2)
  const worker = new Worker(new URL(import.meta.url), { workerData: { url, topic } })
  worker.on('message', (count) => console.log(`read ${count}`))
  worker.on('error', (error) => {
    throw error
  })
} else {
  parentPort.postMessage(await rounds(workerData.url, workerData.topic))
}
