/** What happens to a client, as its `on` tells it. */

import type { TopicPartition } from './consumer.js'
import { errorOf, type TidewireError } from './errors.js'
import type { NativeEvent } from './native.js'

/** Events and their arguments. None calls for action: the client goes on by itself. */
export interface ClientEvents {
  /** A connection was made. The first one is not told: whoever listens has it already. */
  connected: [{ address: string }]
  /** The connection has ended. What was under way is sent again on the next one. */
  disconnected: [{ address: string; error: TidewireError }]
  /** A server is about to be tried; `attempt` counts since the connection was lost, from 1. */
  reconnecting: [{ address: string; attempt: number }]
  /** There will be no further attempt: no server can be used. */
  gaveUp: [{ error: TidewireError }]
  /**
   * The server refused a batch for now, and it is sent again after a pause; or, where `topic` is
   * empty, the client's user is over one of the server's rates (`RATE_LIMITED`), and what the
   * client asks for is carried out later.
   */
  throttled: [{ topic: string; partition: number; error: TidewireError }]
  /** A member of a group got partitions to read. */
  partitionsAssigned: [{ group: string; partitions: TopicPartition[] }]
  /** A member of a group gives up partitions: what was done of them is stored first. */
  partitionsRevoked: [{ group: string; partitions: TopicPartition[] }]
  /** A member has lost partitions: deleted, or read by others from the offset stored last. */
  partitionsLost: [{ group: string; partitions: TopicPartition[] }]
  /**
   * Records were deleted before a consumer read them: it goes on at `toOffset`, where `fromOffset`
   * was due, as its `onOutOfRange` says.
   */
  recordsSkipped: [{ topic: string; partition: number; fromOffset: bigint; toOffset: bigint }]
  /** This many events were lost here, because the listeners were too slow. */
  missed: [{ count: number }]
  /** The client was closed. */
  closed: []
}

/** What `on` gives for a native event. */
export function eventOf(event: NativeEvent): object {
  const { kind, missed, error, ...rest } = event
  if (kind === 'missed') return { count: missed }
  return error ? { ...rest, error: errorOf(error) } : rest
}
