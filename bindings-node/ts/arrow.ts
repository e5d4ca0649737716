/**
 * Batches as tables of Apache Arrow, for the package `apache-arrow`.
 *
 * Values, keys and their validity are the batch's own memory. Offsets and times are stored as
 * differences, in Arrow's shape they are 64-bit numbers: those two columns are computed.
 */

import {
  Binary,
  Int64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Field,
  Table,
  TimestampMicrosecond,
  Uint32,
  type Data,
} from 'apache-arrow'

import { Batch, type BinaryColumn } from './batch.js'
import { badType } from './invalid.js'

/** The columns of a table that {@link toArrow} makes. */
export type TableSchema = {
  partition: Uint32
  offset: Int64
  timestamp: TimestampMicrosecond
  key: Binary
  value: Binary
}

const zone = new TimestampMicrosecond('UTC')
const schema = new Schema<TableSchema>([
  new Field('partition', new Uint32(), false),
  new Field('offset', new Int64(), false),
  new Field('timestamp', zone, false),
  new Field('key', new Binary(), true),
  new Field('value', new Binary(), true),
])

/**
 * A batch, or several, as a table with the columns `partition`, `offset` (Int64), `timestamp`
 * (microseconds, UTC), `key` and `value` (Binary, nullable). Headers are not part of it.
 */
export function toArrow(batches: Batch | Iterable<Batch>): Table<TableSchema> {
  if (batches instanceof Batch) return new Table(schema, [recordBatch(batches)])
  if (typeof batches !== 'object' || batches === null || !(Symbol.iterator in batches)) {
    throw badType('batches', 'a Batch or an iterable of them', batches)
  }
  return new Table(schema, [...batches].map(recordBatch))
}

function recordBatch(batch: Batch): RecordBatch<TableSchema> {
  const columns = batch.columns()
  const { length, hidden } = columns
  const offsets = new BigInt64Array(length)
  const times = new BigInt64Array(length)
  const { baseOffset, offsetDeltas, baseTimeUs, timeDeltas } = columns
  for (let i = 0; i < length; i++) {
    offsets[i] = baseOffset + BigInt(offsetDeltas ? offsetDeltas[i] : i)
    times[i] = baseTimeUs + BigInt(timeDeltas ? timeDeltas[i] : 0)
  }
  const partitions = new Uint32Array(length).fill(batch.partition)
  const data = makeData({
    type: new Struct<TableSchema>(schema.fields),
    length,
    nullCount: 0,
    children: [
      makeData({ type: new Uint32(), length, nullCount: 0, data: partitions }),
      makeData({ type: new Int64(), length, nullCount: 0, data: offsets }),
      makeData({ type: zone, length, nullCount: 0, data: times }),
      columns.keys ? binary(columns.keys, length) : nulls(length),
      binary(columns.values, length),
    ] as Data[],
  })
  const all = new RecordBatch<TableSchema>(schema, data)
  return hidden === 0 ? all : all.slice(hidden)
}

function binary(column: BinaryColumn, length: number): Data<Binary> {
  const { ends, bytes, validity } = column
  return makeData({
    type: new Binary(),
    length,
    // Counted by Arrow when asked for.
    nullCount: validity ? -1 : 0,
    nullBitmap: validity ?? null,
    valueOffsets: ends,
    data: bytes,
  })
}

/** A column of nothing. */
function nulls(length: number): Data<Binary> {
  return makeData({
    type: new Binary(),
    length,
    nullCount: length,
    nullBitmap: new Uint8Array((length + 7) >> 3),
    valueOffsets: new Int32Array(length + 1),
    data: new Uint8Array(0),
  })
}
