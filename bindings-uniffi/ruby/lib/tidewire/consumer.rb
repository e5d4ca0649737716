# frozen_string_literal: true

require 'monitor'

module Tidewire
  # Receives a topic's records: made by {Client#consumer}. `each` gives records, {#each_batch}
  # batches, until the consumer is closed.
  #
  # A batch counts as done when the next one is asked for. One thread at a time is given batches,
  # others wait for their turn; the rest may be called beside it.
  class Consumer
    include Enumerable

    # @api private
    def initialize(native)
      @native = native
      @turn = Monitor.new
      @topics = []
    end

    # Waits for the next batch, for at most `timeout` seconds; nil if none came, or if there will be
    # none ({#closed?}). With a timeout of 0 it gives what is there.
    #
    # @return [Batch, nil]
    # @raise [Error] a partition has ended, and why; the next call goes on with the others
    def poll(timeout: nil)
      @turn.synchronize do
        deadline = timeout && now + timeout
        loop do
          taken = Told.told { @native.take }
          return Batch.copied(taken.batch) { |number| topic(number) } if taken.batch
          return if taken.closed

          left = deadline && deadline - now
          return if left && left <= 0

          Told.told { @native.ready(Told.milliseconds(left)) }
        end
      end
    end

    # Batches as they come, until the consumer is closed.
    def each_batch
      return enum_for(:each_batch) unless block_given?

      while (batch = poll)
        yield batch
      end
      self
    end

    # Records as they come, until the consumer is closed.
    def each(&block)
      return enum_for(:each) unless block

      each_batch { |batch| batch.each(&block) }
    end

    # Whether nothing will come any more, unless a partition is added or moved.
    def closed? = @native.is_closed

    # Stores how far the batches reach that were returned, and waits until it is on the disk; or, of
    # one batch, that it and all before it in its partition were done.
    def commit(batch = nil)
      return Told.told { @native.commit } unless batch

      commit_offset(batch.topic, batch.partition, batch.next_offset)
    end

    # Stores the offset of the next record to read.
    def commit_offset(topic, partition, offset) = Told.told { @native.commit_offset(topic, partition, offset) }

    # Goes on reading a partition at another place: `:earliest`, `:latest`, an offset, `last:N` or
    # `time:MICROSECONDS`.
    def seek(partition, to) = Told.told { @native.seek(partition, to.to_s) }

    # Returns nothing of a partition until it is resumed.
    def pause(partition) = Told.told { @native.pause(partition) }

    # Ends a pause.
    def resume(partition) = Told.told { @native.resume(partition) }

    # Reads a further partition.
    def add_partition(partition, start) = Told.told { @native.add_partition(partition, start.to_s) }

    # Stops reading a partition; whether it was read.
    def remove_partition(partition) = Told.told { @native.remove_partition(partition) }

    # What it reads at the moment, in order.
    def assignment = @native.assignment

    # Where it stands in what it reads, in order.
    def positions = @native.positions

    # Records known to follow what was returned, over all partitions.
    def lag = @native.lag

    # What it did so far, and what it holds.
    def stats = @native.stats

    # Ends all waiting, and waits until the server knows: it unsubscribes, or leaves its group.
    #
    # @raise [TimeoutError] after `timeout` seconds; it is closed all the same
    def close(timeout: nil) = Told.told { @native.close_within(Told.milliseconds(timeout)) }

    private

    def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

    def topic(number)
      @topics << (@native.topic(@topics.size) || '') while @topics.size <= number
      @topics[number]
    end
  end
end
