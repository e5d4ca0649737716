# frozen_string_literal: true

# The operations, each a call or two of the public API, and everything that was opened, by name.
class Operations
  FEATURES = %w[
    admin fetch producer enqueue named_producer record_id codecs consumer seek pause positions partitions
    stats events cancel concurrent reconnect timestamps retention option_structs topic_update truncate
    groups offsets named_consumer users limits next_record
  ].freeze

  def initialize
    @clients = {}
    @producers = {}
    @consumers = {}
    @events = {}
    @tickets = {}
    @members = {}
  end

  def run(operation, args)
    name = operation.tr('.', '_')
    raise Unsupported, "no operation #{operation}" unless OPERATIONS.include?(name)

    public_send(:"op_#{name}", args)
  end

  def op_hello(_args)
    { 'protocol' => 1, 'sdk' => 'ruby', 'language' => 'Ruby', 'sdk_version' => Tidewire::VERSION,
      'features' => FEATURES }
  end

  def op_connect(args)
    client = Tidewire::Client.connect(args['url'], **options(args))
    @clients[args['client']] = client
    Values.server(client.server)
  end

  def op_server(args) = Values.server(client(args).server)

  def op_ping(args) = none { client(args).ping }

  def op_client_close(args) = none { client(args).close }

  def op_limits_describe(args) = Values.limits(client(args).describe_limits)

  def op_events_watch(args) = none { @events[args['client']] = client(args).events }

  def op_events_next(args)
    { 'event' => Values.event(named(@events, args['client']).poll(timeout: timeout(args))) }
  end

  def op_fetch(args)
    bounds = %w[max_bytes min_bytes max_wait_ms].to_h { |name| [name.to_sym, Values.whole(args[name])] }
    found = client(args).fetch(args['topic'], args['partition'], Integer(args['offset']), **bounds)
    records = found.batches.flat_map { |batch| batch.map { |one| Values.record(one) } }
    Values.fields(found, text: %i[start_offset end_offset next_offset])
          .merge('records' => records, 'batches' => found.batches.size)
  end

  def op_stream_create(args) = Values.stream(client(args).create_stream(args['name']))

  def op_stream_describe(args) = Values.stream(client(args).describe_stream(args['name']))

  def op_stream_list(args) = { 'streams' => client(args).list_streams.map { |one| Values.stream(one) } }

  def op_stream_delete(args)
    none { client(args).delete_stream(args['name'], with_topics: args['with_topics'] || false) }
  end

  def op_stream_purge(args) = none { client(args).purge_stream(args['name']) }

  def op_topic_create(args) = Values.topic(client(args).create_topic(args['topic'], **options(args)))

  def op_topic_update(args) = Values.topic(client(args).update_topic(args['topic'], **options(args)))

  def op_topic_describe(args) = Values.topic(client(args).describe_topic(args['topic']))

  def op_topic_list(args) = { 'topics' => client(args).list_topics(args['stream']).map { |one| Values.topic(one) } }

  def op_topic_purge(args) = none { client(args).purge_topic(args['topic']) }

  def op_topic_delete(args) = none { client(args).delete_topic(args['topic']) }

  def op_topic_add_partitions(args) = Values.topic(client(args).add_partitions(args['topic'], args['partitions']))

  def op_topic_truncate(args)
    { 'start_offset' => client(args).truncate(args['topic'], args['partition'], Integer(args['before_offset'])).to_s }
  end

  def op_topic_partitions(args)
    { 'partitions' => client(args).partitions(args['topic']).map { |one| Values.partition(one) } }
  end

  def op_producer_open(args)
    producer = client(args).producer(args['topic'], name: args['name'], **options(args))
    @producers[args['producer']] = producer
    { 'partitions' => producer.partitions }
  end

  def op_producer_list(args)
    { 'producers' => client(args).producers(args['topic']).map { |one| Values.fields(one, :name) } }
  end

  def op_producer_forget(args) = none { client(args).forget_producer(args['topic'], args['name']) }

  def op_producer_send(args)
    value, parts = Values.record_of(args['record'])
    Values.outcome(producer(args).send(value, **parts))
  end

  def op_producer_send_many(args)
    taken = args['records'].map { |one| enqueue_when_there_is_room(producer(args), one) }
    begin
      producer(args).flush
    rescue Tidewire::Error
      # What fails is told by its ticket.
    end
    receipts(taken)
  end

  def op_producer_enqueue(args)
    names = args['records'].map do |one|
      value, parts = Values.record_of(one)
      name = "t#{@tickets.size}"
      @tickets[name] = producer(args).enqueue(value, **parts)
      name
    end
    { 'tickets' => names }
  end

  def op_producer_wait(args) = receipts(args['tickets'].map { |name| named(@tickets, name) })

  def op_producer_flush(args) = none { producer(args).flush }

  def op_producer_close(args) = none { producer(args).close }

  def op_producer_stats(args)
    Values.fields(producer(args).stats, text: %i[
                    queued_records queued_bytes in_flight_batches sent_batches sent_bytes retried_batches
                    duplicate_batches acknowledged_records failed_records unknown_records dropped_records
                  ])
  end

  def op_consumer_open(args)
    start_at = (args['start_at'] || {}).to_h { |partition, offset| [Integer(partition), Integer(offset)] }
    @members[args['consumer']] = !args['group'].nil?
    @consumers[args['consumer']] =
      client(args).consumer(args['topic'], group: args['group'], name: args['name'],
                                           partitions: args['partitions'], start_at: start_at, **options(args))
    {}
  end

  def op_consumer_next_batch(args)
    batch = consumer(args).poll(timeout: timeout(args))
    { 'batch' => batch && Values.batch(batch), 'closed' => batch.nil? && consumer(args).closed? }
  end

  def op_consumer_next_record(args)
    record = consumer(args).next(timeout: timeout(args))
    { 'record' => record && Values.record(record), 'closed' => record.nil? && consumer(args).closed? }
  end

  # Whole batches until there are `count` records, or the time is up.
  def op_consumer_read(args)
    deadline = now + timeout(args)
    digests = Digests.new
    records = []
    seen = 0
    while seen < Integer(args['count'])
      batch = consumer(args).poll(timeout: [deadline - now, 0].max) or break
      seen += batch.size
      batch.each { |one| args['digest'] ? digests.add(one) : records << Values.record(one) }
    end
    told = args['digest'] ? { 'digests' => digests.finish } : { 'records' => records }
    { 'count' => seen.to_s }.merge(told)
  end

  def op_consumer_seek(args) = none { consumer(args).seek(args['partition'], args['to']) }

  def op_consumer_pause(args) = none { consumer(args).pause(args['partition']) }

  def op_consumer_resume(args) = none { consumer(args).resume(args['partition']) }

  def op_consumer_add_partition(args) = none { consumer(args).add_partition(args['partition'], args['start']) }

  def op_consumer_remove_partition(args) = none { consumer(args).remove_partition(args['partition']) }

  def op_consumer_positions(args)
    one = consumer(args)
    positions =
      if @members[args['consumer']]
        one.assignment.map { |part| Values.fields(part, :topic, :partition) }
      else
        one.positions.map do |part|
          Values.fields(part, :topic, :partition, text: %i[next_offset end_offset])
                .merge('stored_offset' => part.stored_offset&.to_s)
        end
      end
    { 'positions' => positions, 'lag' => one.lag.to_s }
  end

  def op_consumer_commit(args) = none { consumer(args).commit }

  def op_consumer_stats(args)
    Values.fields(consumer(args).stats, :partitions, :live_partitions,
                  text: %i[buffered_bytes batches bytes resubscriptions skipped_offsets stored_offsets])
  end

  def op_consumer_close(args) = none { consumer(args).close }

  def op_group_create(args) = Values.fields(client(args).create_group(args['group']), :name)

  def op_group_delete(args) = none { client(args).delete_group(args['group']) }

  def op_group_describe(args)
    found = client(args).describe_group(args['group'])
    Values.fields(found.info, :name, :generation)
          .merge('members' => found.members.size, 'partitions' => found.partitions.size)
  end

  def op_group_list(args)
    { 'groups' => client(args).list_groups.map { |one| Values.fields(one, :name, :members) } }
  end

  def op_offsets_get(args)
    found = client(args).committed(args['group'], args['topic'])
    { 'offsets' => found.map { |one| Values.fields(one, :partition, text: %i[offset]) } }
  end

  def op_offsets_set(args)
    none do
      client(args).reset_offsets(args['group'], args['topic'], args['offset'], partitions: [args['partition']])
    end
  end

  def op_offsets_delete(args)
    none { client(args).delete_offsets(args['group'], args['topic'], partitions: [args['partition']]) }
  end

  def op_user_create(args)
    Values.user(client(args).create_user(args['name'], password: args['password'], grants: args['grants'] || []))
  end

  def op_user_describe(args)
    found = client(args).describe_user(args['name'])
    Values.user(found.user).merge('grants' => found.grants)
  end

  def op_user_list(args) = { 'users' => client(args).list_users.map { |one| Values.user(one) } }

  def op_user_enable(args) = Values.user(client(args).enable_user(args['name'], args['enabled']))

  def op_user_password(args) = none { client(args).change_password(args['password'], user: args['name']) }

  def op_user_delete(args) = none { client(args).delete_user(args['name']) }

  def op_user_grants(args)
    changes = { revoke: args['revoke'] || [], grant: args['grant'] || [] }
    { 'grants' => client(args).change_grants(args['name'], **changes) }
  end

  def op_token_create(args)
    lifetime = args['lifetime_ms'] && Integer(args['lifetime_ms']) / 1000.0
    made = client(args).create_token(args['name'], user: args['user'], lifetime: lifetime)
    Values.token(made.token).merge('secret' => made.secret)
  end

  def op_token_list(args) = { 'tokens' => client(args).list_tokens(args['user']).map { |one| Values.token(one) } }

  def op_token_delete(args) = none { client(args).delete_token(Integer(args['id'])) }

  OPERATIONS = instance_methods(false).grep(/\Aop_/).map { |name| name.to_s.delete_prefix('op_') }.freeze
  private_constant :OPERATIONS

  private

  def named(all, name) = all.fetch(name) { raise "nothing is open as #{name}" }

  def client(args) = named(@clients, args['client'])

  def producer(args) = named(@producers, args['producer'])

  def consumer(args) = named(@consumers, args['consumer'])

  def options(args) = (args['options'] || {}).transform_keys(&:to_sym)

  def timeout(args) = Integer(args['timeout_ms'] || 10_000) / 1000.0

  def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

  def none
    yield
    {}
  end

  def receipts(taken) = { 'receipts' => taken.map { |ticket| Values.outcome(ticket.outcomes.first) } }

  def enqueue_when_there_is_room(producer, record)
    value, parts = Values.record_of(record)
    producer.enqueue(value, **parts)
  rescue Tidewire::BusyError
    producer.ready
    retry
  end
end
