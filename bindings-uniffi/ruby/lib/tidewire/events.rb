# frozen_string_literal: true

module Tidewire
  # Something that happened to a client, which goes on by itself. `kind` is `connected`,
  # `disconnected`, `reconnecting`, `gave_up`, `throttled`, `partitions_assigned`,
  # `partitions_revoked`, `partitions_lost`, `records_skipped` or `missed`; what belongs to it is
  # there, the rest is nil.
  Event = Struct.new(:kind, :address, :attempt, :error, :topic, :partition, :group, :partitions,
                     :from_offset, :to_offset, :missed, keyword_init: true)

  # A watch of what happens to a client: made by {Client#events}. It counts from its making on.
  class Events
    include Enumerable

    # @api private
    def initialize(native)
      @native = native
    end

    # Waits for the next event, for at most `timeout` seconds; nil if none came, or none will.
    def poll(timeout: nil)
      return unless Told.told { @native.ready(Told.milliseconds(timeout)) }

      event = @native.take or return
      Event.new(kind: event.kind, address: event.address, attempt: event.attempt,
                error: event.failure && Error.of(event.failure), topic: event.topic,
                partition: event.partition, group: event.group, partitions: event.partitions,
                from_offset: event.from_offset, to_offset: event.to_offset, missed: event.count)
    end

    # Events as they come, until the client and all that was made from it are gone.
    def each
      return enum_for(:each) unless block_given?

      while (event = poll)
        yield event
      end
      self
    end
  end
end
