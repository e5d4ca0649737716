/** Node's streams over consumers and producers. */

import { Readable, Writable } from 'node:stream'

import type { Consumer } from './consumer.js'
import { errorOf } from './errors.js'
import type { RecordInput } from './input.js'
import type { Failure } from './native.js'
import type { Producer } from './producer.js'
import type { Record } from './record.js'

/** Options of `consumer.readable()`. */
export interface ConsumerReadableOptions {
  /** Records that wait to be read before no more are taken from the batch. Default 64. */
  highWaterMark?: number | undefined
  /** Ends the stream with the signal's reason. */
  signal?: AbortSignal | undefined
}

/** Options of `producer.writable()`. */
export interface ProducerWritableOptions {
  /** Records that wait for room in the producer's queue before `write` says stop. Default 64. */
  highWaterMark?: number | undefined
  /** Destroys the stream with the signal's reason. */
  signal?: AbortSignal | undefined
  /** Closes the producer when the stream is finished. Default false. */
  closeProducer?: boolean | undefined
}

export function consumerReadable(
  consumer: Consumer,
  options: ConsumerReadableOptions = {},
): Readable {
  const { highWaterMark = 64, signal } = options
  const end = new AbortController()
  let rest: Iterator<Record> | undefined
  let reading = false

  /** Gives what is there of the batch; false when the reader has enough. */
  const give = (stream: Readable): boolean => {
    if (!rest) return true
    for (;;) {
      const next = rest.next()
      if (next.done) {
        rest = undefined
        return true
      }
      if (!stream.push(next.value)) return false
    }
  }
  return new Readable({
    objectMode: true,
    highWaterMark,
    ...(signal ? { signal } : {}),
    read() {
      if (reading || !give(this)) return
      reading = true
      consumer.nextBatch({ signal: end.signal }).then(
        (batch) => {
          reading = false
          if (batch === null) {
            this.push(null)
            return
          }
          rest = batch[Symbol.iterator]()
          // Asks to be read again when the reader has room and the batch is given.
          if (give(this)) this._read(highWaterMark)
        },
        (error: Error) => {
          reading = false
          if (!end.signal.aborted) this.destroy(error)
        },
      )
    },
    destroy(error, callback) {
      end.abort()
      rest = undefined
      callback(error)
    },
  })
}

export function producerWritable(
  producer: Producer,
  watchers: Set<(failure: Failure) => void>,
  options: ProducerWritableOptions = {},
): Writable {
  const { highWaterMark = 64, signal, closeProducer = false } = options
  const end = new AbortController()

  const enqueue = async (record: RecordInput): Promise<void> => {
    for (;;) {
      try {
        producer.enqueue(record)
        return
      } catch (error) {
        if ((error as { code?: string }).code !== 'E_QUEUE_FULL') throw error
      }
      await producer.ready({ signal: end.signal })
    }
  }
  const write = (record: RecordInput, done: (error?: Error) => void): void => {
    try {
      producer.enqueue(record)
    } catch (error) {
      if ((error as { code?: string }).code === 'E_QUEUE_FULL') enqueue(record).then(() => done(), done)
      else done(error as Error)
      return
    }
    done()
  }
  const stream = new Writable({
    objectMode: true,
    highWaterMark,
    ...(signal ? { signal } : {}),
    write(record: RecordInput, _encoding, done) {
      write(record, done)
    },
    final(done) {
      const finished = closeProducer ? producer.close() : producer.flush({ signal: end.signal })
      finished.then(() => done(), done)
    },
    destroy(error, callback) {
      end.abort()
      watchers.delete(failed)
      callback(error)
    },
  })
  // Errors of records that nobody else asks about.
  const failed = (failure: Failure) => stream.destroy(errorOf(failure))
  watchers.add(failed)
  return stream
}
