# frozen_string_literal: true

module Tidewire
  # An error of the client or of the server.
  #
  # A program decides by the class, {#code} (see {Code}), {#retriable?} and {#outcome_unknown?};
  # the message is for people and may change.
  class Error < StandardError
    # The stable number; one that is newer than this version keeps its value.
    attr_reader :code
    # The number's name, such as `TOPIC_NOT_FOUND`.
    attr_reader :code_name
    # What the caller can do about it, as one of a few groups; each has a class below.
    attr_reader :kind
    # The bits of what may be concluded, whatever the number.
    attr_reader :disposition
    # With OFFSET_OUT_OF_RANGE, the range of the offsets that there are, where they could be learnt.
    attr_reader :offsets
    # Of a producer that was closed: its records without an acknowledgement, by partition.
    attr_reader :unsent

    def initialize(failure)
      super(failure.text)
      @code = failure.number
      @code_name = failure.name
      @kind = failure.kind
      @disposition = failure.disposition
      @retriable = failure.retriable
      @outcome_unknown = failure.outcome_unknown
      @offsets = failure.first_offset && (failure.first_offset...failure.next_offset)
      @unsent = failure.unsent
    end

    # Whether nothing happened and the same request may succeed later.
    def retriable? = @retriable

    # Whether the request may or may not have been carried out.
    def outcome_unknown? = @outcome_unknown

    # The error that the native layer tells of.
    def self.of(failure) = KINDS.fetch(failure.kind, Error).new(failure)
  end

  # The peers misunderstand each other.
  class ProtocolError < Error; end
  # Credentials or permission.
  class AuthError < Error; end
  # The request can never succeed as it is.
  class InvalidError < Error; end
  # Something named does not exist.
  class NotFoundError < Error; end
  # Something exists already, or is in use.
  class ConflictError < Error; end
  # Records were refused.
  class AppendError < Error; end
  # A partition cannot store or read.
  class StorageError < Error; end
  # A read was refused.
  class ConsumeError < Error; end
  # Too much at once; try again later.
  class BusyError < Error; end
  # The server failed or is stopping.
  class ServerError < Error; end
  # No connection.
  class ConnectionError < Error; end
  # No answer in time.
  class TimeoutError < Error; end
  # The client is closed, or cannot be used here.
  class ClosedError < Error; end

  class Error
    KINDS = {
      'protocol' => ProtocolError, 'auth' => AuthError, 'invalid' => InvalidError,
      'not_found' => NotFoundError, 'conflict' => ConflictError, 'append' => AppendError,
      'storage' => StorageError, 'consume' => ConsumeError, 'busy' => BusyError,
      'server' => ServerError, 'connection' => ConnectionError, 'timeout' => TimeoutError,
      'closed' => ClosedError
    }.freeze
    private_constant :KINDS
  end

  # Calls the native layer, and tells its errors as this module's.
  module Told
    module_function

    def told
      raise Error.of(forked) unless (@process ||= Process.pid) == Process.pid

      yield
    rescue TidewireNative::NativeError::Failed => e
      raise Error.of(e.failure), cause: nil
    end

    # Completions come on a thread of the gem ffi's, which the child of a fork has not: it would wait
    # for ever.
    def forked
      TidewireNative::Failure.new(
        number: Code::FORKED, name: 'FORKED', kind: 'closed', disposition: 0, retriable: false,
        outcome_unknown: false, first_offset: nil, next_offset: nil, unsent: [],
        text: 'this process was forked from one that has used the client: connect after forking only'
      )
    end

    # Seconds as whole milliseconds, rounded up.
    def milliseconds(seconds) = seconds && (seconds * 1000).ceil

    # Options as the core reads them; those without a value are left out.
    def named(options) = options.compact.to_h { |name, value| [name.to_s, value.to_s] }
  end
  private_constant :Told
end
