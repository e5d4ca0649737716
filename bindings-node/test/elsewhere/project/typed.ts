// Checked by `tsc --strict` as every kind of module; nothing of it is run.
import { Client, TidewireError, type Receipt, type RecordInput } from 'tidewire'

export async function send(values: RecordInput[], signal: AbortSignal): Promise<Receipt[]> {
  const client = await Client.connect({ clientName: 'typed' })
  try {
    const producer = await client.producer('orders', { acks: 'written' })
    return await producer.sendBatch(values, { signal })
  } catch (error) {
    if (error instanceof TidewireError && error.code === 'E_TOPIC_NOT_FOUND') return []
    throw error
  } finally {
    await client.close()
  }
}

export async function read(client: Client): Promise<bigint> {
  const consumer = await client.consumer('orders', { group: 'g', start: 'earliest' })
  for await (const batch of consumer.batches()) {
    for (const record of batch) return record.offset
  }
  // @ts-expect-error an offset is a bigint
  const lag: number = consumer.lag()
  return BigInt(lag)
}
