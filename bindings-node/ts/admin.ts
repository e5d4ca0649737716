/**
 * Administration: streams, topics, partitions, named producers, groups and stored offsets; users,
 * tokens, grants and limits.
 */

import { EventEmitter } from 'node:events'

import { Batch } from './batch.js'
import { optionPairs } from './check.js'
import { caller } from './errors.js'
import type { ClientEvents } from './events.js'
import { hub } from './hub.js'
import type {
  CommittedOffset,
  Fetched,
  FetchOptions,
  GroupDescription,
  GroupInfo,
  LimitInfo,
  NewToken,
  PartitionInfo,
  ProducerInfo,
  StreamInfo,
  TokenInfo,
  TopicInfo,
  UserDescription,
  UserInfo,
} from './info.js'
import {
  badRange,
  badType,
  badValue,
  checkOffset,
  checkOptions,
  checkSignal,
  checkString,
  checkU32,
} from './invalid.js'
import type { NativeClient, NativeFetched } from './native.js'
import type { TopicOptionTable } from './options.js'
import type { SignalOptions } from './producer.js'
import { startText, type Start } from './start.js'

/** How a new topic is to be. */
export interface TopicOptions extends TopicOptionTable, SignalOptions {}

/** What is to be changed of a topic. */
export type TopicUpdate = Omit<TopicOptions, 'partitions'>

/** Which partitions of a topic; all of them if not set. */
export interface PartitionsOptions extends SignalOptions {
  partitions?: readonly number[] | undefined
}

/** Whose token or password; of the user that the client is if not set. */
export interface UserOptions extends SignalOptions {
  user?: string | undefined
}

/** What a client asks of a server besides producing and consuming. */
export abstract class Admin extends EventEmitter<ClientEvents> {
  /** @internal */
  protected abstract _native(): NativeClient

  /** @internal */
  protected _call<T>(
    from: (...args: never[]) => unknown,
    options: unknown,
    start: (native: NativeClient, number: number) => void,
  ): Promise<T> {
    const signal = checkSignal(checkOptions('options', options)['signal'])
    const native = this._native()
    return hub().call<T>((number) => start(native, number), signal, caller(from))
  }

  /**
   * Creates a stream, a namespace of topics.
   * @throws ConflictError `E_STREAM_EXISTS`; InvalidError `E_INVALID_NAME`
   */
  async createStream(name: string, options?: SignalOptions): Promise<StreamInfo> {
    checkString('name', name)
    return this._call(this.createStream, options, (native, n) => native.createStream(n, name))
  }

  /** @throws NotFoundError `E_STREAM_NOT_FOUND` */
  async describeStream(name: string, options?: SignalOptions): Promise<StreamInfo> {
    checkString('name', name)
    return this._call(this.describeStream, options, (native, n) => native.describeStream(n, name))
  }

  /** All streams, by name. */
  async listStreams(options?: SignalOptions): Promise<StreamInfo[]> {
    return this._call(this.listStreams, options, (native, n) => native.listStreams(n))
  }

  /**
   * Deletes a stream; with its topics and their records only if `withTopics`.
   * @throws NotFoundError `E_STREAM_NOT_FOUND`; ConflictError `E_STREAM_NOT_EMPTY`
   */
  async deleteStream(
    name: string,
    options?: SignalOptions & { withTopics?: boolean | undefined },
  ): Promise<void> {
    checkString('name', name)
    const withTopics = checkOptions('options', options)['withTopics'] ?? false
    if (typeof withTopics !== 'boolean') {
      throw badType('options.withTopics', 'true or false', withTopics)
    }
    return this._call(this.deleteStream, options, (native, n) =>
      native.deleteStream(n, name, withTopics),
    )
  }

  /** Deletes all records of all topics of a stream; offsets go on. */
  async purgeStream(name: string, options?: SignalOptions): Promise<void> {
    checkString('name', name)
    return this._call(this.purgeStream, options, (native, n) => native.purgeStream(n, name))
  }

  /**
   * Creates a topic, `stream/topic`; a bare `topic` is in the stream `default`.
   * @throws ConflictError `E_TOPIC_EXISTS`; NotFoundError `E_STREAM_NOT_FOUND`; InvalidError
   */
  async createTopic(topic: string, options?: TopicOptions): Promise<TopicInfo> {
    checkString('topic', topic)
    const pairs = optionPairs('topic', options, ['signal'])
    return this._call(this.createTopic, options, (native, n) => native.createTopic(n, topic, pairs))
  }

