# frozen_string_literal: true

module Tidewire
  # Consecutive records of one partition, over one string of bytes. Records are views, made when
  # they are asked for.
  class Batch
    include Enumerable

    # Bytes of the head, as `foreign/head.rs` of the core writes it; the body follows, by column.
    HEAD = 128
    KEYS = 1
    HEADERS = 2
    TIMES = 4
    IDS = 8
    VALUE_NULLS = 16
    KEY_NULLS = 32
    OFFSET_DELTAS = 64
    private_constant :HEAD, :KEYS, :HEADERS, :TIMES, :IDS, :VALUE_NULLS, :KEY_NULLS, :OFFSET_DELTAS

    # The topic, `stream/topic`.
    attr_reader :topic
    # The partition.
    attr_reader :partition
    # When the server appended it, in microseconds since the Unix epoch.
    attr_reader :append_time_us
    # Offset after its last record: where to go on reading.
    attr_reader :next_offset
    # Offset after the partition's last record, as known when the batch was delivered.
    attr_reader :end_offset
    # Bytes of the batch as it travelled.
    attr_reader :byte_size

    # @api private
    def initialize(memory, topic)
      @memory = memory
      @topic = topic
      @words = memory.unpack('L<16')
      _, @partition, @count, @columns, @first, @values_end, @keys_end = @words
      @base_offset, @append_time_us, @base_time_us, @end_offset, @next_offset =
        memory.unpack('Q<q<q<Q<Q<', offset: 64)
      @byte_size = memory.unpack1('L<', offset: 104)
    end

    # Copies what the native layer lends.
    # @api private
    def self.copied(lent)
      memory = FFI::Pointer.new(lent.head).read_bytes(lent.head_len)
      memory << FFI::Pointer.new(lent.body).read_bytes(lent.body_len) if lent.body_len.positive?
      new(memory, yield(memory.unpack1('L<')))
    end

    # Reads one batch as it is stored, with its header, after checking all of it.
    # @raise [AppendError] CORRUPT_BATCH
    def self.of_stored(bytes)
      owner = Told.told { TidewireNative.stored_batch(bytes.b) }
      copied(owner.lent(0)) { '' }
    end

    # Number of records.
    def size = @count - @first
    alias length size

    # Whether it has none; one that a consumer returns has at least one.
    def empty? = size.zero?

    # Offset of its first record.
    def base_offset = offset(@first)

    # Records of the partition that were known to follow this batch.
    def lag = [@end_offset - @next_offset, 0].max

    # Record `index`; from the end if negative; nil if there is none.
    def [](index)
      index += size if index.negative?
      Record.new(self, @first + index) if index >= 0 && index < size
    end

    # The records in order.
    def each
      return enum_for(:each) { size } unless block_given?

      (@first...@count).each { |index| yield Record.new(self, index) }
      self
    end

    def inspect = "#<Tidewire::Batch #{topic}/#{partition}, offsets #{base_offset}...#{next_offset}>"

    # The same batch from record `index` on; it shares the bytes.
    # @api private
    def from(index)
      first = @first + index
      dup.tap { |rest| rest.instance_variable_set(:@first, first) }
    end

    # @api private
    def offset(index)
      @base_offset + ((@columns & OFFSET_DELTAS).zero? ? index : word(@words[13] + 4 * index))
    end

    # @api private
    def timestamp_us(index)
      (@columns & TIMES).zero? ? @base_time_us : @base_time_us + word(@words[11] + 4 * index)
    end

    # @api private
    def value(index)
      slice(0, @words[8], index) if (@columns & VALUE_NULLS).zero? || bit?(@words[14], index)
    end

    # @api private
    def key(index)
      return if (@columns & KEYS).zero?

      slice(@values_end, @words[9], index) if (@columns & KEY_NULLS).zero? || bit?(@words[15], index)
    end

    # @api private
    def headers(index)
      return [] if (@columns & HEADERS).zero?

      bytes = slice(@keys_end, @words[10], index)
      found = []
      at = 0
      while at < bytes.bytesize
        name_length, value_length = bytes.unpack('S<L<', offset: at)
        name = bytes.byteslice(at + 6, name_length).force_encoding(Encoding::UTF_8)
        found << [name, bytes.byteslice(at + 6 + name_length, value_length)]
        at += 6 + name_length + value_length
      end
      found
    end

    # @api private
    def id(index)
      return if (@columns & IDS).zero?

      id = @memory.byteslice(HEAD + @words[12] + 16 * index, 16)
      id unless id.each_byte.all?(&:zero?)
    end

    private

    def word(at) = @memory.unpack1('L<', offset: HEAD + at)

    def bit?(at, index) = @memory.getbyte(HEAD + at + (index >> 3))[index & 7] == 1

    def slice(begin_at, ends, index)
      from, to = @memory.unpack('L<2', offset: HEAD + ends + 4 * index)
      @memory.byteslice(HEAD + begin_at + from, to - from)
    end
  end

  # A record that was read: a view of its batch.
  class Record
    # What it belongs to.
    attr_reader :batch

    # @api private
    def initialize(batch, index)
      @batch = batch
      @index = index
    end

    # The topic, `stream/topic`.
    def topic = @batch.topic

    # The partition.
    def partition = @batch.partition

    # Its place in the partition.
    def offset = @batch.offset(@index)

    # Offset after it: where to go on reading.
    def next_offset = offset + 1

    # Its value, as bytes; nil if it has none, as a tombstone.
    def value = @batch.value(@index)

    # Its value as UTF-8; nil if it has none.
    def text = value&.force_encoding(Encoding::UTF_8)

    # Its key, as bytes; nil if it has none, which is not an empty one.
    def key = @batch.key(@index)

    # Its headers by name; of several with one name, the last.
    def headers = header_items.to_h

    # Its headers in order, as pairs of name and value.
    def header_items = @batch.headers(@index)

    # The time that its producer gave it, in microseconds since the Unix epoch.
    def timestamp_us = @batch.timestamp_us(@index)

    # The time that its producer gave it.
    def timestamp = Time.at(0, timestamp_us, :microsecond)

    # When the server appended it, in microseconds since the Unix epoch.
    def append_time_us = @batch.append_time_us

    # Its 16 bytes of id; nil if it has none.
    def id = @batch.id(@index)

    def inspect = "#<Tidewire::Record #{topic}/#{partition}, offset #{offset}, #{value&.bytesize.inspect} bytes>"
  end
end
