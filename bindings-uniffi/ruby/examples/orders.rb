# frozen_string_literal: true

# Sends ten orders, and reads them as a member of a group: orders.rb [URL]
require 'tidewire'

Tidewire::Client.connect(ARGV.fetch(0, 'tidewire://127.0.0.1:8433')) do |client|
  begin
    client.create_topic('orders', partitions: 4)
  rescue Tidewire::ConflictError
    # It is there already.
  end

  client.producer('orders') do |producer|
    receipts = producer.send_all((0...10).map { |number| { value: "order #{number}", key: "customer #{number % 3}" } })
    receipts.each { |receipt| puts "partition #{receipt.partition}, offset #{receipt.offset}" }
  end

  client.consumer('orders', group: 'billing', start: :earliest) do |consumer|
    consumer.first(10).each { |record| puts "#{record.key}: #{record.text}" }
    consumer.commit
  end
end