  /** Changes a topic's options; what is not set stays as it is. */
  async updateTopic(topic: string, options: TopicUpdate): Promise<TopicInfo> {
    checkString('topic', topic)
    const pairs = optionPairs('topic', options, ['signal'])
    return this._call(this.updateTopic, options, (native, n) => native.updateTopic(n, topic, pairs))
  }

  /** @throws NotFoundError `E_TOPIC_NOT_FOUND`, `E_STREAM_NOT_FOUND` */
  async describeTopic(topic: string, options?: SignalOptions): Promise<TopicInfo> {
    checkString('topic', topic)
    return this._call(this.describeTopic, options, (native, n) => native.describeTopic(n, topic))
  }

  /** All topics of a stream, by name. */
  async listTopics(stream = 'default', options?: SignalOptions): Promise<TopicInfo[]> {
    checkString('stream', stream)
    return this._call(this.listTopics, options, (native, n) => native.listTopics(n, stream))
  }

  /** Deletes a topic and its records. */
  async deleteTopic(topic: string, options?: SignalOptions): Promise<void> {
    checkString('topic', topic)
    return this._call(this.deleteTopic, options, (native, n) => native.deleteTopic(n, topic))
  }

  /** Deletes all records of a topic; offsets go on. */
  async purgeTopic(topic: string, options?: SignalOptions): Promise<void> {
    checkString('topic', topic)
    return this._call(this.purgeTopic, options, (native, n) => native.purgeTopic(n, topic))
  }

  /** Has a topic have so many partitions in all; there is no way back. */
  async addPartitions(
    topic: string,
    partitions: number,
    options?: SignalOptions,
  ): Promise<TopicInfo> {
    checkString('topic', topic)
    checkU32('partitions', partitions, 1)
    return this._call(this.addPartitions, options, (native, n) =>
      native.addPartitions(n, topic, partitions),
    )
  }

  /** Deletes the records of a partition before an offset; the first offset that there is then. */
  async truncate(
    topic: string,
    partition: number,
    beforeOffset: bigint,
    options?: SignalOptions,
  ): Promise<bigint> {
    checkString('topic', topic)
    checkU32('partition', partition)
    checkOffset('beforeOffset', beforeOffset)
    return this._call(this.truncate, options, (native, n) =>
      native.truncate(n, topic, partition, beforeOffset),
    )
  }

  /** The state of every partition of a topic, in order: offsets, sizes, owners. */
  async partitions(topic: string, options?: SignalOptions): Promise<PartitionInfo[]> {
    checkString('topic', topic)
    return this._call(this.partitions, options, (native, n) => native.partitions(n, topic))
  }

  /**
   * Reads batches of a partition once, from an offset on. A consumer is the better way to read on
   * and on: it is sent what arrives.
   * @throws ConsumeError `E_OFFSET_OUT_OF_RANGE`, with the offsets that there are
   */
  async fetch(
    topic: string,
    partition: number,
    offset: bigint,
    options?: FetchOptions,
  ): Promise<Fetched> {
    checkString('topic', topic)
    checkU32('partition', partition)
    checkOffset('offset', offset)
    const given = checkOptions('options', options)
    const number = (name: string) =>
      given[name] === undefined ? null : checkU32(`options.${name}`, given[name])
    const [maxBytes, minBytes, maxWaitMs] = ['maxBytes', 'minBytes', 'maxWaitMs'].map(number) as [
      number | null,
      number | null,
      number | null,
    ]
    const fetched = await this._call<NativeFetched>(this.fetch, options, (native, n) =>
      native.fetch(n, topic, partition, offset, maxBytes, minBytes, maxWaitMs),
    )
    const name = topic.includes('/') ? topic : `default/${topic}`
    const batches: Batch[] = []
    for (;;) {
      const memory = fetched.batch(batches.length)
      if (memory === null) break
      batches.push(new Batch(memory, name))
    }
    return {
      batches,
      startOffset: fetched.startOffset(),
      endOffset: fetched.endOffset(),
      nextOffset: fetched.nextOffset(),
    }
  }

  /** Producers with a name that a topic remembers. */
  async producers(topic: string, options?: SignalOptions): Promise<ProducerInfo[]> {
    checkString('topic', topic)
    return this._call(this.producers, options, (native, n) => native.producers(n, topic))
  }

