# frozen_string_literal: true

require_relative 'lib/tidewire/version'

Gem::Specification.new do |spec|
  spec.name = 'tidewire'
  spec.version = Tidewire::VERSION
  spec.summary = 'The Tidewire client for Ruby'
  spec.description = 'Produces to and consumes from Tidewire, a persistent message-streaming server.'
  spec.authors = ['The Tidewire authors']
  spec.homepage = 'https://github.com/tidewire/tidewire'
  spec.license = 'Apache-2.0'
  spec.metadata = { 'source_code_uri' => spec.homepage, 'rubygems_mfa_required' => 'true' }
  spec.required_ruby_version = '>= 3.0'
  # The library in it is built for one kind of machine.
  spec.platform = Gem::Platform.local
  spec.files = Dir['lib/**/*.{rb,so}', 'README.md', 'LICENSE', 'examples/*.rb']
  spec.add_dependency 'ffi', '~> 1.15'
end
