/** The client: one connection at a time, and everything that is made from it. */

import type { EventEmitter } from 'node:events'

import { Admin, checkPartitions, checkSecret } from './admin.js'
import { optionPairs } from './check.js'
import { Consumer, type ConsumerOptions } from './consumer.js'
import { caller, errorOf, failureOf } from './errors.js'
import { eventOf, type ClientEvents } from './events.js'
import { hub } from './hub.js'
import type { ServerInfo } from './info.js'
import { badType, badValue, checkOffset, checkOptions, checkSignal, checkString, checkU32 } from './invalid.js'
import {
  native,
  type NativeClient,
  type NativeConsumer,
  type NativeEvent,
  type NativeProducer,
  type NativeWatch,
} from './native.js'
import type { ClientOptionTable } from './options.js'
import { Producer, type ProducerOptions, type SignalOptions } from './producer.js'

/** Options of a client. What is not set comes from the URL, then from the environment. */
export interface ClientOptions extends ClientOptionTable, SignalOptions {
  /** The password or token that logs in; that of `secretFile` or of the URL if not set. */
  secret?: string | undefined
}

/** How a client closes. */
export interface CloseOptions {
  /** Milliseconds that producers have to send what they hold; `deliveryTimeoutMs` if not set. */
  timeoutMs?: number | undefined
}

/**
 * A connection to a Tidewire server.
 *
 * When the connection is lost, the client makes another to one of its servers, for as long as it
 * takes, and what was made from it goes on: producers send again what was not acknowledged,
 * consumers go on at the record that is due, and requests wait, each within its own time. Its
 * events tell what happens meanwhile.
 *
 * An open client does not keep the process alive; what is pending does.
 */
export class Client extends Admin {
  readonly #native: NativeClient
  readonly #producers = new Set<Producer>()
  readonly #consumers = new Set<Consumer>()
  #watch: NativeWatch | undefined
  #watchNumber = 0
  #closing: Promise<void> | undefined