  /** Forgets a producer's name; whoever has it is fenced. */
  async forgetProducer(topic: string, name: string, options?: SignalOptions): Promise<void> {
    checkString('topic', topic)
    checkString('name', name)
    return this._call(this.forgetProducer, options, (native, n) =>
      native.forgetProducer(n, topic, name),
    )
  }

  /** Creates a group without members. Joining one does so, too. */
  async createGroup(group: string, options?: SignalOptions): Promise<GroupInfo> {
    checkString('group', group)
    return this._call(this.createGroup, options, (native, n) => native.createGroup(n, group))
  }

  /** All groups and named consumers, by name. */
  async listGroups(options?: SignalOptions): Promise<GroupInfo[]> {
    return this._call(this.listGroups, options, (native, n) => native.listGroups(n))
  }

  /** A group, its members and partitions. */
  async describeGroup(group: string, options?: SignalOptions): Promise<GroupDescription> {
    checkString('group', group)
    return this._call(this.describeGroup, options, (native, n) => native.describeGroup(n, group))
  }

  /** Deletes a group and its offsets. @throws ConflictError `E_GROUP_NOT_EMPTY` */
  async deleteGroup(group: string, options?: SignalOptions): Promise<void> {
    checkString('group', group)
    return this._call(this.deleteGroup, options, (native, n) => native.deleteGroup(n, group))
  }

  /** The offsets that a group has stored for a topic. */
  async committed(
    group: string,
    topic: string,
    options?: SignalOptions,
  ): Promise<CommittedOffset[]> {
    checkString('group', group)
    checkString('topic', topic)
    return this._call(this.committed, options, (native, n) => native.committed(n, group, topic))
  }

  /**
   * Sets where a group goes on in a topic, also backwards. With `force` also while it has members:
   * they are sent to the new place. The offsets that it goes on at; of an offset the nearest that
   * there is.
   * @throws ConflictError `E_GROUP_NOT_EMPTY` while it has members, unless forced
   */
  async resetOffsets(
    group: string,
    topic: string,
    to: Start,
    options?: PartitionsOptions & { force?: boolean | undefined },
  ): Promise<{ partition: number; offset: bigint }[]> {
    checkString('group', group)
    checkString('topic', topic)
    const place = startText('to', to)
    const { partitions, force = false } = checkOptions('options', options)
    if (typeof force !== 'boolean') throw badType('options.force', 'true or false', force)
    const which = checkPartitions(partitions)
    return this._call(this.resetOffsets, options, (native, n) =>
      native.resetOffsets(n, group, topic, which, place, force),
    )
  }

  /** Forgets what a group has stored for a topic. */
  async deleteOffsets(group: string, topic: string, options?: PartitionsOptions): Promise<void> {
    checkString('group', group)
    checkString('topic', topic)
    const which = checkPartitions(checkOptions('options', options)['partitions'])
    return this._call(this.deleteOffsets, options, (native, n) =>
      native.deleteOffsets(n, group, topic, which),
    )
  }

  /**
   * Creates a user, who may do what `grants` say, such as `'read,write topic shop/*'`: of read,
   * write, manage and admin, on server, stream, topic or group. Without a password it logs in with
   * tokens only. The password itself stays here.
   * @throws ConflictError `E_USER_EXISTS`; InvalidError; AuthError `E_DENIED`, `E_ACCESS_LIMIT`
   */
  async createUser(
    name: string,
    options?: SignalOptions & {
      password?: string | undefined
      grants?: readonly string[] | undefined
    },
  ): Promise<UserInfo> {
    checkString('name', name)
    const given = checkOptions('options', options)
    const password = checkSecret('options.password', given['password'])
    const grants = checkGrants('options.grants', given['grants'])
    return this._call(this.createUser, options, (native, n) =>
      native.createUser(n, name, password, grants),
    )
  }

  /** Deletes a user and its tokens, and ends its connections. @throws NotFoundError, AuthError */
  async deleteUser(name: string, options?: SignalOptions): Promise<void> {
    checkString('name', name)
    return this._call(this.deleteUser, options, (native, n) => native.deleteUser(n, name))
  }

  /** Lets a user log in again; with false keeps it out, and ends its connections. */
  async enableUser(name: string, enabled = true, options?: SignalOptions): Promise<UserInfo> {
    checkString('name', name)
    if (typeof enabled !== 'boolean') throw badType('enabled', 'true or false', enabled)
    return this._call(this.enableUser, options, (native, n) => native.enableUser(n, name, enabled))
  }

