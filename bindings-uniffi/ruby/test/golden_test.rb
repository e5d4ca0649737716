# frozen_string_literal: true

require_relative 'support'
require 'json'

# The reader of columns, by the golden vectors of the protocol.
class GoldenTest < Minitest::Test
  VECTORS = File.expand_path('../../../protocol/vectors/batch', __dir__)

  def test_batches_of_the_golden_vectors_are_read_as_they_should_be
    read = refused = 0
    %w[records columns codec].each do |file|
      JSON.parse(File.read(File.join(VECTORS, "#{file}.json"))).each do |vector|
        bytes = [vector['hex']].pack('H*')
        if vector['class'] == 'reject'
          why = assert_raises(Tidewire::AppendError, vector['name']) { Tidewire::Batch.of_stored(bytes) }
          assert_equal Tidewire::Code::CORRUPT_BATCH, why.code
          refused += 1
        else
          check(vector, Tidewire::Batch.of_stored(bytes))
          read += 1
        end
      end
    end
    assert_operator read, :>, 100
    assert_operator refused, :>, 10
  end

  # The core's own tests read them.
  def test_records_are_packed_as_the_core_reads_them
    packer = Tidewire.const_get(:Packer)
    text = File.read(File.expand_path('../../../core-client/src/foreign/chunks.json', __dir__))
    bytes = ->(hex) { hex && [hex].pack('H*') }
    examples = JSON.parse(text)
    examples.each do |example|
      records = example['records'].map do |one|
        { value: bytes[one['value']], key: bytes[one['key']], timestamp: one['timestamp_us'],
          headers: one.fetch('headers', []).map { |name, value| [name, bytes[value]] },
          partition: one['partition'], id: bytes[one['id']] }
      end
      assert_equal example['hex'], packer.pack(records).unpack1('H*'), example['name']
    end
    assert_operator examples.size, :>, 5
  end

  private

  def check(vector, batch)
    hex = ->(bytes) { bytes&.unpack1('H*') }
    found = batch.map do |one|
      { 'offset' => one.offset.to_s, 'time_us' => one.timestamp_us.to_s, 'value' => hex[one.value],
        'key' => hex[one.key], 'id' => hex[one.id],
        'headers' => one.header_items.map { |name, value| [name, hex[value]] } }
    end
    assert_equal vector['value']['records'], found, vector['name']
    assert_equal Integer(vector['value']['append_time_us']), batch.append_time_us
  end
end
