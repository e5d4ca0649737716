# frozen_string_literal: true

require 'monitor'

module Tidewire
  # Receives a topic's records: made by {Client#consumer}. `each` gives records, {#each_batch}
  # batches, until the consumer is closed; {#next} and {#poll} give one. Each goes on where another
  # one was, so that whoever leaves a loop early loses nothing.
  #
  # A batch counts as done when what follows it is asked for. One thread at a time is given
  # something, others wait for their turn; the rest may be called beside it.
  class Consumer
    include Enumerable

    # @api private
    def initialize(native)
      @native = native
      @turn = Monitor.new
      @topics = []
      # A batch of which records were returned one by one, and the record that is next.
      @held = nil
      @index = 0
    end

    # Waits for the next batch, for at most `timeout` seconds; nil if none came, or if there will be
    # none ({#closed?}). With a timeout of 0 it gives what is there. Of a batch of which {#next} has
    # returned records it is the rest.
    #
    # @return [Batch, nil]
    # @raise [Error] a partition has ended, and why; the next call goes on with the others
    def poll(timeout: nil)
      @turn.synchronize do
        left = rest
        @held = nil
        left || fresh(timeout)
      end
    end

    # Waits for the next record, for at most `timeout` seconds; nil as {#poll}. Batches are faster;
    # this is for programs that treat records one by one. {#commit} then stores how far the records
    # reach that were returned, not their batch.
    #
    # @return [Record, nil]
    # @raise [Error] as {#poll}
    def next(timeout: nil)
      @turn.synchronize do
        held = @held
        unless held && @index < held.size
          @index = 0
          held = @held = fresh(timeout)
        end
        @index += 1
        held && held[@index - 1]
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
    def each
      return enum_for(:each) unless block_given?

      while (record = self.next)
        yield record
      end
      self
    end

    # Whether nothing will come any more, unless a partition is added or moved.
    def closed? = @native.is_closed

    # Stores how far the batches and records reach that were returned, and waits until it is on the
    # disk; or, of one batch or record, that it and all before it in its partition were done.
    #
    # @param done [Batch, Record, nil]
    def commit(done = nil)
      return commit_offset(done.topic, done.partition, done.next_offset) if done

      left = rest
      return Told.told { @native.commit } unless left

      Told.told { @native.commit_until(left.topic, left.partition, left.base_offset) }
    end

    # Stores the offset of the next record to read.
    def commit_offset(topic, partition, offset) = Told.told { @native.commit_offset(topic, partition, offset) }

    # Goes on reading a partition at another place: `:earliest`, `:latest`, an offset, `last:N` or
    # `time:MICROSECONDS`.
    def seek(partition, to)
      Told.told { @native.seek(partition, to.to_s) }
      forget(partition)
    end

    # Returns nothing of a partition until it is resumed. A batch of which {#next} has returned
    # records is finished first.
    def pause(partition) = Told.told { @native.pause(partition) }

    # Ends a pause.
    def resume(partition) = Told.told { @native.resume(partition) }

    # Reads a further partition.
    def add_partition(partition, start) = Told.told { @native.add_partition(partition, start.to_s) }

    # Stops reading a partition; whether it was read.
    def remove_partition(partition)
      Told.told { @native.remove_partition(partition) }.tap { forget(partition) }
    end

    # What it reads at the moment, in order.
    def assignment = @native.assignment

    # Where it stands in what it reads, in order.
    def positions
      left = rest or return @native.positions
      @native.positions.map do |one|
        next one unless one.partition == left.partition && one.topic == left.topic

        one.class.new(topic: one.topic, partition: one.partition, next_offset: left.base_offset,
                      end_offset: one.end_offset, stored_offset: one.stored_offset)
      end
    end

    # Records known to follow what was returned, over all partitions.
    def lag = @native.lag + (rest&.size || 0)

    # What it did so far, and what it holds.
    def stats = @native.stats

    # Ends all waiting, and waits until the server knows: it unsubscribes, or leaves its group.
    #
    # @raise [TimeoutError] after `timeout` seconds; it is closed all the same
    def close(timeout: nil) = Told.told { @native.close_within(Told.milliseconds(timeout)) }

    private

    # Called within a turn.
    def fresh(timeout)
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

    # What is left of a batch of which records were returned one by one; nil if nothing is.
    def rest
      held = @held
      held.from(@index) if held && @index < held.size
    end

    # What is left of a batch is not wanted any more.
    def forget(partition)
      @held = nil if @held&.partition == partition
    end

    def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

    def topic(number)
      @topics << (@native.topic(@topics.size) || '') while @topics.size <= number
      @topics[number]
    end
  end
end
