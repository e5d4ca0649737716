# frozen_string_literal: true

require_relative 'support'

# What the client promises, against the real server.
class ClientTest < ServerTest
  def test_what_is_sent_is_read_as_it_was
    @client.create_topic(@topic)
    id = (1..16).to_a.pack('C*')
    @client.producer(@topic) do |producer|
      first = producer.send('hällo 🌊', key: 'k', headers: [%w[trace 1], ["gr\u00f6\u00dfe", "\x00\xFF"], %w[trace 2]], timestamp: -5)
      assert_equal [0, 0, 'synced', false], [first.partition, first.offset, first.acks, first.duplicate?]
      assert_operator first.append_time_us, :>, 1_600_000_000_000_000
      producer.send('', key: '')
      producer.send(nil, key: "\x01\x02".b)
      producer.send('x' * 100_000, id: id, timestamp: Time.at(12, 345_678))
    end
    a, b, c, d = read_all(@topic, 4)
    assert_equal 'hällo 🌊', a.text
    assert_equal Encoding::BINARY, a.value.encoding
    assert_equal 'k', a.key
    assert_equal %w[trace größe trace], a.header_items.map(&:first)
    assert_equal({ 'trace' => '2', 'größe' => "\x00\xFF".b }, a.headers)
    assert_equal(-5, a.timestamp_us)
    assert_equal "default/#{@topic}", a.topic
    assert_nil a.id
    assert_equal ['', ''], [b.value, b.key]
    assert_nil c.value
    assert_nil c.text
    assert_equal "\x01\x02".b, c.key
    assert_nil d.key
    assert_equal id, d.id
    assert_equal 100_000, d.value.bytesize
    assert_equal Time.at(12, 345_678), d.timestamp
    assert_equal 3, d.offset
  end

  def test_many_records_come_in_order_through_a_queue_that_has_no_room_for_them
    @client.create_topic(@topic)
    options = { acks: 'written', queue_bytes: 1 << 20, batch_bytes: 65_536 }
    @client.producer(@topic, **options) do |producer|
      outcomes = producer.send_all((0...20_000).map { |at| "v#{at}" })
      assert_equal 20_000, outcomes.size
      assert_equal 12_345, outcomes[12_345].offset
      assert_equal 20_000, producer.stats.acknowledged_records
    end
    found = read_all(@topic, 20_000)
    assert_equal((0...20_000).map { |at| "v#{at}" }, found.map(&:value))
  end

  def test_tickets_tell_where_each_record_is_and_which_were_refused
    @client.create_topic(@topic, partitions: 2)
    producer = @client.producer(@topic, linger_ms: 5)
    tickets = (0...10).map { |at| producer.enqueue("v#{at}", partition: at % 2) }
    producer.flush(timeout: PATIENCE)
    receipts = tickets.flat_map { |ticket| ticket.wait(timeout: PATIENCE) }
    assert_equal (0...10).map { |at| [at % 2, at / 2] }, receipts.map { |one| [one.partition, one.offset] }
    refused = assert_raises(Tidewire::NotFoundError) { producer.send('v', partition: 9) }
    assert_equal Tidewire::Code::PARTITION_NOT_FOUND, refused.code
    mixed = @client.producer(@topic) { |other| other.send_all([{ value: 'a', key: 'k', headers: { 'h' => '1' } }, 'b']) }
    assert_equal 2, mixed.size
    producer.close
    assert_raises(Tidewire::ClosedError) { producer.send('late') }
  end

  def test_errors_say_what_they_are_about_and_what_may_be_done
    missing = assert_raises(Tidewire::NotFoundError) { @client.describe_topic('nope') }
    assert_equal [Tidewire::Code::TOPIC_NOT_FOUND, 'TOPIC_NOT_FOUND', 'not_found'], [missing.code, missing.code_name, missing.kind]
    refute_predicate missing, :retriable?
    assert_includes missing.message, 'nope'
    option = assert_raises(Tidewire::InvalidError) { @client.create_topic(@topic, partition: 3) }
    assert_includes option.message, 'partitions'
    assert_raises(Tidewire::InvalidError) { Tidewire::Client.connect(ServerTest.server.url, heartbeat_ms: 'soon') }
    assert_raises(Tidewire::ConnectionError) { Tidewire::Client.connect('tidewire://127.0.0.1:1', connect_timeout_ms: 1000) }
    @client.create_topic(@topic)
    range = assert_raises(Tidewire::Error) { @client.consumer(@topic, start_at: { 0 => 7 }).poll(timeout: PATIENCE) }
    assert_equal Tidewire::Code::OFFSET_OUT_OF_RANGE, range.code
    assert_equal 0...0, range.offsets
    @client.producer(@topic) do |producer|
      assert_raises(ArgumentError) { producer.send(5) }
      assert_raises(ArgumentError) { producer.send('v', id: 'short') }
    end
  end

  def test_records_are_enumerable_and_closing_ends_them
    @client.create_topic(@topic)
    @client.producer(@topic) { |producer| producer.send_all((0...50).map(&:to_s)) }
    consumer = @client.consumer(@topic, start: :earliest)
    assert_equal (0...20).map(&:to_s), consumer.first(20).map(&:value)
    batch = @client.fetch(@topic, 0, 10).batches.first
    assert_equal ['10', '49', nil], [batch[0].value, batch[-1].value, batch[40]]
    assert_equal 40, batch.each.size
    reading = Thread.new { consumer.each_batch.to_a }
    sleep 0.05
    consumer.close(timeout: PATIENCE)
    assert reading.join(PATIENCE)
    assert_predicate consumer, :closed?
    assert_nil consumer.poll
  end

  def test_records_come_one_by_one_and_no_rest_of_a_batch_is_lost
    @client.create_topic(@topic)
    producer = @client.producer(@topic)
    producer.send_all((0...10).map(&:to_s))
    consumer = @client.consumer(@topic, start: :earliest)
    assert_equal '0', consumer.next(timeout: PATIENCE).value
    assert_equal %w[1 2], consumer.first(2).map(&:value)
    assert_equal '3', consumer.next(timeout: PATIENCE).value
    assert_equal [4, 6], [consumer.positions.first.next_offset, consumer.lag]
    assert_equal '4', consumer.poll(timeout: PATIENCE).first.value
    consumer.seek(0, 6)
    assert_equal '6', consumer.next(timeout: PATIENCE).value
    consumer.seek(0, 9)
    assert_equal '9', consumer.next(timeout: PATIENCE).value
    assert_nil consumer.next(timeout: 0)
    assert_nil consumer.next(timeout: 0.02)
    assert_raises(Timeout::Error) { Timeout.timeout(0.1) { consumer.next } }
    waiting = Thread.new { consumer.next(timeout: PATIENCE) }
    producer.send('last')
    assert_equal 10, waiting.value.offset
    consumer.close
    assert_nil consumer.next
    producer.close
  end

  def test_a_commit_stores_how_far_records_were_returned
    group = "g-#{@topic}"
    @client.create_topic(@topic, partitions: 2)
    producer = @client.producer(@topic)
    consumer = @client.consumer(@topic, group: group, start: :earliest, auto_commit: :off)
    producer.send_all((0...3).map { |at| { value: at.to_s, partition: 1 } })
    3.times { consumer.next(timeout: PATIENCE) }
    producer.send_all((0...10).map { |at| { value: at.to_s, partition: 0 } })
    4.times { consumer.next(timeout: PATIENCE) }
    consumer.commit
    assert_equal([[0, 4], [1, 3]], @client.committed(group, @topic).map { |one| [one.partition, one.offset] })
    consumer.commit(consumer.next(timeout: PATIENCE))
    assert_equal 5, @client.committed(group, @topic).first.offset
    seen = 5
    seen += consumer.poll(timeout: PATIENCE).size while seen < 10
    consumer.commit
    assert_equal [10, 3], @client.committed(group, @topic).map(&:offset)
    consumer.close
    producer.close
  end

  def test_a_wait_lets_other_threads_go_on_and_can_be_interrupted
    @client.create_topic(@topic)
    consumer = @client.consumer(@topic, start: :earliest)
    assert_raises(Timeout::Error) { Timeout.timeout(0.1) { consumer.poll } }
    waiting = Thread.new { consumer.poll(timeout: PATIENCE) }
    @client.producer(@topic) { |producer| producer.send('one') }
    assert_equal 'one', waiting.value.first.value
    assert_nil consumer.poll(timeout: 0)
    assert_nil consumer.poll(timeout: 0.02)
    consumer.close
  end

  def test_a_group_goes_on_where_it_was
    @client.create_topic(@topic, partitions: 2)
    producer = @client.producer(@topic)
    producer.send_all((0...10).map { |at| { value: "v#{at}", partition: at % 2 } })
    member = -> { @client.consumer(@topic, group: "g-#{@topic}", start: :earliest, auto_commit: :off) }
    first = member.call
    seen = 0
    seen += first.poll(timeout: PATIENCE).size while seen < 10
    assert_equal 2, first.assignment.size
    first.commit
    first.close
    assert_equal [5, 5], @client.committed("g-#{@topic}", @topic).map(&:offset)
    producer.send('last', partition: 1)
    second = member.call
    assert_equal 'last', second.poll(timeout: PATIENCE).first.value
    second.close
    assert_equal [0, 0], @client.reset_offsets("g-#{@topic}", @topic, :earliest).map(&:offset)
    assert_equal 2, @client.describe_group("g-#{@topic}").partitions.size
    @client.delete_group("g-#{@topic}")
    producer.close
  end

  def test_places_and_pauses
    @client.create_topic(@topic)
    @client.producer(@topic) { |producer| producer.send_all((0...5).map(&:to_s)) }
    consumer = @client.consumer(@topic, start: :latest)
    consumer.pause(0)
    consumer.seek(0, 3)
    assert_nil consumer.poll(timeout: 0.02)
    consumer.resume(0)
    assert_equal %w[3 4], consumer.poll(timeout: PATIENCE).map(&:value)
    assert_equal [0, 5], [consumer.lag, consumer.positions.first.next_offset]
    assert consumer.remove_partition(0)
    refute consumer.remove_partition(0)
    consumer.close
    assert_equal 2, @client.truncate(@topic, 0, 2)
    assert_equal 2, @client.partitions(@topic).first.start_offset
  end

  def test_streams_topics_and_limits_are_administered
    @client.create_stream('shop')
    made = @client.create_topic('shop/orders', partitions: 3, retention_ms: 60_000, codec: 'lz4')
    assert_equal [3, 'lz4', 60_000], [made.partitions, made.codec, made.retention_ms]
    assert_equal 4, @client.add_partitions('shop/orders', 4).partitions
    assert_equal %w[orders], @client.list_topics('shop').map(&:name)
    assert_operator @client.describe_limits.size, :>, 0
    assert_raises(Tidewire::ConflictError) { @client.delete_stream('shop') }
    @client.delete_stream('shop', with_topics: true)
    refute_includes @client.list_streams.map(&:name), 'shop'
    assert_operator @client.ping, :>, 0
    assert_equal 'tidewire', @client.server.name
  end
