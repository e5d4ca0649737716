# frozen_string_literal: true

module Tidewire
  # What the server answered for one record: its partition and offset, when it was appended (0 for
  # a duplicate by its id), the promise that holds (`none`, `written` or `synced`), and whether it
  # was there already.
  Receipt = Struct.new(:partition, :offset, :append_time_us, :acks, :duplicate, keyword_init: true) do
    alias_method :duplicate?, :duplicate
  end

  # Sends records to a topic, from any thread: made by {Client#producer}.
  #
  # {#send} and {#send_all} wait for the acknowledgements; {#enqueue} does not, and its {Tickets}
  # tell the outcomes when they are asked. Waiting lets other threads, and a fiber scheduler, go on.
  class Producer
    # @api private
    def initialize(native)
      @native = native
      @blocks = Told.told { native.blocks }
    end

    # How many partitions the topic has.
    def partitions = Told.told { @native.partitions }

    # Sends a record and waits for its acknowledgement.
    #
    # @param value [String, nil] nil is a tombstone
    # @param key [String, nil] records of one key are in one partition
    # @param headers [Hash, Array] pairs of name and value
    # @param timestamp [Time, Integer] its time, or microseconds since the Unix epoch
    # @param partition [Integer] its partition
    # @param id [String] 16 bytes by which the topic knows it, within its `dedup_window_ms`
    # @return [Receipt]
    # @raise [Error] the record's outcome, if it was not acknowledged
    def send(value, **parts)
      push(Packer.add(''.b, value, **parts), expedite: true).wait.first
    end

    # Sends records together, and waits for the outcomes. Each is a value, or a hash with `value`
    # and the names of {#send}'s arguments.
    #
    # @return [Array<Receipt, Error>]
    def send_all(records) = push(Packer.pack(records), expedite: true).outcomes

    # Puts a record into the queue without waiting.
    #
    # @return [Tickets]
    # @raise [BusyError] QUEUE_FULL if it has no room: {#ready} waits for some
    def enqueue(value, **parts)
      pushed = Told.told { @native.push_copied(Packer.add(''.b, value, **parts), false, true) }
      raise Error.of(pushed.failure) if pushed.failure

      Tickets.new([pushed.tickets])
    end

    # Puts records into the queue, waiting only where it has no room; see {#send_all}. Should one be
    # refused, those before it are sent, and its error is raised.
    #
    # @return [Tickets]
    def enqueue_all(records) = push(Packer.pack(records), expedite: false)

    # Waits until the queue has room, for at most `timeout` seconds.
    def ready(timeout: nil) = Told.told { @native.ready(Told.milliseconds(timeout)) }

    # Sends all that is enqueued and waits until it has its outcome.
    #
    # @raise [Error] how many records failed; TIMEOUT after `timeout` seconds, when the rest goes on
    #   being sent
    def flush(timeout: nil) = Told.told { @native.flush(Told.milliseconds(timeout)) }

    # What it did so far, and what waits.
    def stats = Told.told { @native.stats }

    # Takes no more records, flushes, and closes the producer on the server. After `timeout`
    # seconds, what is left fails.
    #
    # @raise [Error] how many records of which partitions were not acknowledged ({Error#unsent})
    def close(timeout: nil) = Told.told { @native.close_within(Told.milliseconds(timeout)) }

    private

    def push(chunk, expedite:)
      parts = []
      until chunk.empty?
        pushed = Told.told { @native.push_copied(chunk, expedite, true) }
        parts << pushed.tickets if pushed.tickets
        chunk = chunk.byteslice(pushed.bytes..)
        next unless pushed.failure
        raise Error.of(pushed.failure) unless pushed.failure.number == Code::QUEUE_FULL && @blocks

        ready
      end
      Tickets.new(parts)
    end
  end

  # The outcomes, to come, of records that were enqueued together. Dropping them changes nothing.
  class Tickets
    ACKS = %w[none written synced].freeze
    private_constant :ACKS

    # @api private
    def initialize(parts)
      @parts = parts
    end

    # Waits until all records have their outcome. After TIMEOUT it may be called again.
    #
    # @return [Array<Receipt, Error>] in order
    def outcomes(timeout: nil)
      @parts.flat_map { |part| unpack(Told.told { part.outcomes(Told.milliseconds(timeout)) }) }
    end

    # Waits for the receipts; raises the first error if there is any.
    #
    # @return [Array<Receipt>]
    def wait(timeout: nil)
      outcomes(timeout: timeout).each { |outcome| raise outcome if outcome.is_a?(Error) }
    end

    private

    def unpack(told)
      (0...told.runs.bytesize).step(32).flat_map do |at|
        kind, count, partition, acks, duplicate, _, offset, time =
          told.runs.unpack('L<L<L<CCS<Q<q<', offset: at)
        if kind.zero?
          Array.new(count) do |place|
            Receipt.new(partition: partition, offset: offset + place, append_time_us: time,
                        acks: ACKS.fetch(acks) { acks.to_s }, duplicate: duplicate == 1)
          end
        else
          [Error.of(told.failures[offset])] * count
        end
      end
    end
  end
end
