/** What the server tells of itself, streams, topics, partitions, producers and groups. */

import type { Batch } from './batch.js'

/** What a server said of itself when the connection was made. */
export interface ServerInfo {
  name: string
  version: string
  /** The address at which it was reached, `host:port`. */
  address: string
  /** A number that stays with its data. */
  id: bigint
  limits: {
    /** Largest frame, in bytes. */
    maxFrameLen: number
    /** Largest batch, in bytes. */
    maxBatchLen: number
    /** Most records in a batch. */
    maxBatchRecords: number
    /** Most unanswered requests. */
    maxInFlight: number
    /** Most open producers and subscribed partitions on one connection. */
    maxChannels: number
  }
}

/** A namespace of topics. */
export interface StreamInfo {
  name: string
  id: bigint
  /** When it was created, in microseconds since the Unix epoch. */
  createdUs: bigint
  /** How many topics it has. */
  topics: number
}

/** A topic and its options. */
export interface TopicInfo {
  stream: string
  name: string
  id: bigint
  /** When it was created, in microseconds since the Unix epoch. */
  createdUs: bigint
  partitions: number
  /** Size at which a partition's log begins a new file, in bytes. */
  segmentBytes: bigint
  /** Compression by producers that do not choose for themselves. */
  codec: string
  /** Age at which records may be deleted, in milliseconds; 0n keeps them for ever. */
  retentionMs: bigint
  /** Size above which a partition's oldest records may be deleted, in bytes; 0n is unlimited. */
  retentionBytes: bigint
  /** How long ids of records are remembered, in milliseconds; 0n is not at all. */
  dedupWindowMs: bigint
}

/** The state of a partition. */
export interface PartitionInfo {
  partition: number
  /** The server's shard that owns it. */
  shard: number
  /** Offset of its first record. */
  startOffset: bigint
  /** Offset after its last record. */
  endOffset: bigint
  /** Offset after the last record that is on the disk. */
  syncedOffset: bigint
  /** Bytes of its log. */
  sizeBytes: bigint
  segments: number
  /** The number of the error that it has stopped with; 0 if it works. */
  error: number
}

/** A producer with a name. */
export interface ProducerInfo {
  name: string
  id: bigint
  /** How often it was opened anew. */
  epoch: number
  /** When it was opened last, in microseconds since the Unix epoch. */
  openedUs: bigint
}

/** What was read once. */
export interface Fetched {
  /** Batches in order; the first begins at the offset asked for, or after it. */
  batches: Batch[]
  /** Offset of the partition's first record. */
  startOffset: bigint
  /** Offset after the last record that could be read. */
  endOffset: bigint
  /** The offset to fetch next. */
  nextOffset: bigint
}

/** How much to read, and how long to wait for it. */
export interface FetchOptions {
  /** Most bytes to return. The first batch is returned whatever its size. Default 1 MiB. */
  maxBytes?: number | undefined
  /** Wait until there are this many bytes. Default 0. */
  minBytes?: number | undefined
  /** Longest wait for `minBytes`, in milliseconds, up to 60,000; then whatever there is. Default 0. */
  maxWaitMs?: number | undefined
  /** Ends the waiting. */
  signal?: AbortSignal | undefined
}

/** A group. */
export interface GroupInfo {
  name: string
  /** When it was created, in microseconds since the Unix epoch. */
  createdUs: bigint
  /** `stable` once every partition is where it belongs. */
  state: 'empty' | 'stable' | 'rebalancing' | (string & {})
  /** Rises by one whenever who reads what changes. */
  generation: number
  /** How many members it has. */
  members: number
  /** How many partitions its members read. */
  partitions: number
  /** How many offsets it has stored. */
  offsets: number
}

/** A member of a group. */
export interface GroupMember {
  id: bigint
  epoch: number
  /** Its `memberName`; empty if it has none. */
  name: string
  clientName: string
  address: string
  connected: boolean
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  /** How many partitions it reads. */
  partitions: number
  /** The topics that it wants, `stream/topic`. */
  topics: string[]
}

/** A partition in a group. */
export interface GroupPartition {
  /** The topic, `stream/topic`. */
  topic: string
  partition: number
  /** Who reads it; 0n if nobody does. */
  memberId: bigint
  /** That member is to let go of it. */
  revoking: boolean
  /** The offset stored for it, if there is one. */
  offset?: bigint
  /** When it was stored, in microseconds since the Unix epoch. */
  commitUs?: bigint
}

/** A group, its members and what they do. */
export interface GroupDescription {
  info: GroupInfo
  members: GroupMember[]
  partitions: GroupPartition[]
}

/** An offset that is stored for a partition. */
export interface CommittedOffset {
  partition: number
  /** Offset of the next record to read. */
  offset: bigint
  /** When it was stored, in microseconds since the Unix epoch. */
  commitUs: bigint
  /** What the consumer keeps beside it. */
  note: string
}

/** A limit that the server enforces. */
export interface LimitInfo {
  /** Its name, in the server's configuration or in the protocol. */
  name: string
  /** How much is allowed; 0 is no limit. */
  value: bigint
  /** What is counted. */
  unit: string
  /** Whether the server's configuration sets it; otherwise the protocol does. */
  configured: boolean
  /**
   * How much is used now, by who asks where it is a user's, an address's or a shard's; 0 where that
   * is not counted, or not for this user to know.
   */
  used: bigint
}

/** A user. */
export interface UserInfo {
  name: string
  /** Its number, never reused. */
  id: bigint
  /** When it was created, in microseconds since the Unix epoch. */
  createdUs: bigint
  /** Whether it may log in. */
  enabled: boolean
  /** Whether it has a password. */
  password: boolean
  /** How many tokens it has. */
  tokens: number
}

/** A user and what it may do. */
export interface UserDescription {
  user: UserInfo
  /** Such as `'read,write topic shop/*'`. `root` may do everything, and has none. */
  grants: string[]
}

/** A token, without what logs in. */
export interface TokenInfo {
  /** Its number, never reused. */
  id: bigint
  name: string
  /** Whom it stands for. */
  user: string
  /** When it was created, in microseconds since the Unix epoch. */
  createdUs: bigint
  /** When it ends, in microseconds since the Unix epoch; not there if it does not. */
  expiresUs?: bigint
}

/** A token that was just created. */
export interface NewToken {
  token: TokenInfo
  /**
   * What logs in. Nobody else knows it, and it is not kept anywhere. It does not show when the
   * object is printed or written as JSON.
   */
  readonly secret: string
}