end

# On servers of their own.
class ProcessTest < Minitest::Test
  def test_a_producer_goes_on_after_the_server_was_killed
    server = TestServer.new
    Tidewire::Client.connect(server.url, retry_backoff_ms: 20) do |client|
      client.create_topic('t')
      events = client.events
      client.producer('t') do |producer|
        producer.send('before')
        server.restart
        producer.send('after')
      end
      assert_equal %w[before after], client.fetch('t', 0, 0).batches.flat_map { |batch| batch.map(&:value) }
      kinds = []
      kinds << events.poll(timeout: PATIENCE).kind until kinds.include?('connected')
      assert_includes kinds, 'disconnected'
    end
  ensure
    server.stop
  end

  def test_a_user_may_what_its_grants_say
    server = TestServer.new(secured: true)
    assert_raises(Tidewire::AuthError) { Tidewire::Client.connect(server.url) }
    Tidewire::Client.connect(server.root_url) do |root|
      root.create_topic('seen')
      root.create_user('ada', password: 'a long password', grants: ['read,write topic default/seen'])
      assert_equal ['read,write topic default/seen'], root.describe_user('ada').grants
      token = root.create_token('laptop', user: 'ada', lifetime: 3600)
      [{ user: 'ada', secret: 'a long password' }, { secret: token.secret }].each do |options|
        Tidewire::Client.connect(server.url, **options) do |ada|
          ada.producer('seen') { |producer| producer.send('hello') }
          assert_equal Tidewire::Code::DENIED, assert_raises(Tidewire::AuthError) { ada.create_topic('other') }.code
        end
      end
      root.delete_token(root.list_tokens('ada').first.id)
      root.delete_user('ada')
      assert_equal %w[root], root.list_users.map(&:name)
    end
  ensure
    server.stop
  end

  def test_a_child_of_a_fork_is_refused_unless_its_parent_has_not_used_the_client
    server = TestServer.new
    program = <<~RUBY
      require 'tidewire'
      url = ARGV.fetch(0)
      Process.wait(fork { Tidewire::Client.connect(url) { |client| puts client.server.name }; $stdout.flush; exit!(0) })
      client = Tidewire::Client.connect(url)
      refused = lambda do |&call|
        call.call
        puts 'not refused'
      rescue Tidewire::ClosedError => e
        puts e.code_name
      end
      Process.wait(fork { refused.call { client.ping }; refused.call { Tidewire::Client.connect(url) }; $stdout.flush; exit!(0) })
      puts client.ping.positive?
    RUBY
    lib = File.expand_path('../lib', __dir__)
    told = Timeout.timeout(PATIENCE) { IO.popen([RbConfig.ruby, '-I', lib, '-e', program, server.url], &:read) }
    assert_equal %w[tidewire FORKED FORKED true], told.split
  ensure
    server.stop
  end

  def test_the_example_runs
    server = TestServer.new
    example = File.expand_path('../examples/orders.rb', __dir__)
    told = IO.popen([RbConfig.ruby, '-I', File.expand_path('../lib', __dir__), example, server.url], &:read)
    assert_includes told, 'order 9'
  ensure
    server.stop
  end
end
