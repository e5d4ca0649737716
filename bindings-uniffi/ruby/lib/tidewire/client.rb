# frozen_string_literal: true

module Tidewire
  # Batches that {Client#fetch} read: from where to where the partition reaches, and where to go on.
  Fetched = Struct.new(:batches, :start_offset, :end_offset, :next_offset, keyword_init: true)

  # A connection to a Tidewire server.
  #
  # A lost connection is made again, and what was made from the client goes on. A topic is named
  # `stream/topic`; `topic` alone is `default/topic`. Options have the names that they have in the
  # URL (`linger_ms`); one that does not exist is an error. What waits lets other threads, and a
  # fiber scheduler, go on, and ends when its thread is interrupted.
  class Client
    # Connects to the first server that can be reached; with a block, calls it with the client and
    # closes that at its end.
    #
    # @param url [String, nil] `tidewire://user:secret@host:port/?option=value`
    # @raise [Error] no server can be reached, or the options are wrong
    def self.connect(url = nil, **options)
      client = new(Told.told { TidewireNative.connect(url, Told.named(options)) })
      return client unless block_given?

      closing(client) { yield client }
    end

    # @api private
    def self.closing(one)
      result = yield
    rescue Exception # rubocop:disable Lint/RescueException
      begin
        one.close
      rescue Error
        # What ended the block is what is told.
      end
      raise
    else
      one.close
      result
    end

    # @api private
    def initialize(native)
      @native = native
    end

    # What the server said of itself; without a connection, what the last one said.
    def server = Told.told { @native.server }

    # Asks the server for a sign of life; the time that it took, in seconds.
    def ping = call(:ping) / 1e6

    # What happens to the connection from now on.
    def events = Events.new(Told.told { @native.events })

    # Closes the connection, for all that was made from it too; close producers first.
    def close = call(:shut)

    # Opens a producer, with options such as `acks` and `linger_ms`; with a block, calls it with the
    # producer and closes that at its end, waiting for all acknowledgements.
    #
    # @param name [String, nil] a name within the topic; who opens it again takes the place of whoever has it
    def producer(topic, name: nil, **options)
      producer = Producer.new(call(:producer, topic, name, Told.named(options)))
      return producer unless block_given?

      self.class.closing(producer) { yield producer }
    end

    # Subscribes, or joins a group; with a block, calls it with the consumer and closes that at its
    # end. Options are such as `start` (`:earliest`, `:latest`, an offset, `last:N`, `time:T`) and
    # `prefetch_bytes`.
    #
    # @param topics [String, Array<String>] one, or several for a member of a group
    # @param group [String, nil] the group that it joins, which divides the partitions
    # @param name [String, nil] instead of a group, the name under which its offsets are stored
    # @param partitions [Array<Integer>, nil] those that it reads; all of them if nil
    # @param start_at [Hash] offsets to begin at, by partition
    def consumer(topics, group: nil, name: nil, partitions: nil, start_at: {}, **options)
      native = call(:consumer, Array(topics), group, name, partitions, start_at, Told.named(options))
      consumer = Consumer.new(native)
      return consumer unless block_given?

      self.class.closing(consumer) { yield consumer }
    end

    # Reads batches of a partition from an offset on, without subscribing.
    def fetch(topic, partition, offset, max_bytes: nil, min_bytes: nil, max_wait_ms: nil)
      found = call(:fetch, topic, partition, offset, max_bytes, min_bytes, max_wait_ms)
      batches = Array.new(found.count) { |index| Batch.copied(found.lent(index)) { topic } }
      Fetched.new(batches: batches, start_offset: found.start_offset, end_offset: found.end_offset,
                  next_offset: found.next_offset)
    end

    # Streams and topics.

    def create_stream(name) = call(:create_stream, name)

    def describe_stream(name) = call(:describe_stream, name)

    # Deletes a stream; with its topics and their records if `with_topics`.
    def delete_stream(name, with_topics: false) = call(:delete_stream, name, with_topics)

    # Deletes all records of all topics of a stream; offsets go on.
    def purge_stream(name) = call(:purge_stream, name)

    def list_streams = call(:list_streams)

    # Creates a topic, with options such as `partitions` and `retention_ms`.
    def create_topic(topic, **options) = call(:create_topic, topic, Told.named(options))

    # Changes options of a topic.
    def update_topic(topic, **options) = call(:update_topic, topic, Told.named(options))

    def describe_topic(topic) = call(:describe_topic, topic)

    def list_topics(stream = 'default') = call(:list_topics, stream)

    # Gives a topic more partitions; `partitions` is how many there are then.
    def add_partitions(topic, partitions) = call(:add_partitions, topic, partitions)

    # Deletes all records of a topic; offsets go on.
    def purge_topic(topic) = call(:purge_topic, topic)

    # Deletes a topic and its records.
    def delete_topic(topic) = call(:delete_topic, topic)

    # Deletes the records of a partition below an offset; where the partition begins then.
    def truncate(topic, partition, before) = call(:truncate, topic, partition, before)

    # The state of every partition of a topic, in order.
    def partitions(topic) = call(:partitions, topic)

    # The named producers that a topic remembers.
    def producers(topic) = call(:producers, topic)

    # Has a topic forget a named producer.
    def forget_producer(topic, name) = call(:forget_producer, topic, name)

    # The limits that the server enforces.
    def describe_limits = call(:describe_limits)

    # Groups and stored offsets.

    def create_group(group) = call(:create_group, group)

    def list_groups = call(:list_groups)

    def describe_group(group) = call(:describe_group, group)

    # Deletes a group and what it has stored.
    def delete_group(group) = call(:delete_group, group)

    # What a group, or a named consumer, has stored: those partitions that have something, in order.
    def committed(group, topic) = call(:committed, group, topic)

    # Stores where a group goes on in partitions of a topic, all of them if nil.
    def reset_offsets(group, topic, to, partitions: nil, force: false)
      call(:reset_offsets, group, topic, partitions, to.to_s, force)
    end

    # Forgets what a group has stored for partitions of a topic, all of them if nil.
    def delete_offsets(group, topic, partitions: nil) = call(:delete_offsets, group, topic, partitions)

    # Users, tokens and rights; a right is its text, such as `read,write topic shop/*`.

    # Creates a user; without a password it logs in with tokens only.
    def create_user(name, password: nil, grants: []) = call(:create_user, name, password, grants)

    # Deletes a user and its tokens, and ends its connections.
    def delete_user(name) = call(:delete_user, name)

    # Lets a user log in again, or keeps it out and ends its connections.
    def enable_user(name, enabled) = call(:enable_user, name, enabled)

    # Changes a password: of the user that this client is if `user` is nil.
    def change_password(password, user: nil) = call(:change_password, password, user)

    # Describes a user: the one that this client is if `user` is nil.
    def describe_user(user = nil) = call(:describe_user, user)

    def list_users = call(:list_users)

    # Takes rights away from a user and then gives it others; all that it has then.
    def change_grants(user, revoke: [], grant: []) = call(:change_grants, user, revoke, grant)

    # Creates a token: of the user that this client is if `user` is nil; for ever without a lifetime
    # in seconds.
    def create_token(name, user: nil, lifetime: nil) = call(:create_token, name, user, Told.milliseconds(lifetime))

    # Lists the tokens of a user: of the one that this client is if `user` is nil.
    def list_tokens(user = nil) = call(:list_tokens, user)

    # Deletes a token, and ends the connections that were made with it.
    def delete_token(id) = call(:delete_token, id)

    private

    def call(name, *arguments) = Told.told { @native.public_send(name, *arguments) }
  end
end
