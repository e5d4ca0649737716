// The same asked of NATS JetStream and Kafka, with a client of theirs, on a server of theirs.

const value = Buffer.alloc(256, 'x')
const COUNT = 50_000
let names = 0

/** Runs `count` calls, so many at once, and returns how many a second. */
async function rate(count, atOnce, call) {
  const one = async () => {
    for (let i = 0; i < count / atOnce; i++) await call()
  }
  const begun = performance.now()
  await Promise.all(Array.from({ length: atOnce }, one))
  return (count / (performance.now() - begun)) * 1000
}

async function imported(name) {
  try {
    return await import(name)
  } catch {
    console.error(`not measured: the package ${name} is not installed: npm install, in bench/node`)
    return undefined
  }
}

/** NATS JetStream, in files. An acknowledgement says that the record was written, not synced. */
async function nats(url) {
  const library = await imported('nats')
  if (!library) return undefined
  const connection = await library.connect({ servers: url })
  const manager = await connection.jetstreamManager()
  const stream = connection.jetstream()
  const fresh = async () => {
    const name = `bench${++names}`
    await manager.streams.add({ name, subjects: [name], storage: library.StorageType.File })
    return name
  }
  const publish = (count, atOnce) => async () => {
    const name = await fresh()
    const found = await rate(count, atOnce, () => stream.publish(name, value))
    await manager.streams.delete(name)
    return found
  }
  const read = await fresh()
  await rate(COUNT, 100, () => stream.publish(read, value))
  const consume = async () => {
    const consumer = await stream.consumers.get(read)
    const begun = performance.now()
    const messages = await consumer.consume({ max_messages: 10_000 })
    let seen = 0
    for await (const message of messages) if (message.data.length && ++seen === COUNT) break
    return (COUNT / (performance.now() - begun)) * 1000
  }
  return {
    measurements: [
      ['nats: `await publish`, one at a time', publish(5000, 1)],
      ['nats: `publish`, 100 in flight', publish(COUNT, 100)],
      ['nats: ordered consumer, 256 B', consume],
    ],
    close: () => connection.close(),
  }
}

/** kafkajs on Kafka, one partition, acks 1: in the broker's page cache. */
async function kafka(address) {
  const library = (await imported('kafkajs'))?.default
  if (!library) return undefined
  process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1'
  const client = new library.Kafka({ brokers: [address], logLevel: library.logLevel.NOTHING })
  const admin = client.admin()
  await admin.connect()
  const topic = 'bench'
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true })
  const producer = client.producer()
  await producer.connect()
  const thousand = Array.from({ length: 1000 }, () => ({ value }))
  const send = (messages) => producer.send({ topic, messages, acks: 1 })
  await rate(COUNT / 1000, 1, () => send(thousand))
  const consume = async () => {
    const consumer = client.consumer({ groupId: `bench${++names}` })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    let seen = 0
    const begun = performance.now()
    await new Promise((resolve, reject) => {
      consumer
        .run({
          eachBatch: async ({ batch }) => {
            for (const message of batch.messages) if (message.value.length && ++seen === COUNT) resolve()
          },
        })
        .catch(reject)
    })
    const found = (COUNT / (performance.now() - begun)) * 1000
    await consumer.disconnect()
    return found
  }
  return {
    measurements: [
      ['kafkajs: `await send`, one at a time', () => rate(2000, 1, () => send([{ value }]))],
      ['kafkajs: `send`, 100 in flight', () => rate(COUNT / 5, 100, () => send([{ value }]))],
      ['kafkajs: `send` of 1,000 a call, 4 in flight', async () => 1000 * (await rate(200, 4, () => send(thousand)))],
      ['kafkajs: `eachBatch`, 256 B, joining the group included', consume],
    ],
    close: async () => {
      await producer.disconnect()
      await admin.disconnect()
    },
  }
}

/** What of them is there: as NATS and KAFKA say. */
export async function peers() {
  const found = []
  if (process.env['NATS']) found.push(await nats(process.env['NATS']))
  if (process.env['KAFKA']) found.push(await kafka(process.env['KAFKA']))
  const there = found.filter(Boolean)
  return {
    measurements: there.flatMap((one) => one.measurements),
    close: () => Promise.all(there.map((one) => one.close())),
  }
}
