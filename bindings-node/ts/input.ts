/** Records as an application gives them. */

/** Bytes: a string is written as UTF-8. */
export type Bytes = string | Uint8Array | ArrayBuffer

/** Headers in order: an object, a Map, or pairs of which names may repeat. */
export type HeadersInput = Readonly<Record<string, Bytes>> | Iterable<readonly [string, Bytes]>

/** A record to produce. */
export interface RecordObject {
  /** The value; `null` is a tombstone, which says that what the key named is gone. */
  value: Bytes | null
  /** The key; decides the partition unless one is named. No key is not an empty one. */
  key?: Bytes | null | undefined
  /** Headers; names are 1 to 65,535 bytes long. */
  headers?: HeadersInput | null | undefined
  /** The record's time; the time of enqueueing if not set. */
  timestamp?: Date | undefined
  /** The same, in microseconds since the Unix epoch. */
  timestampUs?: bigint | number | undefined
  /** The partition; if not set it is left to the key, or to the producer. */
  partition?: number | undefined
  /**
   * What the application knows the record by: 16 bytes, or a UUID. A topic with a
   * `dedupWindowMs` stores no second record of an id within that time, whoever sends it: the
   * receipt is then a `duplicate`, with the offset of the first. Ids are compared within a
   * partition: give equal ids the same key, or the same partition.
   */
  id?: Uint8Array | string | undefined
}

/** A record to produce, or just its value. */
export type RecordInput = RecordObject | string | Uint8Array
