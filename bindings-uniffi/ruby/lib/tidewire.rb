# frozen_string_literal: true

# The Tidewire client for Ruby: {Tidewire::Client} connects, {Tidewire::Producer} and
# {Tidewire::Consumer} are made from it.
module Tidewire
  # Where the native library is: in the gem, unless TIDEWIRE_LIBRARY says where else.
  LIBRARY = ENV['TIDEWIRE_LIBRARY'] || File.expand_path('tidewire/native/libtidewire_uniffi.so', __dir__)

  unless File.exist?(LIBRARY)
    raise LoadError, "there is no #{LIBRARY}: build it with `rake library`, or set TIDEWIRE_LIBRARY"
  end
end

require 'io/wait' # what UniFFI writes waits by it, and Ruby before 3.2 has it here
begin
  require_relative 'tidewire/native/tidewire_native'
rescue LoadError => e
  raise unless e.message.include?(Tidewire::LIBRARY)

  raise LoadError, "#{Tidewire::LIBRARY} cannot be loaded on #{RUBY_PLATFORM}: #{e.message}"
end
require_relative 'tidewire/version'
require_relative 'tidewire/codes'
require_relative 'tidewire/error'
require_relative 'tidewire/batch'
require_relative 'tidewire/packer'
require_relative 'tidewire/producer'
require_relative 'tidewire/consumer'
require_relative 'tidewire/events'
require_relative 'tidewire/client'
