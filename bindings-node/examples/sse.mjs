// Orders as they come, to browsers, as Server-Sent Events. A browser that was away goes on where
// it stopped: the id of an event is the record's offset.
//
//   node examples/sse.mjs [tidewire://127.0.0.1:8433] [PORT]
//   curl -N http://127.0.0.1:8081/orders/0

import { createServer } from 'node:http'
import { once } from 'node:events'

import { Client } from 'tidewire'

const client = await Client.connect(process.argv[2])
const server = createServer(async (request, response) => {
  const partition = /^\/orders\/(\d+)$/.exec(request.url)?.[1]
  if (partition === undefined) return response.writeHead(404).end('GET /orders/PARTITION\n')
  const last = request.headers['last-event-id']
  const start = /^\d+$/.test(last ?? '') ? BigInt(last) + 1n : 'latest'
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  let consumer
  try {
    consumer = await client.consumer('orders', { partitions: [Number(partition)], start, signal: gone.signal })
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.flushHeaders()
    for await (const record of consumer.records({ signal: gone.signal })) {
      const event = { key: record.key?.toString(), order: record.text() }
      const more = response.write(`id: ${record.offset}\ndata: ${JSON.stringify(event)}\n\n`)
      // A slow browser holds only its own consumer back.
      if (!more) await once(response, 'drain', { signal: gone.signal })
    }
  } catch (error) {
    if (!gone.signal.aborted) response.headersSent ? response.end() : response.writeHead(503).end(`${error.message}\n`)
  } finally {
    await consumer?.close()
  }
})
server.listen(Number(process.argv[3] ?? 8081), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}/orders/0`)
})
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    server.close()
    server.closeAllConnections()
    await client.close()
  })
}
