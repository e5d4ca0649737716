// What the compiler is to allow, to know, and to refuse. Nothing of it is run.

import {
  Batch,
  Client,
  Consumer,
  Producer,
  Receipt,
  Record,
  TidewireError,
  type ErrorCode,
  type LimitInfo,
  type ProducerOptions,
  type RecordInput,
  type Start,
  type TopicInfo,
} from 'tidewire'
import { toArrow } from 'tidewire/arrow'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function is<A, B>(..._same: Equal<A, B> extends true ? [] : [never]): void {}

export async function usage(): Promise<void> {
  await using client = await Client.connect('tidewire://127.0.0.1:8433', { heartbeatMs: 1000 })
  await Client.connect()
  await Client.connect({ clientName: 'c' })
  const topic = await client.createTopic('shop/orders', { partitions: 4, retentionMs: 5n })
  is<typeof topic, TopicInfo>()
  is<typeof topic.retentionMs, bigint>()
  const limits = await client.describeLimits({ signal: AbortSignal.timeout(5) })
  is<typeof limits, LimitInfo[]>()
  is<LimitInfo['used'], bigint>()

  const producer = await client.producer('shop/orders', { acks: 'written', name: 'n', lingerMs: undefined })
  is<typeof producer, Producer>()
  const receipt = await producer.send({ key: 'k', value: 'hello', headers: { trace: '1' } })
  is<typeof receipt, Receipt>()
  is<typeof receipt.offset, bigint>()
  is<typeof receipt.acks, 'none' | 'written' | 'synced'>()
  producer.enqueue({ value: null, key: new Uint8Array(2) })
  producer.enqueue('text')
  producer.enqueue(Buffer.from('bytes'))
  producer.enqueue({ value: 'v', headers: new Map([['a', 'b']]), timestamp: new Date(), id: Buffer.alloc(16) })
  const receipts = await producer.sendBatch(new Set<RecordInput>(['a']), { signal: AbortSignal.timeout(5) })
  is<typeof receipts, Receipt[]>()
  // @ts-expect-error a value is never undefined
  producer.enqueue({ key: 'k' })
  // @ts-expect-error numbers are no bytes
  producer.enqueue({ value: 7 })
  // @ts-expect-error
  await client.producer('t', { acks: 'all' })
  // @ts-expect-error it is lingerMs
  await client.producer('t', { linger_ms: 5 })
  // @ts-expect-error
  await client.createTopic('t', { partitions: '4' })

  const consumer = await client.consumer(['a', 'b'], { group: 'billing', start: 'earliest', autoCommit: 'after' })
  is<typeof consumer, Consumer>()
  for await (const record of consumer) {
    is<typeof record, Record>()
    is<typeof record.value, Buffer | null>()
    is<typeof record.offset, bigint>()
    const value = record.json<{ a: number }>()
    is<typeof value, { a: number } | null>()
  }
  for await (const batch of consumer.batches({ signal: new AbortController().signal })) {
    is<typeof batch, Batch>()
    for (const record of batch) is<typeof record, Record>()
    await consumer.commit(batch)
    const column = toArrow(batch).getChild('offset')
    is<NonNullable<typeof column>['length'], number>()
  }
  consumer.seek(0, 5n)
  // @ts-expect-error offsets are bigints
  consumer.seek(0, 5)
  const starts: Start[] = ['earliest', 'latest', 3n, new Date(), 'last:5', `time:${7n}`]
  // @ts-expect-error
  starts.push('first')
  await client.resetOffsets('billing', 't', starts[0] as Start, { force: true })

  client.on('disconnected', ({ address, error }) => {
    is<typeof address, string>()
    is<typeof error, TidewireError>()
  })
  // @ts-expect-error there is no such event
  client.on('nonsense', () => {})

  try {
    await producer.flush()
  } catch (error) {
    if (error instanceof TidewireError) {
      is<typeof error.code, ErrorCode | `E_${number}`>()
      is<typeof error.retriable, boolean>()
      if (error.code === 'E_TOPIC_NOT_FOUND') return
      // @ts-expect-error there is no such code
      if (error.code === 'E_NONSENSE') return
    }
  }
  const options: ProducerOptions = { codec: 'zstd', queueFull: 'drop' }
  await client.producer('t', options)
}
