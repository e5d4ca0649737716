/**
 * Tidewire, the persistent message-streaming server, from Node.js.
 *
 * @example
 * ```js
 * import { Client } from 'tidewire'
 *
 * const client = await Client.connect('tidewire://127.0.0.1:8433')
 * const producer = await client.producer('orders')
 * const receipt = await producer.send({ key: 'k', value: 'hello' })
 * ```
 */

export { Batch, type BinaryColumn, type Columns } from './batch.js'
export { Client, type ClientOptions, type CloseOptions } from './client.js'
export { Code, Disposition, type CodeName, type ErrorCode, type ErrorKind } from './constants.js'
export {
  Consumer,
  type ConsumerOptions,
  type ConsumerStats,
  type Position,
  type TopicPartition,
  type WaitOptions,
} from './consumer.js'
export {
  AppendError,
  AuthError,
  BusyError,
  ClosedError,
  ConflictError,
  ConnectionError,
  ConsumeError,
  InvalidError,
  NotFoundError,
  ProtocolError,
  ServerError,
  StorageError,
  TidewireError,
  TimeoutError,
  type Unsent,
} from './errors.js'
export type { ClientEvents } from './events.js'
export type {
  CommittedOffset,
  FetchOptions,
  Fetched,
  GroupDescription,
  GroupInfo,
  GroupMember,
  GroupPartition,
  LimitInfo,
  NewToken,
  PartitionInfo,
  ProducerInfo,
  ServerInfo,
  StreamInfo,
  TokenInfo,
  TopicInfo,
  UserDescription,
  UserInfo,
} from './info.js'
export type { Bytes, HeadersInput, RecordInput, RecordObject } from './input.js'
export { Ticket } from './ledger.js'
export type { PartitionsOptions, TopicOptions, TopicUpdate, UserOptions } from './admin.js'
export { Producer, type ProducerOptions, type ProducerStats, type SignalOptions } from './producer.js'
export { Receipt } from './receipt.js'
export { Record } from './record.js'
export type { Start } from './start.js'
export type { ConsumerReadableOptions, ProducerWritableOptions } from './streams.js'
