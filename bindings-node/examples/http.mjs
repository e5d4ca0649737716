// A microservice: orders come by HTTP and are answered once they are on the disk.
//
//   node examples/http.mjs [tidewire://127.0.0.1:8433] [PORT]
//   curl -d '{"customer":"alice","item":"tea"}' http://127.0.0.1:8080/orders

import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'

import { Client } from 'tidewire'

const client = await Client.connect(process.argv[2])
await client.createTopic('orders', { partitions: 4 }).catch((error) => {
  if (error.code !== 'E_TOPIC_EXISTS') throw error
})
// An answer within seconds, whatever happens: then the caller decides.
const producer = await client.producer('orders', { deliveryTimeoutMs: 5000 })

const server = createServer(async (request, response) => {
  const answer = (status, body) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  }
  if (request.method !== 'POST' || request.url !== '/orders') return answer(404, { error: 'POST /orders' })
  let order
  try {
    order = await json(request)
  } catch {
    return answer(400, { error: 'the body is not JSON' })
  }
  if (typeof order?.customer !== 'string') return answer(400, { error: 'customer is missing' })
  try {
    // What other requests send in the same turn of the event loop travels with it.
    const { partition, offset } = await producer.send({ key: order.customer, value: JSON.stringify(order) })
    answer(201, { partition, offset: `${offset}` })
  } catch (error) {
    // Unknown: it may be there. Sending it again with the same id would be safe.
    answer(error.outcomeUnknown ? 504 : 503, { error: error.message, code: error.code })
  }
})
server.listen(Number(process.argv[3] ?? 8080), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}/orders`)
})

// Graceful: no new requests, those under way are answered, then everything is sent and closed.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close(async () => {
      await client.close({ timeoutMs: 5000 })
      console.log('everything is sent')
    })
    server.closeIdleConnections()
  })
}