  private constructor(native: NativeClient) {
    super()
    this.#native = native
    ;(this as EventEmitter).on('newListener', () => this.#begin())
  }

  /**
   * Connects to the first server of the URL that can be reached:
   * `tidewire://host:8433,host2:8433/?option=value`, `tidewire://127.0.0.1:8433` if not set.
   * A user and its secret stand in the options or the URL, `tidewire://user:secret@host`.
   * @throws ConnectionError `E_CONNECT_FAILED`, with each address and why; AuthError; InvalidError
   * `E_INVALID_URL`, `E_INVALID_OPTION`; TypeError, RangeError
   */
  static async connect(url?: string | ClientOptions, options?: ClientOptions): Promise<Client> {
    if (typeof url === 'object' && url !== null && options === undefined && !(url instanceof URL)) {
      options = url
      url = undefined
    }
    if ((url as unknown) instanceof URL) url = String(url)
    if (url !== undefined && typeof url !== 'string') throw badType('url', 'a string', url)
    const pairs = optionPairs('client', options, ['signal', 'secret'])
    const { signal: given, secret } = checkOptions('options', options)
    const signal = checkSignal(given)
    const shown = checkSecret('options.secret', secret)
    if (shown !== null) pairs.push('secret', shown)
    const shared = hub()
    const address = url ?? null
    const made = await shared.call<NativeClient>(
      (number) => native.connect(shared.native, number, address, pairs),
      signal,
      caller(Client.connect),
    )
    return new Client(made)
  }

  /** @internal */
  protected override _native(): NativeClient {
    if (this.#closing) throw errorOf(failureOf('CLOSED', 'the client is closed'))
    return this.#native
  }

  /** What the server said of itself; without a connection, what the last one said. */
  get server(): ServerInfo {
    return this.#native.server() as ServerInfo
  }

  /** Asks the server for a sign of life; the time that it took, in milliseconds. */
  async ping(options?: SignalOptions): Promise<number> {
    return this._call(this.ping, options, (client, n) => client.ping(n))
  }

  /**
   * Opens a producer for a topic, `stream/topic`.
   * @throws NotFoundError `E_TOPIC_NOT_FOUND`, `E_STREAM_NOT_FOUND`; AppendError
   * `E_TOO_MANY_PRODUCERS`; InvalidError; TypeError, RangeError
   */
  async producer(topic: string, options?: ProducerOptions & SignalOptions): Promise<Producer> {
    checkString('topic', topic)
    const pairs = optionPairs('producer', options, ['signal', 'name'])
    const { name, queueFull } = checkOptions('options', options)
    if (name !== undefined) pairs.push('name', checkString('options.name', name))
    const shared = hub()
    const id = shared.number()
    // Taken at once, so that nothing else gets it.
    shared.settle(id, () => {})
    try {
      const made = await this._call<NativeProducer>(this.producer, options, (client, n) =>
        client.producer(shared.native, n, id, topic, pairs),
      )
      const full = queueFull ?? 'block'
      const producer: Producer = new Producer(made, id, topic, full === 'block', () =>
        this.#producers.delete(producer),
      )
      this.#producers.add(producer)
      return producer
    } catch (error) {
      shared.forget(id)
      throw error
    }
  }

  /**
   * Subscribes to a topic, `stream/topic`; as a member of a group also to several.
   * @throws NotFoundError `E_TOPIC_NOT_FOUND`, `E_PARTITION_NOT_FOUND`; ConsumeError
   * `E_OFFSET_OUT_OF_RANGE`, with the offsets that there are; BusyError `E_TOO_MANY_CHANNELS`;
   * InvalidError; TypeError, RangeError
   */
  async consumer(
    topic: string | readonly string[],
    options?: ConsumerOptions & SignalOptions,
  ): Promise<Consumer> {
    const topics = Array.isArray(topic) ? [...(topic as string[])] : [topic as string]
    for (const one of topics) checkString('topic', one)
    const given = checkOptions('options', options)
    const { group, name, partitions, startAt, autoCommit } = given
    const own = ['signal', 'group', 'name', 'partitions', 'startAt', 'autoCommit']
    const pairs = optionPairs('consumer', options, own)
    if (group !== undefined) checkString('options.group', group)
    if (name !== undefined) checkString('options.name', name)
    if (group !== undefined && name !== undefined) {
      throw badValue('a consumer has either options.group or options.name')
    }
    if (topics.length === 0) throw badValue('topic must be one topic, or at least one of a list')
    if (group === undefined) {
      if (topics.length > 1) {
        throw badValue('several topics are read by a member of a group: set options.group')
      }
      const member = ['memberName', 'sessionTimeoutMs', 'rebalanceTimeoutMs']
      const wrong = member.find((one) => given[one] !== undefined)
      if (wrong) {
        throw badValue(`options.${wrong} is for members of a group: set options.group`, 'E_INVALID_OPTION')
      }
      const stores = ['autoCommitIntervalMs', 'autoCommit'].find((one) => given[one] !== undefined)
      if (stores && name === undefined) {
        throw badValue(`options.${stores} needs a group or a name: set options.group`, 'E_INVALID_OPTION')
      }
    } else {
      for (const one of ['partitions', 'startAt']) {
        if (given[one] !== undefined) {
          throw badValue(
            `options.${one} is not for members of a group, which decides who reads what`,
            'E_INVALID_OPTION',
          )
        }
      }
    }
    if (autoCommit !== undefined) {
      if (!['off', 'interval', 'after', 'before'].includes(autoCommit as string)) {
        throw badType("options.autoCommit", "'off', 'interval', 'after' or 'before'", autoCommit, 'E_INVALID_OPTION')
      }
      pairs.push('auto_commit', autoCommit as string)
    }
    const which = checkPartitions(partitions)
    const begin = places(startAt)
    const shared = hub()
    const id = shared.number()
    shared.listen(id, () => {})
    try {
      const made = await this._call<NativeConsumer>(this.consumer, options, (client, n) =>
        client.consumer(
          n,
          id,
          topics,
          (group as string | undefined) ?? null,
          (name as string | undefined) ?? null,
          which,
          begin,
          pairs,
        ),
      )
      const consumer: Consumer = new Consumer(made, id, topics, group as string | undefined, () =>
        this.#consumers.delete(consumer),
      )
      this.#consumers.add(consumer)
      return consumer
    } catch (error) {
      shared.forget(id)
      throw error
    }
  }

  /** Watches the core's events from the first listener on. */
  #begin(): void {
    if (this.#watch || this.#closing) return
    const shared = hub()
    this.#watchNumber = shared.number()
    shared.listen(this.#watchNumber, () => {
      for (const event of this.#watch?.take() ?? []) this.#tell(event)
    })
    this.#watch = this.#native.watch(this.#watchNumber) ?? undefined
  }

  #tell(event: NativeEvent): void {
    if (event.kind === 'end' || event.kind === 'other') return
    const emit = () => this.emit(event.kind as keyof ClientEvents, ...([eventOf(event)] as never))
    // Not from within the hub: what a listener throws concerns nobody else.
    queueMicrotask(emit)
  }

  /**
   * Closes it and all that was made from it, gracefully: consumers leave their groups, producers
   * send what they hold and wait for the outcomes, then the connection is closed.
   * @throws the first failure of a producer that nobody was told of
   */
  close(options?: CloseOptions): Promise<void> {
    const { timeoutMs } = checkOptions('options', options)
    if (timeoutMs !== undefined) checkU32('options.timeoutMs', timeoutMs)
    this.#closing ??= this.#close(options ?? {}, caller(this.close))
    return this.#closing
  }

  async #close(options: CloseOptions, at: { stack: string }): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer.close()))
    const closing = [...this.#producers].map((producer) => producer.close(options))
    const closed = await Promise.allSettled(closing)
    await hub().call<void>((number) => this.#native.close(number), undefined, at)
    this.#watch?.end()
    if (this.#watchNumber) hub().forget(this.#watchNumber)
    this.emit('closed')
    for (const one of closed) if (one.status === 'rejected') throw one.reason
  }

  /** Closes it: see {@link close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

function places(given: unknown): [number, bigint][] {
  if (given === undefined) return []
  if (typeof given !== 'object' || given === null) {
    throw badType('options.startAt', 'a Map or an object of offsets by partition', given)
  }
  const pairs = given instanceof Map ? [...given] : Object.entries(given).map(([k, v]) => [Number(k), v])
  return pairs.map(([partition, offset]) => [
    checkU32('a partition of options.startAt', partition),
    checkOffset(`options.startAt of partition ${partition}`, offset),
  ])
}
