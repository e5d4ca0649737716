# frozen_string_literal: true

# The conformance adapter of the gem: JSON lines in, calls of the public API, JSON lines out. It does
# what it is told and judges nothing; conformance/README.md of the repository describes the lines.

$LOAD_PATH.unshift File.expand_path('../lib', __dir__)
ENV['TIDEWIRE_LIBRARY'] = ARGV.fetch(0)
require 'json'
require 'tidewire'
require_relative 'values'
require_relative 'operations'

WRITING = Mutex.new

def answer(id, what, told)
  line = JSON.generate({ 'id' => id, what => told })
  WRITING.synchronize do
    $stdout.puts line
    $stdout.flush
  end
end

def perform(operations, request)
  id = request['id']
  answer(id, 'ok', operations.run(request['op'], request['args']))
rescue Tidewire::Error => e
  answer(id, 'err', Values.error(e))
rescue Unsupported => e
  answer(id, 'unsupported', e.message)
rescue Cancelled
  answer(id, 'cancelled', true)
rescue StandardError => e
  answer(id, 'fail', e.full_message(highlight: false))
end

operations = Operations.new
running = {}
$stdin.each_line do |line|
  request = JSON.parse(line)
  if request['op'] == 'cancel'
    running[Integer(request['args']['request'])]&.raise(Cancelled)
    answer(request['id'], 'ok', {})
    next
  end
  # A thread for each: one may wait while another closes what it waits for.
  running[request['id']] = Thread.new { perform(operations, request) }
end
# The end of the input is the end of the adapter, whatever is still under way.
$stdout.flush
exit!(0)
