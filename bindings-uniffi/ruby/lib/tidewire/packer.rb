# frozen_string_literal: true

module Tidewire
  # Packs records as `foreign/chunk.rs` of the core reads them.
  # @api private
  module Packer
    KEY = 1
    VALUE = 2
    TIMESTAMP = 4
    PARTITION = 8
    ID = 16

    module_function

    # Adds a record to `chunk`.
    def add(chunk, value, key: nil, headers: nil, timestamp: nil, partition: nil, id: nil)
      value = bytes('value', value)
      key = bytes('key', key)
      names = headers ? packed_headers(headers) : ''.b
      what = (key ? KEY : 0) | (value ? VALUE : 0)
      middle = ''.b
      if timestamp
        what |= TIMESTAMP
        middle << [microseconds(timestamp)].pack('q<')
      end
      if partition
        raise ArgumentError, "partition is #{partition}, but should not be negative" if partition.negative?

        what |= PARTITION
        middle << [partition].pack('L<')
      end
      if id
        raise ArgumentError, "id has #{id.bytesize} bytes, but should have 16" unless id.bytesize == 16

        what |= ID
        middle << id.b
      end
      chunk << [what, value ? value.bytesize : 0, key ? key.bytesize : 0, names.bytesize].pack('L<4') << middle
      chunk << value if value
      chunk << key if key
      chunk << names
      rest = chunk.bytesize & 3
      chunk << "\0" * (4 - rest) unless rest.zero?
      chunk
    end

    # A chunk of records: values, or hashes with `value` and the names of {add}'s arguments.
    def pack(records)
      chunk = String.new(capacity: 64 << 10, encoding: Encoding::BINARY)
      records.each do |record|
        case record
        when Hash
          parts = record.dup
          value = parts.delete(:value)
          add(chunk, value, **parts)
        else
          add(chunk, record)
        end
      end
      chunk
    end

    def packed_headers(headers)
      headers.each_with_object(''.b) do |(name, value), out|
        name = name.to_s.encode(Encoding::UTF_8).b
        value = bytes('a header', value) || ''.b
        out << [name.bytesize, value.bytesize].pack('L<2') << name << value
      end
    end

    def bytes(what, value)
      return if value.nil?
      raise ArgumentError, "#{what} is a #{value.class}, but should be a String" unless value.is_a?(String)

      value.b
    end

    def microseconds(timestamp)
      timestamp.is_a?(Time) ? timestamp.to_i * 1_000_000 + timestamp.usec : Integer(timestamp)
    end
  end
  private_constant :Packer
end
