// Six threads: four send a thousand records each, two are terminated in the middle.
import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

import { Client } from '../../dist/index.mjs'

if (isMainThread) {
  const [url, topic] = process.argv.slice(2)
  const begin = (endless) => new Worker(new URL(import.meta.url), { workerData: { url, topic, endless } })
  const workers = [1, 2, 3, 4].map(() => begin(false))
  const endless = [1, 2].map(() => begin(true))
  const exits = workers.map((worker) => once(worker, 'exit'))
  await Promise.all(endless.map((worker) => once(worker, 'message')))
  await Promise.all(endless.map((worker) => worker.terminate()))
  const codes = (await Promise.all(exits)).map(([code]) => code)
  if (codes.some((code) => code !== 0)) throw new Error(`workers ended with ${codes}`)
  console.log('4 workers sent 4000 records, 2 were terminated')
} else {
  const { url, topic, endless } = workerData
  const client = await Client.connect(url)
  const producer = await client.producer(topic, { acks: 'written' })
  const consumer = await client.consumer(topic, { start: 'earliest' })
  if (endless) {
    void (async () => {
      for await (const record of consumer) if (record.offset < 0n) throw new Error('before the first')
    })()
    const more = () => {
      for (let i = 0; i < 20; i++) producer.send('endless').catch(() => {})
      setImmediate(more)
    }
    await producer.send('endless')
    more()
    parentPort.postMessage('going')
  } else {
    await Promise.all(Array.from({ length: 1000 }, (_, i) => producer.send(`v${i}`)))
  }
}
