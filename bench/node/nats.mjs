// The same asked of NATS JetStream, with its own client, on its own server.

/** Prints a table of it; nothing without a URL. */
export async function natsMeasurements(url, { median, shown, rounds }) {
  if (!url) return
  let nats
  try {
    nats = await import('nats')
  } catch {
    console.error('the package nats is not installed: npm install --no-save nats, in bench/node')
    return
  }
  const connection = await nats.connect({ servers: url })
  const manager = await connection.jetstreamManager()
  const stream = connection.jetstream()
  const value = Buffer.alloc(256, 'x')
  const results = { 'await publish, one at a time': [], 'publish, 100 in flight': [], 'consume 256 B': [] }
  for (let round = 0; round < rounds; round++) {
    const name = `bench${round}`
    await manager.streams.add({ name, subjects: [name], storage: nats.StorageType.File })
    const count = 50_000
    let begun = performance.now()
    for (let i = 0; i < 5000; i++) await stream.publish(name, value)
    results['await publish, one at a time'].push((5000 / (performance.now() - begun)) * 1000)
    begun = performance.now()
    const one = async () => {
      for (let i = 0; i < count / 100; i++) await stream.publish(name, value)
    }
    await Promise.all(Array.from({ length: 100 }, one))
    results['publish, 100 in flight'].push((count / (performance.now() - begun)) * 1000)
    const consumer = await stream.consumers.get(name)
    const messages = await consumer.consume({ max_messages: 10_000 })
    begun = performance.now()
    let seen = 0
    for await (const _ of messages) if (++seen === count) break
    results['consume 256 B'].push((count / (performance.now() - begun)) * 1000)
    await manager.streams.delete(name)
  }
  await connection.close()
  console.log('\nNATS JetStream, file storage, its own client:\n\n| | median | unit |\n|---|---|---|')
  for (const [name, list] of Object.entries(results)) console.log(`| ${name} | ${shown(median(list) / 1e3)} | k/s |`)
}
