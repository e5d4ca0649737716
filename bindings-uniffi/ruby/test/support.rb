# frozen_string_literal: true

require 'fileutils'
require 'minitest/autorun'
require 'tidewire'
require 'timeout'
require 'tmpdir'

# Seconds that anything may take on a slow machine.
PATIENCE = 60

# A server of its own, on a fresh directory and a port that the system chooses.
class TestServer
  attr_reader :url

  def initialize(secured: false)
    @secured = secured
    @directory = Dir.mktmpdir('tidewire-ruby-')
    start(0)
  end

  # Where root logs in, of a secured one.
  def root_url = File.read(File.join(@directory, 'root.url')).strip

  # Kills it, and starts it again on the same port and data.
  def restart
    kill
    start(@url[/:(\d+)\/?\z/, 1])
  end

  def stop
    kill
    FileUtils.rm_rf([@directory, "#{@directory}.sockets"])
  end

  private

  def start(port)
    binary = ENV.fetch('TIDEWIRE_TEST_SERVER')
    mode = @secured ? ['--socket-dir', "#{@directory}.sockets"] : ['--dev']
    clean = ENV.keys.grep(/\ATIDEWIRE_/).to_h { |name| [name, nil] }
    arguments = ['--data', @directory, '--listen', "127.0.0.1:#{port}", '--log', 'error']
    @output = IO.popen(clean, [binary, 'serve', *mode, *arguments])
    line = @output.gets or raise 'the server ended'
    @url = line[/tidewire:\S+/] or raise "the server said: #{line}"
  end

  def kill
    Process.kill(:KILL, @output.pid)
    @output.close
  end
end

# Tests with a server that they share.
class ServerTest < Minitest::Test
  def self.server
    @@server ||= TestServer.new.tap { |server| Minitest.after_run { server.stop } }
  end

  def setup
    @client = Tidewire::Client.connect(ServerTest.server.url)
    @topic = "t-#{name}"
  end

  def teardown
    @client.close
  end

  def run(...)
    Timeout.timeout(3 * PATIENCE) { super }
  end

  # Reads so many records from the beginning.
  def read_all(topic, count, client: @client)
    found = []
    client.consumer(topic, start: :earliest) do |consumer|
      while found.size < count
        batch = consumer.poll(timeout: PATIENCE) or flunk "only #{found.size} of #{count} records came"
        found.concat(batch.to_a)
      end
    end
    found
  end
end
