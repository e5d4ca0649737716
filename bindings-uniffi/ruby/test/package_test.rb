# frozen_string_literal: true

require_relative 'support'
require 'open3'
require 'rubygems'

# The gem as others install it: where there is nothing but it, and what it depends on.
class PackageTest < Minitest::Test
  ROOT = File.expand_path('..', __dir__)

  def setup
    @directory = Dir.mktmpdir('tidewire-gem-')
  end

  def teardown
    FileUtils.rm_rf(@directory)
  end

  def test_the_gem_that_was_built_runs_the_quick_start
    source = File.join(@directory, 'source')
    FileUtils.mkdir_p(source)
    FileUtils.cp_r(%w[lib examples README.md tidewire.gemspec].map { |name| File.join(ROOT, name) }, source)
    # As `rake library` does it, with the library that the tests have.
    native = File.join(source, 'lib/tidewire/native/libtidewire_uniffi.so')
    FileUtils.rm_f(native)
    FileUtils.cp(Tidewire::LIBRARY, native) unless system('strip', '-S', '-o', native, Tidewire::LIBRARY, err: File::NULL)
    built = File.join(@directory, 'tidewire.gem')
    told, status = run_alone(RbConfig.ruby, '-S', 'gem', 'build', 'tidewire.gemspec', '-o', built, chdir: source)
    assert_predicate status, :success?, told
    home = File.join(@directory, 'home')
    # What it depends on is the system's: nothing is fetched.
    told, status = run_alone(RbConfig.ruby, '-S', 'gem', 'install', '--local', '--ignore-dependencies', '--no-document',
                             '--install-dir', home, built)
    assert_predicate status, :success?, told
    FileUtils.rm_rf(source)
    server = TestServer.new
    path = [home, *Gem.path].join(File::PATH_SEPARATOR)
    begin
      program = "gem 'tidewire'; load File.join(Gem.loaded_specs['tidewire'].full_gem_path, 'examples/orders.rb')"
      told, status = run_alone({ 'GEM_HOME' => home, 'GEM_PATH' => path }, RbConfig.ruby, '-e', program, server.url)
    ensure
      server.stop
    end
    assert_predicate status, :success?, told
    assert_includes told, 'order 9'
  end

  def test_without_a_library_the_error_says_what_is_missing
    FileUtils.cp_r(File.join(ROOT, 'lib'), @directory)
    FileUtils.rm_f(File.join(@directory, 'lib/tidewire/native/libtidewire_uniffi.so'))
    told, status = run_alone(RbConfig.ruby, '-I', File.join(@directory, 'lib'), '-e', "require 'tidewire'")
    refute_predicate status, :success?
    assert_match(/there is no .*libtidewire_uniffi\.so.* \(LoadError\)/, told)
    foreign = File.join(@directory, 'foreign.so')
    File.write(foreign, 'no library')
    told, status = run_alone({ 'TIDEWIRE_LIBRARY' => foreign }, RbConfig.ruby, '-I', File.join(@directory, 'lib'), '-e', "require 'tidewire'")
    refute_predicate status, :success?
    assert_match(/#{Regexp.escape(foreign)} cannot be loaded.*#{RUBY_PLATFORM}/, told)
  end

  private

  # What it says, and its status: without what the tests' own environment has.
  def run_alone(*command, chdir: @directory)
    given = command.first.is_a?(Hash) ? command.shift : {}
    clean = ENV.keys.grep(/\A(TIDEWIRE_|RUBY|GEM_|BUNDLE|LD_LIBRARY_PATH)/).to_h { |name| [name, nil] }
    Timeout.timeout(PATIENCE) { Open3.capture2e(clean.merge(given), *command, chdir: chdir) }
  end
end
