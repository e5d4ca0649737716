# frozen_string_literal: true

require 'base64'
require 'zlib'

# The library has no such thing.
class Unsupported < StandardError; end

# The operation was cancelled.
class Cancelled < StandardError; end

# How things are written in the lines between runner and adapter; see conformance/README.md.
module Values
  SHORT = 1024

  module_function

  def bytes_of(value)
    return if value.nil?
    return value['utf8'].b if value.key?('utf8')
    return Base64.decode64(value['base64']) if value.key?('base64')
    return (value['repeat'] * value['times']).b if value.key?('repeat')

    raise "no bytes: #{value}"
  end

  def shown(bytes)
    return if bytes.nil?
    return { 'base64' => Base64.strict_encode64(bytes) } if bytes.bytesize <= SHORT

    { 'len' => bytes.bytesize, 'crc32' => format('%08x', Zlib.crc32(bytes)) }
  end

  def whole(value) = value && Integer(value)

  # The arguments of a sending.
  def record_of(value)
    headers = value['headers']&.map { |name, part| [name, bytes_of(part) || ''] }
    parts = { key: bytes_of(value['key']), headers: headers, timestamp: whole(value['timestamp_us']),
              partition: value['partition'], id: bytes_of(value['id']) }
    [bytes_of(value['value']), parts.compact]
  end

  def record(one)
    { 'partition' => one.partition, 'offset' => one.offset.to_s, 'timestamp_us' => one.timestamp_us.to_s,
      'append_time_us' => one.append_time_us.to_s, 'key' => shown(one.key), 'value' => shown(one.value),
      'headers' => one.header_items.map { |name, value| [name, shown(value)] } }
  end

  def batch(one)
    { 'partition' => one.partition, 'base_offset' => one.base_offset.to_s,
      'next_offset' => one.next_offset.to_s, 'records' => one.map { |each| record(each) } }
  end

  def outcome(one)
    return { 'error' => error(one) } if one.is_a?(Tidewire::Error)

    { 'partition' => one.partition, 'offset' => one.offset.to_s, 'append_time_us' => one.append_time_us.to_s,
      'acks' => one.acks, 'duplicate' => one.duplicate }
  end

  def error(one)
    told = { 'code' => one.code, 'disposition' => one.disposition, 'kind' => one.kind, 'message' => one.message }
    told['offsets'] = [one.offsets.begin.to_s, one.offsets.end.to_s] if one.offsets
    told
  end

  # Some fields of a value; those of 64 bits as text.
  def fields(one, *names, text: [])
    names.to_h { |name| [name.to_s, one.public_send(name)] }
         .merge(text.to_h { |name| [name.to_s, one.public_send(name).to_s] })
  end

  def server(one)
    limits = fields(one.limits, :max_frame_len, :max_batch_len, :max_batch_records, :max_in_flight, :max_channels)
    fields(one, :name, :version, :address, :id).merge('limits' => limits)
  end

  def stream(one) = fields(one, :name, :topics, text: %i[id created_us])

  def topic(one)
    fields(one, :stream, :name, :partitions, :codec,
           text: %i[id created_us segment_bytes retention_ms retention_bytes dedup_window_ms])
  end

  def partition(one)
    fields(one, :partition, :segments, :error, text: %i[start_offset end_offset synced_offset size_bytes])
  end

  def limits(all)
    { 'limits' => all.to_h { |one| [one.name, fields(one, :unit, :configured, text: %i[value used])] } }
  end

  def user(one) = fields(one, :name, :enabled, :password, :tokens, text: %i[id])

  def token(one) = fields(one, :name, :user, text: %i[id]).merge('expires_us' => (one.expires_us || 0).to_s)

  def event(one)
    return if one.nil?

    told = { 'type' => one.kind, 'address' => one.address, 'attempt' => one.attempt,
             'error' => one.error && error(one.error), 'topic' => one.topic, 'partition' => one.partition,
             'group' => one.group, 'partitions' => one.partitions&.map { |part| [part.topic, part.partition] },
             'from_offset' => one.from_offset&.to_s, 'to_offset' => one.to_offset&.to_s,
             'count' => one.missed&.to_s }
    told.compact
  end
end

# What was read of each partition, for reads too large to be written out.
class Digests
  def initialize
    @states = {}
  end

  def add(one)
    state = @states[one.partition] ||= { count: 0, first: one.offset, next: 0, crc: 0 }
    state[:count] += 1
    state[:next] = one.offset + 1
    headers = one.header_items
    parts = [[one.offset, one.timestamp_us].pack('Q<q<'), part(one.key), part(one.value), [headers.size].pack('L<')]
    headers.each { |name, value| parts << part(name.b) << part(value) }
    state[:crc] = Zlib.crc32(parts.join, state[:crc])
  end

  def finish
    @states.sort.to_h do |partition, state|
      [partition.to_s, { 'count' => state[:count].to_s, 'first_offset' => state[:first].to_s,
                         'next_offset' => state[:next].to_s, 'crc32' => format('%08x', state[:crc]) }]
    end
  end

  private

  def part(bytes) = bytes.nil? ? [0xFFFF_FFFF].pack('L<') : [bytes.bytesize].pack('L<') + bytes
end