  /**
   * Changes a password. Connections that logged in with the old one end, this one among them.
   * @throws NotFoundError `E_USER_NOT_FOUND`; InvalidError; AuthError `E_DENIED`
   */
  async changePassword(password: string, options?: UserOptions): Promise<void> {
    const secret = checkSecret('password', password) ?? ''
    const user = checkUser(options)
    return this._call(this.changePassword, options, (native, n) =>
      native.changePassword(n, secret, user),
    )
  }

  /** A user and its grants; the user that this client is if none is named. */
  async describeUser(name?: string, options?: SignalOptions): Promise<UserDescription> {
    if (name !== undefined) checkString('name', name)
    return this._call(this.describeUser, options, (native, n) =>
      native.describeUser(n, name ?? null),
    )
  }

  /**
   * The limits that the server enforces, and how much of them is used: first those that its
   * configuration sets, which may change while it runs, then those of the protocol.
   */
  async describeLimits(options?: SignalOptions): Promise<LimitInfo[]> {
    return this._call(this.describeLimits, options, (native, n) => native.describeLimits(n))
  }

  /** All users, by name. */
  async listUsers(options?: SignalOptions): Promise<UserInfo[]> {
    return this._call(this.listUsers, options, (native, n) => native.listUsers(n))
  }

  /**
   * Takes rights away from a user and then gives it others, at once, also on its open connections;
   * what it may do then. Rights are taken from grants of exactly the same scope and pattern.
   */
  async changeGrants(
    user: string,
    options: SignalOptions & {
      revoke?: readonly string[] | undefined
      grant?: readonly string[] | undefined
    },
  ): Promise<string[]> {
    checkString('user', user)
    const given = checkOptions('options', options)
    const revoke = checkGrants('options.revoke', given['revoke'])
    const grant = checkGrants('options.grant', given['grant'])
    return this._call(this.changeGrants, options, (native, n) =>
      native.changeGrants(n, user, revoke, grant),
    )
  }

  /**
   * Creates a token, which ends after `lifetimeMs`, or never. Its secret is made here, and told
   * nobody but the caller: `Client.connect(url, { secret })` logs in.
   * @throws ConflictError `E_TOKEN_EXISTS`; NotFoundError `E_USER_NOT_FOUND`; InvalidError; AuthError
   */
  async createToken(
    name: string,
    options?: UserOptions & { lifetimeMs?: number | undefined },
  ): Promise<NewToken> {
    checkString('name', name)
    const user = checkUser(options)
    const lifetime = checkOptions('options', options)['lifetimeMs'] ?? null
    if (lifetime !== null && !(Number.isSafeInteger(lifetime) && (lifetime as number) > 0)) {
      throw badRange('options.lifetimeMs', 'a whole number above 0', lifetime)
    }
    const { token, secret } = await this._call<NewToken>(this.createToken, options, (native, n) =>
      native.createToken(n, name, user, lifetime as number | null),
    )
    return Object.defineProperty({ token }, 'secret', { value: secret }) as NewToken
  }

  /** The tokens of a user, by number. */
  async listTokens(options?: UserOptions): Promise<TokenInfo[]> {
    const user = checkUser(options)
    return this._call(this.listTokens, options, (native, n) => native.listTokens(n, user))
  }

  /** Deletes a token, and ends the connections that were made with it. */
  async deleteToken(id: bigint, options?: SignalOptions): Promise<void> {
    checkOffset('id', id)
    return this._call(this.deleteToken, options, (native, n) => native.deleteToken(n, id))
  }
}

/** A list of partitions, or null for all. */
export function checkPartitions(given: unknown): number[] | null {
  if (given === undefined) return null
  if (!Array.isArray(given)) throw badType('options.partitions', 'an array of numbers', given)
  return given.map((one) => checkU32('an entry of options.partitions', one))
}

/** A secret, which no error shows. */
export function checkSecret(name: string, given: unknown): string | null {
  if (given === undefined) return null
  if (typeof given !== 'string') throw badValue(`${name} must be a string, not ${typeof given}`)
  return given
}

function checkGrants(name: string, given: unknown): string[] {
  if (given === undefined) return []
  if (!Array.isArray(given)) throw badType(name, 'an array of strings', given)
  return given.map((one) => checkString(`an entry of ${name}`, one))
}

function checkUser(options: unknown): string | null {
  const { user } = checkOptions('options', options)
  return user === undefined ? null : checkString('options.user', user)
}
