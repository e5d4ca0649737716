# Written by UniFFI: `cargo xtask uniffi`. Do not edit.

# Common helper code.
#
# Ideally this would live in a separate .rb file where it can be unittested etc
# in isolation, and perhaps even published as a re-useable package.
#
# However, it's important that the details of how this helper code works (e.g. the
# way that different builtin types are passed across the FFI) exactly match what's
# expected by the rust code on the other side of the interface. In practice right
# now that means coming from the exact some version of `uniffi` that was used to
# compile the rust component. The easiest way to ensure this is to bundle the Ruby
# helpers directly inline like we're doing here.

require 'ffi'
require 'set'
require 'monitor'

module TidewireNative
  def self.uniffi_in_range(i, type_name, min, max)
  raise TypeError, "no implicit conversion of #{i} into Integer" unless i.respond_to?(:to_int)
  i = i.to_int
  raise RangeError, "#{type_name} requires #{min} <= value < #{max}" unless (min <= i && i < max)
  i
end

def self.uniffi_utf8(v)
  raise TypeError, "no implicit conversion of #{v} into String" unless v.respond_to?(:to_str)
  v = v.to_str.encode(Encoding::UTF_8)
  raise Encoding::InvalidByteSequenceError, "not a valid UTF-8 encoded string" unless v.valid_encoding?
  v
end

def self.uniffi_bytes(v)
  raise TypeError, "no implicit conversion of #{v} into String" unless v.respond_to?(:to_str)
  v.to_str
end

# Callback return codes
UNIFFI_CALLBACK_SUCCESS = 0
UNIFFI_CALLBACK_ERROR = 1
UNIFFI_CALLBACK_UNEXPECTED_ERROR = 2

# Call a method on a callback interface object, catching and reporting errors
# to Rust via the call_status.
# If error_type is provided, known errors of that type are reported as UNIFFI_CALLBACK_ERROR;
# all other errors are reported as UNIFFI_CALLBACK_UNEXPECTED_ERROR.
def self.uniffi_trait_interface_call(call_status, make_call, write_return_value, error_type = nil, lower_error = nil)
  begin
    write_return_value.call make_call.call
  rescue StandardError => e
    buf = if !error_type.nil? && uniffi_is_error_type?(e, error_type)
      call_status[:code] = UNIFFI_CALLBACK_ERROR
      lower_error.call e
    else
      call_status[:code] = UNIFFI_CALLBACK_UNEXPECTED_ERROR
      RustBuffer.alloc_from_string(e.inspect)
    end

    error_buf = call_status[:error_buf]
    error_buf[:capacity] = buf[:capacity]
    error_buf[:len] = buf[:len]
    error_buf[:data] = buf[:data]
  end
end

# Check if an exception is a variant of the given error type.
# Error types in Ruby are either modules (non-flat enums) or classes (flat enums),
# with variant classes as constant within them.
def self.uniffi_is_error_type?(e, error_type)
  # Object-as-error: error_type is a class itself (e.g. MyError < StandardError)
  if error_type.is_a?(Class) && e.is_a?(error_type)
    return true
  end

  # Enum error: error_type is a module with class constants for each variant
  error_type.constants.any? do |c|
    klass = error_type.const_get c
    klass.is_a?(Class) && e.is_a?(klass)
  end
end
  # A handle map for converting Ruby objects to/from integer handles.
#
# When passing callback interface or trait interface objects to Ruby, we store
# the Ruby object in this map and pass the integer handle to Rust. When Rust
# calls back, we look up the Ruby object by its handle.
#
# Ruby-created handles are always odd (staring at 1, incrementing by 2).
# Rust-created handles are always even. This convention lets us distinguish
# the source in lift/lower without extra metadata.


class UniffiHandleMap
  def initialize
    @lock = Monitor.new
    @map = {}
    @counter = 1 # Start at 1 (odd), increment by 2
  end

  def insert(obj)
    @lock.synchronize do
      handle = @counter
      @counter += 2
      @map[handle] = obj
      handle
    end
  end

  def get(handle)
    @lock.synchronize do
      obj = @map[handle]
      raise InternalError, "UniffiHandleMap.get: invalid handle #{handle}" if obj.nil?
      obj
    end
  end

  def clone_handle(handle)
    @lock.synchronize do
      obj = @map[handle]
      raise InternalError, "UniffiHandleMap.clone_handle: invalid handle #{handle}" if obj.nil?
      new_handle = @counter
      @counter += 2
      @map[new_handle] = obj
      new_handle
    end
  end

  def remove(handle)
    @lock.synchronize do
      obj = @map.delete(handle)
      raise InternalError, "UniffiHandleMap.remove: invalid handle #{handle}" if obj.nil?
      obj
    end
  end

  # Used for testing/debugging purposes
  def size
    @lock.synchronize { @map.size }
  end
end

private_constant :UniffiHandleMap
  class RustBuffer < FFI::Struct
  layout :capacity, :uint64,
         :len,      :uint64,
         :data,     :pointer

  def self.alloc(size)
    return ::TidewireNative.rust_call(:ffi_tidewire_uniffi_rustbuffer_alloc, size)
  end

  def self.reserve(rbuf, additional)
    return ::TidewireNative.rust_call(:ffi_tidewire_uniffi_rustbuffer_reserve, rbuf, additional)
  end

  def free
    ::TidewireNative.rust_call(:ffi_tidewire_uniffi_rustbuffer_free, self)
  end

  def capacity
    self[:capacity]
  end

  def len
    self[:len]
  end

  def len=(value)
    self[:len] = value
  end

  def data
    self[:data]
  end

  def to_s
    "RustBuffer(capacity=#{capacity}, len=#{len}, data=#{data.read_bytes len})"
  end

  # The allocated buffer will be automatically freed if an error occurs, ensuring that
  # we don't accidentally leak it.
  def self.allocWithBuilder
    builder = RustBufferBuilder.new

    begin
      yield builder
    rescue => e
      builder.discard
      raise e
    end
  end

  # The RustBuffer will be freed once the context-manager exits, ensuring that we don't
  # leak it even if an error occurs.
  def consumeWithStream
    stream = RustBufferStream.new self

    yield stream

    raise RuntimeError, 'junk data left in buffer after consuming' if stream.remaining != 0
  ensure
    free
  end# The primitive String type.

  def self.alloc_from_string(value)
    RustBuffer.allocWithBuilder do |builder|
      builder.write value.encode('utf-8')
      return builder.finalize
    end
  end

  def consume_into_string
    consumeWithStream do |stream|
      return stream.read(stream.remaining).force_encoding(Encoding::UTF_8)
    end
  end

  # The primitive Bytes type.

  def self.alloc_from_bytes(value)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_bytes(value)
      return builder.finalize
    end
  end

  def consume_into_bytes
    consumeWithStream do |stream|
      return stream.read_bytes
    end
  end

  # The Record type CommittedOffset.

  def self.check_lower_TypeCommittedOffset(v)




  end

  def self.alloc_from_TypeCommittedOffset(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypeCommittedOffset(v)
      return builder.finalize
    end
  end

  def consume_into_TypeCommittedOffset
    consumeWithStream do |stream|
      return stream.read_TypeCommittedOffset
    end
  end

  # The Record type ConsumerStats.

  def self.check_lower_TypeConsumerStats(v)








  end

  def self.alloc_from_TypeConsumerStats(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypeConsumerStats(v)
      return builder.finalize
    end
  end

  def consume_into_TypeConsumerStats
    consumeWithStream do |stream|
      return stream.read_TypeConsumerStats
    end
  end

  # The Record type Failure.

  def self.check_lower_TypeFailure(v)







    RustBuffer.check_lower_Optionali64(v.first_offset)
    RustBuffer.check_lower_Optionali64(v.next_offset)
    RustBuffer.check_lower_SequenceTypeUnsent(v.unsent)
  end

  def self.alloc_from_TypeFailure(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypeFailure(v)
      return builder.finalize
    end
  end

  def consume_into_TypeFailure
    consumeWithStream do |stream|
      return stream.read_TypeFailure
    end
  end

  # The Record type GroupDescription.

  def self.check_lower_TypeGroupDescription(v)
    RustBuffer.check_lower_TypeGroupInfo(v.info)
    RustBuffer.check_lower_SequenceTypeGroupMember(v.members)
    RustBuffer.check_lower_SequenceTypeGroupPartition(v.partitions)
  end

  def self.alloc_from_TypeGroupDescription(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypeGroupDescription(v)
      return builder.finalize
    end
  end

  def consume_into_TypeGroupDescription
    consumeWithStream do |stream|
      return stream.read_TypeGroupDescription
    end
  end

  # The Record type GroupInfo.

  def self.check_lower_TypeGroupInfo(v)







  end

  def self.alloc_from_TypeGroupInfo(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypeGroupInfo(v)
      return builder.finalize
    end
  end

  def consume_into_TypeGroupInfo
    consumeWithStream do |stream|
      return stream.read_TypeGroupInfo
    end
  end

  # The Record type GroupMember.

  def self.check_lower_TypeGroupMember(v)









    RustBuffer.check_lower_Sequencestring(v.topics)
  end

  def self.alloc_from_TypeGroupMember(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypeGroupMember(v)
      return builder.finalize
    end
  end

  def consume_into_TypeGroupMember
    consumeWithStream do |stream|
      return stream.read_TypeGroupMember
    end
  end

  # The Record type GroupPartition.

  def self.check_lower_TypeGroupPartition(v)




    RustBuffer.check_lower_Optionali64(v.offset)
    RustBuffer.check_lower_Optionali64(v.commit_us)
  end

  def self.alloc_from_TypeGroupPartition(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypeGroupPartition(v)
      return builder.finalize
    end
  end

  def consume_into_TypeGroupPartition
    consumeWithStream do |stream|
      return stream.read_TypeGroupPartition
    end
  end

  # The Record type Lent.

  def self.check_lower_TypeLent(v)




  end

  def self.alloc_from_TypeLent(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypeLent(v)
      return builder.finalize
    end
  end

  def consume_into_TypeLent
    consumeWithStream do |stream|
      return stream.read_TypeLent
    end
  end

  # The Record type LimitInfo.

  def self.check_lower_TypeLimitInfo(v)





  end

  def self.alloc_from_TypeLimitInfo(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypeLimitInfo(v)
      return builder.finalize
    end
  end

  def consume_into_TypeLimitInfo
    consumeWithStream do |stream|
      return stream.read_TypeLimitInfo
    end
  end

  # The Record type NativeEvent.

  def self.check_lower_TypeNativeEvent(v)

    RustBuffer.check_lower_Optionalstring(v.address)
    RustBuffer.check_lower_Optionali32(v.attempt)
    RustBuffer.check_lower_OptionalTypeFailure(v.failure)
    RustBuffer.check_lower_Optionalstring(v.topic)
    RustBuffer.check_lower_Optionali32(v.partition)
    RustBuffer.check_lower_Optionalstring(v.group)
    RustBuffer.check_lower_OptionalSequenceTypeTopicPartition(v.partitions)
    RustBuffer.check_lower_Optionali64(v.from_offset)
    RustBuffer.check_lower_Optionali64(v.to_offset)
    RustBuffer.check_lower_Optionali64(v.count)
  end

  def self.alloc_from_TypeNativeEvent(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypeNativeEvent(v)
      return builder.finalize
    end
  end

  def consume_into_TypeNativeEvent
    consumeWithStream do |stream|
      return stream.read_TypeNativeEvent
    end
  end

  # The Record type NewToken.

  def self.check_lower_TypeNewToken(v)
    RustBuffer.check_lower_TypeTokenInfo(v.token)

  end

  def self.alloc_from_TypeNewToken(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypeNewToken(v)
      return builder.finalize
    end
  end

  def consume_into_TypeNewToken
    consumeWithStream do |stream|
      return stream.read_TypeNewToken
    end
  end

  # The Record type Outcomes.

  def self.check_lower_TypeOutcomes(v)

    RustBuffer.check_lower_SequenceTypeFailure(v.failures)
  end

  def self.alloc_from_TypeOutcomes(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypeOutcomes(v)
      return builder.finalize
    end
  end

  def consume_into_TypeOutcomes
    consumeWithStream do |stream|
      return stream.read_TypeOutcomes
    end
  end

  # The Record type PartitionInfo.

  def self.check_lower_TypePartitionInfo(v)








  end

  def self.alloc_from_TypePartitionInfo(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypePartitionInfo(v)
      return builder.finalize
    end
  end

  def consume_into_TypePartitionInfo
    consumeWithStream do |stream|
      return stream.read_TypePartitionInfo
    end
  end

  # The Record type PartitionOffset.

  def self.check_lower_TypePartitionOffset(v)


  end

  def self.alloc_from_TypePartitionOffset(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypePartitionOffset(v)
      return builder.finalize
    end
  end

  def consume_into_TypePartitionOffset
    consumeWithStream do |stream|
      return stream.read_TypePartitionOffset
    end
  end

  # The Record type Position.

  def self.check_lower_TypePosition(v)




    RustBuffer.check_lower_Optionali64(v.stored_offset)
  end

  def self.alloc_from_TypePosition(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypePosition(v)
      return builder.finalize
    end
  end

  def consume_into_TypePosition
    consumeWithStream do |stream|
      return stream.read_TypePosition
    end
  end

  # The Record type ProducerInfo.

  def self.check_lower_TypeProducerInfo(v)




  end

  def self.alloc_from_TypeProducerInfo(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypeProducerInfo(v)
      return builder.finalize
    end
  end

  def consume_into_TypeProducerInfo
    consumeWithStream do |stream|
      return stream.read_TypeProducerInfo
    end
  end

  # The Record type ProducerStats.

  def self.check_lower_TypeProducerStats(v)











  end

  def self.alloc_from_TypeProducerStats(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypeProducerStats(v)
      return builder.finalize
    end
  end

  def consume_into_TypeProducerStats
    consumeWithStream do |stream|
      return stream.read_TypeProducerStats
    end
  end

  # The Record type Pushed.

  def self.check_lower_TypePushed(v)


    RustBuffer.check_lower_OptionalTypeFailure(v.failure)
    RustBuffer.check_lower_OptionalTypeNativeTickets(v.tickets)
  end

  def self.alloc_from_TypePushed(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypePushed(v)
      return builder.finalize
    end
  end

  def consume_into_TypePushed
    consumeWithStream do |stream|
      return stream.read_TypePushed
    end
  end

  # The Record type ServerInfo.

  def self.check_lower_TypeServerInfo(v)




    RustBuffer.check_lower_TypeServerLimits(v.limits)
  end

  def self.alloc_from_TypeServerInfo(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypeServerInfo(v)
      return builder.finalize
    end
  end

  def consume_into_TypeServerInfo
    consumeWithStream do |stream|
      return stream.read_TypeServerInfo
    end
  end

  # The Record type ServerLimits.

  def self.check_lower_TypeServerLimits(v)





  end

  def self.alloc_from_TypeServerLimits(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypeServerLimits(v)
      return builder.finalize
    end
  end

  def consume_into_TypeServerLimits
    consumeWithStream do |stream|
      return stream.read_TypeServerLimits
    end
  end

  # The Record type StreamInfo.

  def self.check_lower_TypeStreamInfo(v)




  end

  def self.alloc_from_TypeStreamInfo(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypeStreamInfo(v)
      return builder.finalize
    end
  end

  def consume_into_TypeStreamInfo
    consumeWithStream do |stream|
      return stream.read_TypeStreamInfo
    end
  end

  # The Record type Taken.

  def self.check_lower_TypeTaken(v)
    RustBuffer.check_lower_OptionalTypeLent(v.batch)

  end

  def self.alloc_from_TypeTaken(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypeTaken(v)
      return builder.finalize
    end
  end

  def consume_into_TypeTaken
    consumeWithStream do |stream|
      return stream.read_TypeTaken
    end
  end

  # The Record type TokenInfo.

  def self.check_lower_TypeTokenInfo(v)




    RustBuffer.check_lower_Optionali64(v.expires_us)
  end

  def self.alloc_from_TypeTokenInfo(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypeTokenInfo(v)
      return builder.finalize
    end
  end

  def consume_into_TypeTokenInfo
    consumeWithStream do |stream|
      return stream.read_TypeTokenInfo
    end
  end

  # The Record type TopicInfo.

  def self.check_lower_TypeTopicInfo(v)










  end

  def self.alloc_from_TypeTopicInfo(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypeTopicInfo(v)
      return builder.finalize
    end
  end

  def consume_into_TypeTopicInfo
    consumeWithStream do |stream|
      return stream.read_TypeTopicInfo
    end
  end

  # The Record type TopicPartition.

  def self.check_lower_TypeTopicPartition(v)


  end

  def self.alloc_from_TypeTopicPartition(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypeTopicPartition(v)
      return builder.finalize
    end
  end

  def consume_into_TypeTopicPartition
    consumeWithStream do |stream|
      return stream.read_TypeTopicPartition
    end
  end

  # The Record type Unsent.

  def self.check_lower_TypeUnsent(v)



  end

  def self.alloc_from_TypeUnsent(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypeUnsent(v)
      return builder.finalize
    end
  end

  def consume_into_TypeUnsent
    consumeWithStream do |stream|
      return stream.read_TypeUnsent
    end
  end

  # The Record type UserDescription.

  def self.check_lower_TypeUserDescription(v)
    RustBuffer.check_lower_TypeUserInfo(v.user)
    RustBuffer.check_lower_Sequencestring(v.grants)
  end

  def self.alloc_from_TypeUserDescription(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypeUserDescription(v)
      return builder.finalize
    end
  end

  def consume_into_TypeUserDescription
    consumeWithStream do |stream|
      return stream.read_TypeUserDescription
    end
  end

  # The Record type UserInfo.

  def self.check_lower_TypeUserInfo(v)






  end

  def self.alloc_from_TypeUserInfo(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypeUserInfo(v)
      return builder.finalize
    end
  end

  def consume_into_TypeUserInfo
    consumeWithStream do |stream|
      return stream.read_TypeUserInfo
    end
  end

  # Error enum - generate alloc_from for callback error serialization
  def self.alloc_from_TypeNativeError(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_TypeNativeError(v)
      return builder.finalize
    end
  end

  # Enum used as error - generate consume_into_ for use as a return value
  def consume_into_TypeNativeError
    consumeWithStream do |stream|
      return stream.read_TypeNativeError
    end
  end


  # The Optional<T> type for i32.

  def self.check_lower_Optionali32(v)
    if !v.nil?

    end
  end

  def self.alloc_from_Optionali32(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_Optionali32(v)
      return builder.finalize()
    end
  end

  def consume_into_Optionali32
    consumeWithStream do |stream|
      return stream.read_Optionali32
    end
  end

  # The Optional<T> type for i64.

  def self.check_lower_Optionali64(v)
    if !v.nil?

    end
  end

  def self.alloc_from_Optionali64(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_Optionali64(v)
      return builder.finalize()
    end
  end

  def consume_into_Optionali64
    consumeWithStream do |stream|
      return stream.read_Optionali64
    end
  end

  # The Optional<T> type for string.

  def self.check_lower_Optionalstring(v)
    if !v.nil?

    end
  end

  def self.alloc_from_Optionalstring(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_Optionalstring(v)
      return builder.finalize()
    end
  end

  def consume_into_Optionalstring
    consumeWithStream do |stream|
      return stream.read_Optionalstring
    end
  end

  # The Optional<T> type for TypeNativeTickets.

  def self.check_lower_OptionalTypeNativeTickets(v)
    if !v.nil?
      (NativeTickets.uniffi_check_lower v)
    end
  end

  def self.alloc_from_OptionalTypeNativeTickets(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_OptionalTypeNativeTickets(v)
      return builder.finalize()
    end
  end

  def consume_into_OptionalTypeNativeTickets
    consumeWithStream do |stream|
      return stream.read_OptionalTypeNativeTickets
    end
  end

  # The Optional<T> type for TypeFailure.

  def self.check_lower_OptionalTypeFailure(v)
    if !v.nil?
      RustBuffer.check_lower_TypeFailure(v)
    end
  end

  def self.alloc_from_OptionalTypeFailure(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_OptionalTypeFailure(v)
      return builder.finalize()
    end
  end

  def consume_into_OptionalTypeFailure
    consumeWithStream do |stream|
      return stream.read_OptionalTypeFailure
    end
  end

  # The Optional<T> type for TypeLent.

  def self.check_lower_OptionalTypeLent(v)
    if !v.nil?
      RustBuffer.check_lower_TypeLent(v)
    end
  end

  def self.alloc_from_OptionalTypeLent(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_OptionalTypeLent(v)
      return builder.finalize()
    end
  end

  def consume_into_OptionalTypeLent
    consumeWithStream do |stream|
      return stream.read_OptionalTypeLent
    end
  end

  # The Optional<T> type for TypeNativeEvent.

  def self.check_lower_OptionalTypeNativeEvent(v)
    if !v.nil?
      RustBuffer.check_lower_TypeNativeEvent(v)
    end
  end

  def self.alloc_from_OptionalTypeNativeEvent(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_OptionalTypeNativeEvent(v)
      return builder.finalize()
    end
  end

  def consume_into_OptionalTypeNativeEvent
    consumeWithStream do |stream|
      return stream.read_OptionalTypeNativeEvent
    end
  end

  # The Optional<T> type for Sequencei32.

  def self.check_lower_OptionalSequencei32(v)
    if !v.nil?
      RustBuffer.check_lower_Sequencei32(v)
    end
  end

  def self.alloc_from_OptionalSequencei32(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_OptionalSequencei32(v)
      return builder.finalize()
    end
  end

  def consume_into_OptionalSequencei32
    consumeWithStream do |stream|
      return stream.read_OptionalSequencei32
    end
  end

  # The Optional<T> type for SequenceTypeTopicPartition.

  def self.check_lower_OptionalSequenceTypeTopicPartition(v)
    if !v.nil?
      RustBuffer.check_lower_SequenceTypeTopicPartition(v)
    end
  end

  def self.alloc_from_OptionalSequenceTypeTopicPartition(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_OptionalSequenceTypeTopicPartition(v)
      return builder.finalize()
    end
  end

  def consume_into_OptionalSequenceTypeTopicPartition
    consumeWithStream do |stream|
      return stream.read_OptionalSequenceTypeTopicPartition
    end
  end

  # The Sequence<T> type for i32.

  def self.check_lower_Sequencei32(v)
    v.each do |item|

    end
  end

  def self.alloc_from_Sequencei32(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_Sequencei32(v)
      return builder.finalize()
    end
  end

  def consume_into_Sequencei32
    consumeWithStream do |stream|
      return stream.read_Sequencei32
    end
  end

  # The Sequence<T> type for string.

  def self.check_lower_Sequencestring(v)
    v.each do |item|

    end
  end

  def self.alloc_from_Sequencestring(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_Sequencestring(v)
      return builder.finalize()
    end
  end

  def consume_into_Sequencestring
    consumeWithStream do |stream|
      return stream.read_Sequencestring
    end
  end

  # The Sequence<T> type for TypeCommittedOffset.

  def self.check_lower_SequenceTypeCommittedOffset(v)
    v.each do |item|
      RustBuffer.check_lower_TypeCommittedOffset(item)
    end
  end

  def self.alloc_from_SequenceTypeCommittedOffset(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_SequenceTypeCommittedOffset(v)
      return builder.finalize()
    end
  end

  def consume_into_SequenceTypeCommittedOffset
    consumeWithStream do |stream|
      return stream.read_SequenceTypeCommittedOffset
    end
  end

  # The Sequence<T> type for TypeFailure.

  def self.check_lower_SequenceTypeFailure(v)
    v.each do |item|
      RustBuffer.check_lower_TypeFailure(item)
    end
  end

  def self.alloc_from_SequenceTypeFailure(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_SequenceTypeFailure(v)
      return builder.finalize()
    end
  end

  def consume_into_SequenceTypeFailure
    consumeWithStream do |stream|
      return stream.read_SequenceTypeFailure
    end
  end

  # The Sequence<T> type for TypeGroupInfo.

  def self.check_lower_SequenceTypeGroupInfo(v)
    v.each do |item|
      RustBuffer.check_lower_TypeGroupInfo(item)
    end
  end

  def self.alloc_from_SequenceTypeGroupInfo(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_SequenceTypeGroupInfo(v)
      return builder.finalize()
    end
  end

  def consume_into_SequenceTypeGroupInfo
    consumeWithStream do |stream|
      return stream.read_SequenceTypeGroupInfo
    end
  end

  # The Sequence<T> type for TypeGroupMember.

  def self.check_lower_SequenceTypeGroupMember(v)
    v.each do |item|
      RustBuffer.check_lower_TypeGroupMember(item)
    end
  end

  def self.alloc_from_SequenceTypeGroupMember(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_SequenceTypeGroupMember(v)
      return builder.finalize()
    end
  end

  def consume_into_SequenceTypeGroupMember
    consumeWithStream do |stream|
      return stream.read_SequenceTypeGroupMember
    end
  end

  # The Sequence<T> type for TypeGroupPartition.

  def self.check_lower_SequenceTypeGroupPartition(v)
    v.each do |item|
      RustBuffer.check_lower_TypeGroupPartition(item)
    end
  end

  def self.alloc_from_SequenceTypeGroupPartition(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_SequenceTypeGroupPartition(v)
      return builder.finalize()
    end
  end

  def consume_into_SequenceTypeGroupPartition
    consumeWithStream do |stream|
      return stream.read_SequenceTypeGroupPartition
    end
  end

  # The Sequence<T> type for TypeLimitInfo.

  def self.check_lower_SequenceTypeLimitInfo(v)
    v.each do |item|
      RustBuffer.check_lower_TypeLimitInfo(item)
    end
  end

  def self.alloc_from_SequenceTypeLimitInfo(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_SequenceTypeLimitInfo(v)
      return builder.finalize()
    end
  end

  def consume_into_SequenceTypeLimitInfo
    consumeWithStream do |stream|
      return stream.read_SequenceTypeLimitInfo
    end
  end

  # The Sequence<T> type for TypePartitionInfo.

  def self.check_lower_SequenceTypePartitionInfo(v)
    v.each do |item|
      RustBuffer.check_lower_TypePartitionInfo(item)
    end
  end

  def self.alloc_from_SequenceTypePartitionInfo(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_SequenceTypePartitionInfo(v)
      return builder.finalize()
    end
  end

  def consume_into_SequenceTypePartitionInfo
    consumeWithStream do |stream|
      return stream.read_SequenceTypePartitionInfo
    end
  end

  # The Sequence<T> type for TypePartitionOffset.

  def self.check_lower_SequenceTypePartitionOffset(v)
    v.each do |item|
      RustBuffer.check_lower_TypePartitionOffset(item)
    end
  end

  def self.alloc_from_SequenceTypePartitionOffset(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_SequenceTypePartitionOffset(v)
      return builder.finalize()
    end
  end

  def consume_into_SequenceTypePartitionOffset
    consumeWithStream do |stream|
      return stream.read_SequenceTypePartitionOffset
    end
  end

  # The Sequence<T> type for TypePosition.

  def self.check_lower_SequenceTypePosition(v)
    v.each do |item|
      RustBuffer.check_lower_TypePosition(item)
    end
  end

  def self.alloc_from_SequenceTypePosition(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_SequenceTypePosition(v)
      return builder.finalize()
    end
  end

  def consume_into_SequenceTypePosition
    consumeWithStream do |stream|
      return stream.read_SequenceTypePosition
    end
  end

  # The Sequence<T> type for TypeProducerInfo.

  def self.check_lower_SequenceTypeProducerInfo(v)
    v.each do |item|
      RustBuffer.check_lower_TypeProducerInfo(item)
    end
  end

  def self.alloc_from_SequenceTypeProducerInfo(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_SequenceTypeProducerInfo(v)
      return builder.finalize()
    end
  end

  def consume_into_SequenceTypeProducerInfo
    consumeWithStream do |stream|
      return stream.read_SequenceTypeProducerInfo
    end
  end

  # The Sequence<T> type for TypeStreamInfo.

  def self.check_lower_SequenceTypeStreamInfo(v)
    v.each do |item|
      RustBuffer.check_lower_TypeStreamInfo(item)
    end
  end

  def self.alloc_from_SequenceTypeStreamInfo(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_SequenceTypeStreamInfo(v)
      return builder.finalize()
    end
  end

  def consume_into_SequenceTypeStreamInfo
    consumeWithStream do |stream|
      return stream.read_SequenceTypeStreamInfo
    end
  end

  # The Sequence<T> type for TypeTokenInfo.

  def self.check_lower_SequenceTypeTokenInfo(v)
    v.each do |item|
      RustBuffer.check_lower_TypeTokenInfo(item)
    end
  end

  def self.alloc_from_SequenceTypeTokenInfo(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_SequenceTypeTokenInfo(v)
      return builder.finalize()
    end
  end

  def consume_into_SequenceTypeTokenInfo
    consumeWithStream do |stream|
      return stream.read_SequenceTypeTokenInfo
    end
  end

  # The Sequence<T> type for TypeTopicInfo.

  def self.check_lower_SequenceTypeTopicInfo(v)
    v.each do |item|
      RustBuffer.check_lower_TypeTopicInfo(item)
    end
  end

  def self.alloc_from_SequenceTypeTopicInfo(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_SequenceTypeTopicInfo(v)
      return builder.finalize()
    end
  end

  def consume_into_SequenceTypeTopicInfo
    consumeWithStream do |stream|
      return stream.read_SequenceTypeTopicInfo
    end
  end

  # The Sequence<T> type for TypeTopicPartition.

  def self.check_lower_SequenceTypeTopicPartition(v)
    v.each do |item|
      RustBuffer.check_lower_TypeTopicPartition(item)
    end
  end

  def self.alloc_from_SequenceTypeTopicPartition(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_SequenceTypeTopicPartition(v)
      return builder.finalize()
    end
  end

  def consume_into_SequenceTypeTopicPartition
    consumeWithStream do |stream|
      return stream.read_SequenceTypeTopicPartition
    end
  end

  # The Sequence<T> type for TypeUnsent.

  def self.check_lower_SequenceTypeUnsent(v)
    v.each do |item|
      RustBuffer.check_lower_TypeUnsent(item)
    end
  end

  def self.alloc_from_SequenceTypeUnsent(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_SequenceTypeUnsent(v)
      return builder.finalize()
    end
  end

  def consume_into_SequenceTypeUnsent
    consumeWithStream do |stream|
      return stream.read_SequenceTypeUnsent
    end
  end

  # The Sequence<T> type for TypeUserInfo.

  def self.check_lower_SequenceTypeUserInfo(v)
    v.each do |item|
      RustBuffer.check_lower_TypeUserInfo(item)
    end
  end

  def self.alloc_from_SequenceTypeUserInfo(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_SequenceTypeUserInfo(v)
      return builder.finalize()
    end
  end

  def consume_into_SequenceTypeUserInfo
    consumeWithStream do |stream|
      return stream.read_SequenceTypeUserInfo
    end
  end


  # The Map<T> type for MapI32I64.

  def self.check_lower_MapI32I64(v)
    v.each do |k, v|


    end
  end

  def self.alloc_from_MapI32I64(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_MapI32I64(v)
      return builder.finalize
    end
  end

  def consume_into_MapI32I64
    consumeWithStream do |stream|
      return stream.read_MapI32I64
    end
  end
  # The Map<T> type for MapStringString.

  def self.check_lower_MapStringString(v)
    v.each do |k, v|


    end
  end

  def self.alloc_from_MapStringString(v)
    RustBuffer.allocWithBuilder do |builder|
      builder.write_MapStringString(v)
      return builder.finalize
    end
  end

  def consume_into_MapStringString
    consumeWithStream do |stream|
      return stream.read_MapStringString
    end
  end
end

module UniFFILib
  class ForeignBytes < FFI::Struct
    layout :len,      :int32,
           :data,     :pointer

    def len
      self[:len]
    end

    def data
      self[:data]
    end

    def to_s
      "ForeignBytes(len=#{len}, data=#{data.read_bytes(len)})"
    end
  end
end

private_constant :UniFFILib

# Helper for structured reading of values from a RustBuffer.
class RustBufferStream

  def initialize(rbuf)
    @rbuf = rbuf
    @offset = 0
  end

  def remaining
    @rbuf.len - @offset
  end

  def read(size)
    raise InternalError, 'read past end of rust buffer' if @offset + size > @rbuf.len

    data = @rbuf.data.get_bytes @offset, size

    @offset += size

    data
  end

  def read_i32
    unpack_from 4, 'l>'
  end

  def read_i64
    unpack_from 8, 'q>'
  end

  def read_bool
    v = unpack_from 1, 'c'

    return false if v == 0
    return true if v == 1

    raise InternalError, 'Unexpected byte for Boolean type'
  end

  def read_string
    size = unpack_from 4, 'l>'

    raise InternalError, 'Unexpected negative string length' if size.negative?

    read(size).force_encoding(Encoding::UTF_8)
  end

  def read_bytes
    size = unpack_from 4, 'l>'

    raise InternalError, 'Unexpected negative byte string length' if size.negative?

    read(size).force_encoding(Encoding::BINARY)
  end

  # The Object type NativeBatches.

  def read_TypeNativeBatches
    handle = unpack_from 8, 'Q>'
    return NativeBatches.uniffi_lift(handle)
  end

  # The Object type NativeClient.

  def read_TypeNativeClient
    handle = unpack_from 8, 'Q>'
    return NativeClient.uniffi_lift(handle)
  end

  # The Object type NativeConsumer.

  def read_TypeNativeConsumer
    handle = unpack_from 8, 'Q>'
    return NativeConsumer.uniffi_lift(handle)
  end

  # The Object type NativeEvents.

  def read_TypeNativeEvents
    handle = unpack_from 8, 'Q>'
    return NativeEvents.uniffi_lift(handle)
  end

  # The Object type NativeProducer.

  def read_TypeNativeProducer
    handle = unpack_from 8, 'Q>'
    return NativeProducer.uniffi_lift(handle)
  end

  # The Object type NativeTickets.

  def read_TypeNativeTickets
    handle = unpack_from 8, 'Q>'
    return NativeTickets.uniffi_lift(handle)
  end

  # The Record type CommittedOffset.

  def read_TypeCommittedOffset
    CommittedOffset.new(
      partition: read_i32,
      offset: read_i64,
      commit_us: read_i64,
      note: read_string
    )
  end

  # The Record type ConsumerStats.

  def read_TypeConsumerStats
    ConsumerStats.new(
      partitions: read_i32,
      live_partitions: read_i32,
      buffered_bytes: read_i64,
      batches: read_i64,
      bytes: read_i64,
      resubscriptions: read_i64,
      skipped_offsets: read_i64,
      stored_offsets: read_i64
    )
  end

  # The Record type Failure.

  def read_TypeFailure
    Failure.new(
      number: read_i32,
      name: read_string,
      kind: read_string,
      disposition: read_i32,
      retriable: read_bool,
      outcome_unknown: read_bool,
      text: read_string,
      first_offset: read_Optionali64,
      next_offset: read_Optionali64,
      unsent: read_SequenceTypeUnsent
    )
  end

  # The Record type GroupDescription.

  def read_TypeGroupDescription
    GroupDescription.new(
      info: read_TypeGroupInfo,
      members: read_SequenceTypeGroupMember,
      partitions: read_SequenceTypeGroupPartition
    )
  end

  # The Record type GroupInfo.

  def read_TypeGroupInfo
    GroupInfo.new(
      name: read_string,
      created_us: read_i64,
      state: read_string,
      generation: read_i32,
      members: read_i32,
      partitions: read_i32,
      offsets: read_i32
    )
  end

  # The Record type GroupMember.

  def read_TypeGroupMember
    GroupMember.new(
      id: read_i64,
      epoch: read_i32,
      name: read_string,
      client_name: read_string,
      address: read_string,
      connected: read_bool,
      session_timeout_ms: read_i32,
      rebalance_timeout_ms: read_i32,
      partitions: read_i32,
      topics: read_Sequencestring
    )
  end

  # The Record type GroupPartition.

  def read_TypeGroupPartition
    GroupPartition.new(
      topic: read_string,
      partition: read_i32,
      member_id: read_i64,
      revoking: read_bool,
      offset: read_Optionali64,
      commit_us: read_Optionali64
    )
  end

  # The Record type Lent.

  def read_TypeLent
    Lent.new(
      head: read_i64,
      head_len: read_i32,
      body: read_i64,
      body_len: read_i32
    )
  end

  # The Record type LimitInfo.

  def read_TypeLimitInfo
    LimitInfo.new(
      name: read_string,
      value: read_i64,
      unit: read_string,
      configured: read_bool,
      used: read_i64
    )
  end

  # The Record type NativeEvent.

  def read_TypeNativeEvent
    NativeEvent.new(
      kind: read_string,
      address: read_Optionalstring,
      attempt: read_Optionali32,
      failure: read_OptionalTypeFailure,
      topic: read_Optionalstring,
      partition: read_Optionali32,
      group: read_Optionalstring,
      partitions: read_OptionalSequenceTypeTopicPartition,
      from_offset: read_Optionali64,
      to_offset: read_Optionali64,
      count: read_Optionali64
    )
  end

  # The Record type NewToken.

  def read_TypeNewToken
    NewToken.new(
      token: read_TypeTokenInfo,
      secret: read_string
    )
  end

  # The Record type Outcomes.

  def read_TypeOutcomes
    Outcomes.new(
      runs: read_bytes,
      failures: read_SequenceTypeFailure
    )
  end

  # The Record type PartitionInfo.

  def read_TypePartitionInfo
    PartitionInfo.new(
      partition: read_i32,
      shard: read_i32,
      start_offset: read_i64,
      end_offset: read_i64,
      synced_offset: read_i64,
      size_bytes: read_i64,
      segments: read_i32,
      error: read_i32
    )
  end

  # The Record type PartitionOffset.

  def read_TypePartitionOffset
    PartitionOffset.new(
      partition: read_i32,
      offset: read_i64
    )
  end

  # The Record type Position.

  def read_TypePosition
    Position.new(
      topic: read_string,
      partition: read_i32,
      next_offset: read_i64,
      end_offset: read_i64,
      stored_offset: read_Optionali64
    )
  end

  # The Record type ProducerInfo.

  def read_TypeProducerInfo
    ProducerInfo.new(
      name: read_string,
      id: read_i64,
      epoch: read_i32,
      opened_us: read_i64
    )
  end

  # The Record type ProducerStats.

  def read_TypeProducerStats
    ProducerStats.new(
      queued_records: read_i64,
      queued_bytes: read_i64,
      in_flight_batches: read_i64,
      sent_batches: read_i64,
      sent_bytes: read_i64,
      retried_batches: read_i64,
      duplicate_batches: read_i64,
      acknowledged_records: read_i64,
      failed_records: read_i64,
      unknown_records: read_i64,
      dropped_records: read_i64
    )
  end

  # The Record type Pushed.

  def read_TypePushed
    Pushed.new(
      records: read_i32,
      bytes: read_i32,
      failure: read_OptionalTypeFailure,
      tickets: read_OptionalTypeNativeTickets
    )
  end

  # The Record type ServerInfo.

  def read_TypeServerInfo
    ServerInfo.new(
      name: read_string,
      version: read_string,
      address: read_string,
      id: read_string,
      limits: read_TypeServerLimits
    )
  end

  # The Record type ServerLimits.

  def read_TypeServerLimits
    ServerLimits.new(
      max_frame_len: read_i32,
      max_batch_len: read_i32,
      max_batch_records: read_i32,
      max_in_flight: read_i32,
      max_channels: read_i32
    )
  end

  # The Record type StreamInfo.

  def read_TypeStreamInfo
    StreamInfo.new(
      name: read_string,
      id: read_i64,
      created_us: read_i64,
      topics: read_i32
    )
  end

  # The Record type Taken.

  def read_TypeTaken
    Taken.new(
      batch: read_OptionalTypeLent,
      closed: read_bool
    )
  end

  # The Record type TokenInfo.

  def read_TypeTokenInfo
    TokenInfo.new(
      id: read_i64,
      name: read_string,
      user: read_string,
      created_us: read_i64,
      expires_us: read_Optionali64
    )
  end

  # The Record type TopicInfo.

  def read_TypeTopicInfo
    TopicInfo.new(
      stream: read_string,
      name: read_string,
      id: read_i64,
      created_us: read_i64,
      partitions: read_i32,
      segment_bytes: read_i64,
      codec: read_string,
      retention_ms: read_i64,
      retention_bytes: read_i64,
      dedup_window_ms: read_i64
    )
  end

  # The Record type TopicPartition.

  def read_TypeTopicPartition
    TopicPartition.new(
      topic: read_string,
      partition: read_i32
    )
  end

  # The Record type Unsent.

  def read_TypeUnsent
    Unsent.new(
      partition: read_i32,
      failed_records: read_i64,
      unknown_records: read_i64
    )
  end

  # The Record type UserDescription.

  def read_TypeUserDescription
    UserDescription.new(
      user: read_TypeUserInfo,
      grants: read_Sequencestring
    )
  end

  # The Record type UserInfo.

  def read_TypeUserInfo
    UserInfo.new(
      name: read_string,
      id: read_i64,
      created_us: read_i64,
      enabled: read_bool,
      password: read_bool,
      tokens: read_i32
    )
  end





  # The Error type NativeError

  def read_TypeNativeError
    variant = unpack_from 4, 'l>'

    if variant == 1
        return NativeError::Failed.new(
            failure: read_TypeFailure()
        )
    end

    raise InternalError, 'Unexpected variant tag for TypeNativeError'
  end



  # The Optional<T> type for i32.

  def read_Optionali32
    flag = unpack_from 1, 'c'

    if flag == 0
      return nil
    elsif flag == 1
      return read_i32
    else
      raise InternalError, 'Unexpected flag byte for Optionali32'
    end
  end


  # The Optional<T> type for i64.

  def read_Optionali64
    flag = unpack_from 1, 'c'

    if flag == 0
      return nil
    elsif flag == 1
      return read_i64
    else
      raise InternalError, 'Unexpected flag byte for Optionali64'
    end
  end


  # The Optional<T> type for string.

  def read_Optionalstring
    flag = unpack_from 1, 'c'

    if flag == 0
      return nil
    elsif flag == 1
      return read_string
    else
      raise InternalError, 'Unexpected flag byte for Optionalstring'
    end
  end


  # The Optional<T> type for TypeNativeTickets.

  def read_OptionalTypeNativeTickets
    flag = unpack_from 1, 'c'

    if flag == 0
      return nil
    elsif flag == 1
      return read_TypeNativeTickets
    else
      raise InternalError, 'Unexpected flag byte for OptionalTypeNativeTickets'
    end
  end


  # The Optional<T> type for TypeFailure.

  def read_OptionalTypeFailure
    flag = unpack_from 1, 'c'

    if flag == 0
      return nil
    elsif flag == 1
      return read_TypeFailure
    else
      raise InternalError, 'Unexpected flag byte for OptionalTypeFailure'
    end
  end


  # The Optional<T> type for TypeLent.

  def read_OptionalTypeLent
    flag = unpack_from 1, 'c'

    if flag == 0
      return nil
    elsif flag == 1
      return read_TypeLent
    else
      raise InternalError, 'Unexpected flag byte for OptionalTypeLent'
    end
  end


  # The Optional<T> type for TypeNativeEvent.

  def read_OptionalTypeNativeEvent
    flag = unpack_from 1, 'c'

    if flag == 0
      return nil
    elsif flag == 1
      return read_TypeNativeEvent
    else
      raise InternalError, 'Unexpected flag byte for OptionalTypeNativeEvent'
    end
  end


  # The Optional<T> type for Sequencei32.

  def read_OptionalSequencei32
    flag = unpack_from 1, 'c'

    if flag == 0
      return nil
    elsif flag == 1
      return read_Sequencei32
    else
      raise InternalError, 'Unexpected flag byte for OptionalSequencei32'
    end
  end


  # The Optional<T> type for SequenceTypeTopicPartition.

  def read_OptionalSequenceTypeTopicPartition
    flag = unpack_from 1, 'c'

    if flag == 0
      return nil
    elsif flag == 1
      return read_SequenceTypeTopicPartition
    else
      raise InternalError, 'Unexpected flag byte for OptionalSequenceTypeTopicPartition'
    end
  end

  # The Sequence<T> type for i32.

  def read_Sequencei32
    count = unpack_from 4, 'l>'

    raise InternalError, 'Unexpected negative sequence length' if count.negative?

    items = []

    count.times do
      items.append read_i32
    end

    items
  end

  # The Sequence<T> type for string.

  def read_Sequencestring
    count = unpack_from 4, 'l>'

    raise InternalError, 'Unexpected negative sequence length' if count.negative?

    items = []

    count.times do
      items.append read_string
    end

    items
  end

  # The Sequence<T> type for TypeCommittedOffset.

  def read_SequenceTypeCommittedOffset
    count = unpack_from 4, 'l>'

    raise InternalError, 'Unexpected negative sequence length' if count.negative?

    items = []

    count.times do
      items.append read_TypeCommittedOffset
    end

    items
  end

  # The Sequence<T> type for TypeFailure.

  def read_SequenceTypeFailure
    count = unpack_from 4, 'l>'

    raise InternalError, 'Unexpected negative sequence length' if count.negative?

    items = []

    count.times do
      items.append read_TypeFailure
    end

    items
  end

  # The Sequence<T> type for TypeGroupInfo.

  def read_SequenceTypeGroupInfo
    count = unpack_from 4, 'l>'

    raise InternalError, 'Unexpected negative sequence length' if count.negative?

    items = []

    count.times do
      items.append read_TypeGroupInfo
    end

    items
  end

  # The Sequence<T> type for TypeGroupMember.

  def read_SequenceTypeGroupMember
    count = unpack_from 4, 'l>'

    raise InternalError, 'Unexpected negative sequence length' if count.negative?

    items = []

    count.times do
      items.append read_TypeGroupMember
    end

    items
  end

  # The Sequence<T> type for TypeGroupPartition.

  def read_SequenceTypeGroupPartition
    count = unpack_from 4, 'l>'

    raise InternalError, 'Unexpected negative sequence length' if count.negative?

    items = []

    count.times do
      items.append read_TypeGroupPartition
    end

    items
  end

  # The Sequence<T> type for TypeLimitInfo.

  def read_SequenceTypeLimitInfo
    count = unpack_from 4, 'l>'

    raise InternalError, 'Unexpected negative sequence length' if count.negative?

    items = []

    count.times do
      items.append read_TypeLimitInfo
    end

    items
  end

  # The Sequence<T> type for TypePartitionInfo.

  def read_SequenceTypePartitionInfo
    count = unpack_from 4, 'l>'

    raise InternalError, 'Unexpected negative sequence length' if count.negative?

    items = []

    count.times do
      items.append read_TypePartitionInfo
    end

    items
  end

  # The Sequence<T> type for TypePartitionOffset.

  def read_SequenceTypePartitionOffset
    count = unpack_from 4, 'l>'

    raise InternalError, 'Unexpected negative sequence length' if count.negative?

    items = []

    count.times do
      items.append read_TypePartitionOffset
    end

    items
  end

  # The Sequence<T> type for TypePosition.

  def read_SequenceTypePosition
    count = unpack_from 4, 'l>'

    raise InternalError, 'Unexpected negative sequence length' if count.negative?

    items = []

    count.times do
      items.append read_TypePosition
    end

    items
  end

  # The Sequence<T> type for TypeProducerInfo.

  def read_SequenceTypeProducerInfo
    count = unpack_from 4, 'l>'

    raise InternalError, 'Unexpected negative sequence length' if count.negative?

    items = []

    count.times do
      items.append read_TypeProducerInfo
    end

    items
  end

  # The Sequence<T> type for TypeStreamInfo.

  def read_SequenceTypeStreamInfo
    count = unpack_from 4, 'l>'

    raise InternalError, 'Unexpected negative sequence length' if count.negative?

    items = []

    count.times do
      items.append read_TypeStreamInfo
    end

    items
  end

  # The Sequence<T> type for TypeTokenInfo.

  def read_SequenceTypeTokenInfo
    count = unpack_from 4, 'l>'

    raise InternalError, 'Unexpected negative sequence length' if count.negative?

    items = []

    count.times do
      items.append read_TypeTokenInfo
    end

    items
  end

  # The Sequence<T> type for TypeTopicInfo.

  def read_SequenceTypeTopicInfo
    count = unpack_from 4, 'l>'

    raise InternalError, 'Unexpected negative sequence length' if count.negative?

    items = []

    count.times do
      items.append read_TypeTopicInfo
    end

    items
  end

  # The Sequence<T> type for TypeTopicPartition.

  def read_SequenceTypeTopicPartition
    count = unpack_from 4, 'l>'

    raise InternalError, 'Unexpected negative sequence length' if count.negative?

    items = []

    count.times do
      items.append read_TypeTopicPartition
    end

    items
  end

  # The Sequence<T> type for TypeUnsent.

  def read_SequenceTypeUnsent
    count = unpack_from 4, 'l>'

    raise InternalError, 'Unexpected negative sequence length' if count.negative?

    items = []

    count.times do
      items.append read_TypeUnsent
    end

    items
  end

  # The Sequence<T> type for TypeUserInfo.

  def read_SequenceTypeUserInfo
    count = unpack_from 4, 'l>'

    raise InternalError, 'Unexpected negative sequence length' if count.negative?

    items = []

    count.times do
      items.append read_TypeUserInfo
    end

    items
  end

  # The Map<T> type for MapI32I64.

  def read_MapI32I64
    count = unpack_from 4, 'l>'
    raise InternalError, 'Unexpected negative map size' if count.negative?

    items = {}
    count.times do
      key = read_i32
      items[key] = read_i64
    end

    items
  end

  # The Map<T> type for MapStringString.

  def read_MapStringString
    count = unpack_from 4, 'l>'
    raise InternalError, 'Unexpected negative map size' if count.negative?

    items = {}
    count.times do
      key = read_string
      items[key] = read_string
    end

    items
  end



  def unpack_from(size, format)
    raise InternalError, 'read past end of rust buffer' if @offset + size > @rbuf.len

    value = @rbuf.data.get_bytes(@offset, size).unpack format

    @offset += size

    # TODO: verify this
    raise 'more than one element!!!' if value.size > 1

    value[0]
  end
end

private_constant :RustBufferStream

# Helper for structured writing of values into a RustBuffer.
class RustBufferBuilder
  def initialize
    @rust_buf = RustBuffer.alloc 16
    @rust_buf.len = 0
  end

  def finalize
    rbuf = @rust_buf

    @rust_buf = nil

    rbuf
  end

  def discard
    return if @rust_buf.nil?

    rbuf = finalize
    rbuf.free
  end

  def write(value)
    reserve(value.bytes.size) do
      @rust_buf.data.put_array_of_char @rust_buf.len, value.bytes
    end
  end

  def write_i32(v)
    v = ::TidewireNative::uniffi_in_range(v, "i32", -2**31, 2**31)
    pack_into(4, 'l>', v)
  end

  def write_i64(v)
    v = ::TidewireNative::uniffi_in_range(v, "i64", -2**63, 2**63)
    pack_into(8, 'q>', v)
  end

  def write_bool(v)
    pack_into(1, 'c', v ? 1 : 0)
  end

  def write_string(v)
    v = ::TidewireNative::uniffi_utf8(v)
    pack_into 4, 'l>', v.bytes.size
    write v
  end

  def write_bytes(v)
    v = ::TidewireNative::uniffi_bytes(v)
    pack_into 4, 'l>', v.bytes.size
    write v
  end

  # The Object type NativeBatches.

  def write_TypeNativeBatches(obj)
    handle = NativeBatches.uniffi_lower obj
    pack_into(8, 'Q>', handle)
  end

  # The Object type NativeClient.

  def write_TypeNativeClient(obj)
    handle = NativeClient.uniffi_lower obj
    pack_into(8, 'Q>', handle)
  end

  # The Object type NativeConsumer.

  def write_TypeNativeConsumer(obj)
    handle = NativeConsumer.uniffi_lower obj
    pack_into(8, 'Q>', handle)
  end

  # The Object type NativeEvents.

  def write_TypeNativeEvents(obj)
    handle = NativeEvents.uniffi_lower obj
    pack_into(8, 'Q>', handle)
  end

  # The Object type NativeProducer.

  def write_TypeNativeProducer(obj)
    handle = NativeProducer.uniffi_lower obj
    pack_into(8, 'Q>', handle)
  end

  # The Object type NativeTickets.

  def write_TypeNativeTickets(obj)
    handle = NativeTickets.uniffi_lower obj
    pack_into(8, 'Q>', handle)
  end

  # The Record type CommittedOffset.

  def write_TypeCommittedOffset(v)
    self.write_i32(v.partition)
    self.write_i64(v.offset)
    self.write_i64(v.commit_us)
    self.write_string(v.note)
  end

  # The Record type ConsumerStats.

  def write_TypeConsumerStats(v)
    self.write_i32(v.partitions)
    self.write_i32(v.live_partitions)
    self.write_i64(v.buffered_bytes)
    self.write_i64(v.batches)
    self.write_i64(v.bytes)
    self.write_i64(v.resubscriptions)
    self.write_i64(v.skipped_offsets)
    self.write_i64(v.stored_offsets)
  end

  # The Record type Failure.

  def write_TypeFailure(v)
    self.write_i32(v.number)
    self.write_string(v.name)
    self.write_string(v.kind)
    self.write_i32(v.disposition)
    self.write_bool(v.retriable)
    self.write_bool(v.outcome_unknown)
    self.write_string(v.text)
    self.write_Optionali64(v.first_offset)
    self.write_Optionali64(v.next_offset)
    self.write_SequenceTypeUnsent(v.unsent)
  end

  # The Record type GroupDescription.

  def write_TypeGroupDescription(v)
    self.write_TypeGroupInfo(v.info)
    self.write_SequenceTypeGroupMember(v.members)
    self.write_SequenceTypeGroupPartition(v.partitions)
  end

  # The Record type GroupInfo.

  def write_TypeGroupInfo(v)
    self.write_string(v.name)
    self.write_i64(v.created_us)
    self.write_string(v.state)
    self.write_i32(v.generation)
    self.write_i32(v.members)
    self.write_i32(v.partitions)
    self.write_i32(v.offsets)
  end

  # The Record type GroupMember.

  def write_TypeGroupMember(v)
    self.write_i64(v.id)
    self.write_i32(v.epoch)
    self.write_string(v.name)
    self.write_string(v.client_name)
    self.write_string(v.address)
    self.write_bool(v.connected)
    self.write_i32(v.session_timeout_ms)
    self.write_i32(v.rebalance_timeout_ms)
    self.write_i32(v.partitions)
    self.write_Sequencestring(v.topics)
  end

  # The Record type GroupPartition.

  def write_TypeGroupPartition(v)
    self.write_string(v.topic)
    self.write_i32(v.partition)
    self.write_i64(v.member_id)
    self.write_bool(v.revoking)
    self.write_Optionali64(v.offset)
    self.write_Optionali64(v.commit_us)
  end

  # The Record type Lent.

  def write_TypeLent(v)
    self.write_i64(v.head)
    self.write_i32(v.head_len)
    self.write_i64(v.body)
    self.write_i32(v.body_len)
  end

  # The Record type LimitInfo.

  def write_TypeLimitInfo(v)
    self.write_string(v.name)
    self.write_i64(v.value)
    self.write_string(v.unit)
    self.write_bool(v.configured)
    self.write_i64(v.used)
  end

  # The Record type NativeEvent.

  def write_TypeNativeEvent(v)
    self.write_string(v.kind)
    self.write_Optionalstring(v.address)
    self.write_Optionali32(v.attempt)
    self.write_OptionalTypeFailure(v.failure)
    self.write_Optionalstring(v.topic)
    self.write_Optionali32(v.partition)
    self.write_Optionalstring(v.group)
    self.write_OptionalSequenceTypeTopicPartition(v.partitions)
    self.write_Optionali64(v.from_offset)
    self.write_Optionali64(v.to_offset)
    self.write_Optionali64(v.count)
  end

  # The Record type NewToken.

  def write_TypeNewToken(v)
    self.write_TypeTokenInfo(v.token)
    self.write_string(v.secret)
  end

  # The Record type Outcomes.

  def write_TypeOutcomes(v)
    self.write_bytes(v.runs)
    self.write_SequenceTypeFailure(v.failures)
  end

  # The Record type PartitionInfo.

  def write_TypePartitionInfo(v)
    self.write_i32(v.partition)
    self.write_i32(v.shard)
    self.write_i64(v.start_offset)
    self.write_i64(v.end_offset)
    self.write_i64(v.synced_offset)
    self.write_i64(v.size_bytes)
    self.write_i32(v.segments)
    self.write_i32(v.error)
  end

  # The Record type PartitionOffset.

  def write_TypePartitionOffset(v)
    self.write_i32(v.partition)
    self.write_i64(v.offset)
  end

  # The Record type Position.

  def write_TypePosition(v)
    self.write_string(v.topic)
    self.write_i32(v.partition)
    self.write_i64(v.next_offset)
    self.write_i64(v.end_offset)
    self.write_Optionali64(v.stored_offset)
  end

  # The Record type ProducerInfo.

  def write_TypeProducerInfo(v)
    self.write_string(v.name)
    self.write_i64(v.id)
    self.write_i32(v.epoch)
    self.write_i64(v.opened_us)
  end

  # The Record type ProducerStats.

  def write_TypeProducerStats(v)
    self.write_i64(v.queued_records)
    self.write_i64(v.queued_bytes)
    self.write_i64(v.in_flight_batches)
    self.write_i64(v.sent_batches)
    self.write_i64(v.sent_bytes)
    self.write_i64(v.retried_batches)
    self.write_i64(v.duplicate_batches)
    self.write_i64(v.acknowledged_records)
    self.write_i64(v.failed_records)
    self.write_i64(v.unknown_records)
    self.write_i64(v.dropped_records)
  end

  # The Record type Pushed.

  def write_TypePushed(v)
    self.write_i32(v.records)
    self.write_i32(v.bytes)
    self.write_OptionalTypeFailure(v.failure)
    self.write_OptionalTypeNativeTickets(v.tickets)
  end

  # The Record type ServerInfo.

  def write_TypeServerInfo(v)
    self.write_string(v.name)
    self.write_string(v.version)
    self.write_string(v.address)
    self.write_string(v.id)
    self.write_TypeServerLimits(v.limits)
  end

  # The Record type ServerLimits.

  def write_TypeServerLimits(v)
    self.write_i32(v.max_frame_len)
    self.write_i32(v.max_batch_len)
    self.write_i32(v.max_batch_records)
    self.write_i32(v.max_in_flight)
    self.write_i32(v.max_channels)
  end

  # The Record type StreamInfo.

  def write_TypeStreamInfo(v)
    self.write_string(v.name)
    self.write_i64(v.id)
    self.write_i64(v.created_us)
    self.write_i32(v.topics)
  end

  # The Record type Taken.

  def write_TypeTaken(v)
    self.write_OptionalTypeLent(v.batch)
    self.write_bool(v.closed)
  end

  # The Record type TokenInfo.

  def write_TypeTokenInfo(v)
    self.write_i64(v.id)
    self.write_string(v.name)
    self.write_string(v.user)
    self.write_i64(v.created_us)
    self.write_Optionali64(v.expires_us)
  end

  # The Record type TopicInfo.

  def write_TypeTopicInfo(v)
    self.write_string(v.stream)
    self.write_string(v.name)
    self.write_i64(v.id)
    self.write_i64(v.created_us)
    self.write_i32(v.partitions)
    self.write_i64(v.segment_bytes)
    self.write_string(v.codec)
    self.write_i64(v.retention_ms)
    self.write_i64(v.retention_bytes)
    self.write_i64(v.dedup_window_ms)
  end

  # The Record type TopicPartition.

  def write_TypeTopicPartition(v)
    self.write_string(v.topic)
    self.write_i32(v.partition)
  end

  # The Record type Unsent.

  def write_TypeUnsent(v)
    self.write_i32(v.partition)
    self.write_i64(v.failed_records)
    self.write_i64(v.unknown_records)
  end

  # The Record type UserDescription.

  def write_TypeUserDescription(v)
    self.write_TypeUserInfo(v.user)
    self.write_Sequencestring(v.grants)
  end

  # The Record type UserInfo.

  def write_TypeUserInfo(v)
    self.write_string(v.name)
    self.write_i64(v.id)
    self.write_i64(v.created_us)
    self.write_bool(v.enabled)
    self.write_bool(v.password)
    self.write_i32(v.tokens)
  end

  # The Error type NativeError - write for callback error returns.

  def write_TypeNativeError(v)
    if v.is_a?(NativeError::Failed)
      pack_into 4, 'l>', 1
        self.write_TypeFailure(v.failure)
      return
    end
  end


  # The Optional<T> type for i32.

  def write_Optionali32(v)
    if v.nil?
      pack_into(1, 'c', 0)
    else
      pack_into(1, 'c', 1)
      self.write_i32(v)
    end
  end

  # The Optional<T> type for i64.

  def write_Optionali64(v)
    if v.nil?
      pack_into(1, 'c', 0)
    else
      pack_into(1, 'c', 1)
      self.write_i64(v)
    end
  end

  # The Optional<T> type for string.

  def write_Optionalstring(v)
    if v.nil?
      pack_into(1, 'c', 0)
    else
      pack_into(1, 'c', 1)
      self.write_string(v)
    end
  end

  # The Optional<T> type for TypeNativeTickets.

  def write_OptionalTypeNativeTickets(v)
    if v.nil?
      pack_into(1, 'c', 0)
    else
      pack_into(1, 'c', 1)
      self.write_TypeNativeTickets(v)
    end
  end

  # The Optional<T> type for TypeFailure.

  def write_OptionalTypeFailure(v)
    if v.nil?
      pack_into(1, 'c', 0)
    else
      pack_into(1, 'c', 1)
      self.write_TypeFailure(v)
    end
  end

  # The Optional<T> type for TypeLent.

  def write_OptionalTypeLent(v)
    if v.nil?
      pack_into(1, 'c', 0)
    else
      pack_into(1, 'c', 1)
      self.write_TypeLent(v)
    end
  end

  # The Optional<T> type for TypeNativeEvent.

  def write_OptionalTypeNativeEvent(v)
    if v.nil?
      pack_into(1, 'c', 0)
    else
      pack_into(1, 'c', 1)
      self.write_TypeNativeEvent(v)
    end
  end

  # The Optional<T> type for Sequencei32.

  def write_OptionalSequencei32(v)
    if v.nil?
      pack_into(1, 'c', 0)
    else
      pack_into(1, 'c', 1)
      self.write_Sequencei32(v)
    end
  end

  # The Optional<T> type for SequenceTypeTopicPartition.

  def write_OptionalSequenceTypeTopicPartition(v)
    if v.nil?
      pack_into(1, 'c', 0)
    else
      pack_into(1, 'c', 1)
      self.write_SequenceTypeTopicPartition(v)
    end
  end

  # The Sequence<T> type for i32.

  def write_Sequencei32(items)
    pack_into(4, 'l>', items.size)

    items.each do |item|
      self.write_i32(item)
    end
  end

  # The Sequence<T> type for string.

  def write_Sequencestring(items)
    pack_into(4, 'l>', items.size)

    items.each do |item|
      self.write_string(item)
    end
  end

  # The Sequence<T> type for TypeCommittedOffset.

  def write_SequenceTypeCommittedOffset(items)
    pack_into(4, 'l>', items.size)

    items.each do |item|
      self.write_TypeCommittedOffset(item)
    end
  end

  # The Sequence<T> type for TypeFailure.

  def write_SequenceTypeFailure(items)
    pack_into(4, 'l>', items.size)

    items.each do |item|
      self.write_TypeFailure(item)
    end
  end

  # The Sequence<T> type for TypeGroupInfo.

  def write_SequenceTypeGroupInfo(items)
    pack_into(4, 'l>', items.size)

    items.each do |item|
      self.write_TypeGroupInfo(item)
    end
  end

  # The Sequence<T> type for TypeGroupMember.

  def write_SequenceTypeGroupMember(items)
    pack_into(4, 'l>', items.size)

    items.each do |item|
      self.write_TypeGroupMember(item)
    end
  end

  # The Sequence<T> type for TypeGroupPartition.

  def write_SequenceTypeGroupPartition(items)
    pack_into(4, 'l>', items.size)

    items.each do |item|
      self.write_TypeGroupPartition(item)
    end
  end

  # The Sequence<T> type for TypeLimitInfo.

  def write_SequenceTypeLimitInfo(items)
    pack_into(4, 'l>', items.size)

    items.each do |item|
      self.write_TypeLimitInfo(item)
    end
  end

  # The Sequence<T> type for TypePartitionInfo.

  def write_SequenceTypePartitionInfo(items)
    pack_into(4, 'l>', items.size)

    items.each do |item|
      self.write_TypePartitionInfo(item)
    end
  end

  # The Sequence<T> type for TypePartitionOffset.

  def write_SequenceTypePartitionOffset(items)
    pack_into(4, 'l>', items.size)

    items.each do |item|
      self.write_TypePartitionOffset(item)
    end
  end

  # The Sequence<T> type for TypePosition.

  def write_SequenceTypePosition(items)
    pack_into(4, 'l>', items.size)

    items.each do |item|
      self.write_TypePosition(item)
    end
  end

  # The Sequence<T> type for TypeProducerInfo.

  def write_SequenceTypeProducerInfo(items)
    pack_into(4, 'l>', items.size)

    items.each do |item|
      self.write_TypeProducerInfo(item)
    end
  end

  # The Sequence<T> type for TypeStreamInfo.

  def write_SequenceTypeStreamInfo(items)
    pack_into(4, 'l>', items.size)

    items.each do |item|
      self.write_TypeStreamInfo(item)
    end
  end

  # The Sequence<T> type for TypeTokenInfo.

  def write_SequenceTypeTokenInfo(items)
    pack_into(4, 'l>', items.size)

    items.each do |item|
      self.write_TypeTokenInfo(item)
    end
  end

  # The Sequence<T> type for TypeTopicInfo.

  def write_SequenceTypeTopicInfo(items)
    pack_into(4, 'l>', items.size)

    items.each do |item|
      self.write_TypeTopicInfo(item)
    end
  end

  # The Sequence<T> type for TypeTopicPartition.

  def write_SequenceTypeTopicPartition(items)
    pack_into(4, 'l>', items.size)

    items.each do |item|
      self.write_TypeTopicPartition(item)
    end
  end

  # The Sequence<T> type for TypeUnsent.

  def write_SequenceTypeUnsent(items)
    pack_into(4, 'l>', items.size)

    items.each do |item|
      self.write_TypeUnsent(item)
    end
  end

  # The Sequence<T> type for TypeUserInfo.

  def write_SequenceTypeUserInfo(items)
    pack_into(4, 'l>', items.size)

    items.each do |item|
      self.write_TypeUserInfo(item)
    end
  end

  # The Map<T> type for MapI32I64.

  def write_MapI32I64(items)
    pack_into(4, 'l>', items.size)

    items.each do |k, v|
      self.write_i32(k)
      self.write_i64(v)
    end
  end

  # The Map<T> type for MapStringString.

  def write_MapStringString(items)
    pack_into(4, 'l>', items.size)

    items.each do |k, v|
      self.write_string(k)
      self.write_string(v)
    end
  end



  private

  def reserve(num_bytes)
    if @rust_buf.len + num_bytes > @rust_buf.capacity
      @rust_buf = RustBuffer.reserve(@rust_buf, num_bytes)
    end

    yield

    @rust_buf.len += num_bytes
  end

  def pack_into(size, format, value)
    reserve(size) do
      @rust_buf.data.put_array_of_char @rust_buf.len, [value].pack(format).bytes
    end
  end
end

private_constant :RustBufferBuilder

  # Error definitions
  class RustCallStatus < FFI::Struct
  layout :code,    :int8,
         :error_buf, RustBuffer

  def code
    self[:code]
  end

  def error_buf
    self[:error_buf]
  end

  def to_s
    "RustCallStatus(code=#{self[:code]})"
  end
end

# These match the values from the uniffi::rustcalls module
CALL_SUCCESS = 0
CALL_ERROR = 1
CALL_PANIC = 2


module NativeError
  class Failed < StandardError
    def initialize(failure:)

        @failure = failure

        super()
    end


    attr_reader :failure


    def to_s
        "#{self.class.name}(failure=#{@failure.inspect})"

    end
  end

end


# Map error modules to the RustBuffer method name that reads them
ERROR_MODULE_TO_READER_METHOD = {
NativeError => :read_TypeNativeError,
}

private_constant :ERROR_MODULE_TO_READER_METHOD, :CALL_SUCCESS, :CALL_ERROR, :CALL_PANIC,
                 :RustCallStatus

def self.consume_buffer_into_error(error_module, rust_buffer)
  rust_buffer.consumeWithStream do |stream|
    reader_method = ERROR_MODULE_TO_READER_METHOD[error_module] ||
                    ERROR_MODULE_TO_READER_METHOD[error_module.name&.split('::')&.last]
    return stream.send(reader_method)
  end
end

class InternalError < StandardError
end

def self.rust_call(fn_name, *args)
  # Call a rust function
  rust_call_with_error(nil, fn_name, *args)
end

def self.rust_call_with_error(error_module, fn_name, *args)
  # Call a rust function and handle errors
  #
  # Use this when the rust function returns a Result<>.  error_module must be the error_module that corresponds to that Result.


  # Note: RustCallStatus.new zeroes out the struct, which is exactly what we
  # want to pass to Rust (code=0, error_buf=RustBuffer(len=0, capacity=0,
  # data=NULL))
  status = RustCallStatus.new
  args << status

  result = UniFFILib.public_send(fn_name, *args)

  case status.code
  when CALL_SUCCESS
    result
  when CALL_ERROR
    if error_module.nil?
      status.error_buf.free
      raise InternalError, "CALL_ERROR with no error_module set"
    else
      raise consume_buffer_into_error(error_module, status.error_buf)
    end
  when CALL_PANIC
    # When the rust code sees a panic, it tries to construct a RustBuffer
    # with the message.  But if that code panics, then it just sends back
    # an empty buffer.
    if status.error_buf.len > 0
      raise InternalError, status.error_buf.consume_into_string
    else
      raise InternalError, "Rust panic"
    end
  else
    raise InternalError, "Unknown call status: #{status.code}"
  end
end

private_class_method :consume_buffer_into_error

  # This is how we find and load the dynamic library provided by the component.
# For now we just look it up by name.
module UniFFILib
  extend FFI::Library


  ffi_lib ::Tidewire::LIBRARY


  # Define FFI callback types and structs (vtables, etc.)

  callback :RustFutureContinuationCallback,
    [:uint64, :int8, ],
    :void

  callback :ForeignFutureDroppedCallback,
    [:uint64, ],
    :void

  callback :CallbackInterfaceFree,
    [:uint64, ],
    :void

  callback :CallbackInterfaceClone,
    [:uint64, ],
    :uint64

  class ForeignFutureDroppedCallbackStruct < FFI::Struct
    layout(
      :handle, :uint64,
      :free, :ForeignFutureDroppedCallback
    )
  end

  class ForeignFutureResultU8 < FFI::Struct
    layout(
      :return_value, :uint8,
      :call_status, RustCallStatus
    )
  end

  callback :ForeignFutureCompleteU8,
    [:uint64, ForeignFutureResultU8.by_value, ],
    :void

  class ForeignFutureResultI8 < FFI::Struct
    layout(
      :return_value, :int8,
      :call_status, RustCallStatus
    )
  end

  callback :ForeignFutureCompleteI8,
    [:uint64, ForeignFutureResultI8.by_value, ],
    :void

  class ForeignFutureResultU16 < FFI::Struct
    layout(
      :return_value, :uint16,
      :call_status, RustCallStatus
    )
  end

  callback :ForeignFutureCompleteU16,
    [:uint64, ForeignFutureResultU16.by_value, ],
    :void

  class ForeignFutureResultI16 < FFI::Struct
    layout(
      :return_value, :int16,
      :call_status, RustCallStatus
    )
  end

  callback :ForeignFutureCompleteI16,
    [:uint64, ForeignFutureResultI16.by_value, ],
    :void

  class ForeignFutureResultU32 < FFI::Struct
    layout(
      :return_value, :uint32,
      :call_status, RustCallStatus
    )
  end

  callback :ForeignFutureCompleteU32,
    [:uint64, ForeignFutureResultU32.by_value, ],
    :void

  class ForeignFutureResultI32 < FFI::Struct
    layout(
      :return_value, :int32,
      :call_status, RustCallStatus
    )
  end

  callback :ForeignFutureCompleteI32,
    [:uint64, ForeignFutureResultI32.by_value, ],
    :void

  class ForeignFutureResultU64 < FFI::Struct
    layout(
      :return_value, :uint64,
      :call_status, RustCallStatus
    )
  end

  callback :ForeignFutureCompleteU64,
    [:uint64, ForeignFutureResultU64.by_value, ],
    :void

  class ForeignFutureResultI64 < FFI::Struct
    layout(
      :return_value, :int64,
      :call_status, RustCallStatus
    )
  end

  callback :ForeignFutureCompleteI64,
    [:uint64, ForeignFutureResultI64.by_value, ],
    :void

  class ForeignFutureResultF32 < FFI::Struct
    layout(
      :return_value, :float,
      :call_status, RustCallStatus
    )
  end

  callback :ForeignFutureCompleteF32,
    [:uint64, ForeignFutureResultF32.by_value, ],
    :void

  class ForeignFutureResultF64 < FFI::Struct
    layout(
      :return_value, :double,
      :call_status, RustCallStatus
    )
  end

  callback :ForeignFutureCompleteF64,
    [:uint64, ForeignFutureResultF64.by_value, ],
    :void

  class ForeignFutureResultRustBuffer < FFI::Struct
    layout(
      :return_value, RustBuffer.by_value,
      :call_status, RustCallStatus
    )
  end

  callback :ForeignFutureCompleteRustBuffer,
    [:uint64, ForeignFutureResultRustBuffer.by_value, ],
    :void

  class ForeignFutureResultVoid < FFI::Struct
    layout(
      :call_status, RustCallStatus
    )
  end

  callback :ForeignFutureCompleteVoid,
    [:uint64, ForeignFutureResultVoid.by_value, ],
    :void

  attach_function :uniffi_tidewire_uniffi_fn_clone_nativebatches,
    [:uint64, RustCallStatus.by_ref],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_free_nativebatches,
    [:uint64, RustCallStatus.by_ref],
    :void

  attach_function :uniffi_tidewire_uniffi_fn_method_nativebatches_count,
    [:uint64, RustCallStatus.by_ref],
    :int32

  attach_function :uniffi_tidewire_uniffi_fn_method_nativebatches_end_offset,
    [:uint64, RustCallStatus.by_ref],
    :int64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativebatches_lent,
    [:uint64, :int32, RustCallStatus.by_ref],
    RustBuffer.by_value

  attach_function :uniffi_tidewire_uniffi_fn_method_nativebatches_next_offset,
    [:uint64, RustCallStatus.by_ref],
    :int64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativebatches_start_offset,
    [:uint64, RustCallStatus.by_ref],
    :int64

  attach_function :uniffi_tidewire_uniffi_fn_clone_nativeclient,
    [:uint64, RustCallStatus.by_ref],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_free_nativeclient,
    [:uint64, RustCallStatus.by_ref],
    :void

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_add_partitions,
    [:uint64, RustBuffer.by_value, :int32, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_create_stream,
    [:uint64, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_create_topic,
    [:uint64, RustBuffer.by_value, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_delete_stream,
    [:uint64, RustBuffer.by_value, :int8, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_delete_topic,
    [:uint64, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_describe_limits,
    [:uint64, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_describe_stream,
    [:uint64, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_describe_topic,
    [:uint64, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_fetch,
    [:uint64, RustBuffer.by_value, :int32, :int64, RustBuffer.by_value, RustBuffer.by_value, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_forget_producer,
    [:uint64, RustBuffer.by_value, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_list_streams,
    [:uint64, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_list_topics,
    [:uint64, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_partitions,
    [:uint64, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_producers,
    [:uint64, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_purge_stream,
    [:uint64, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_purge_topic,
    [:uint64, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_truncate,
    [:uint64, RustBuffer.by_value, :int32, :int64, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_update_topic,
    [:uint64, RustBuffer.by_value, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_events,
    [:uint64, RustCallStatus.by_ref],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_ping,
    [:uint64, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_server,
    [:uint64, RustCallStatus.by_ref],
    RustBuffer.by_value

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_shut,
    [:uint64, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_consumer,
    [:uint64, RustBuffer.by_value, RustBuffer.by_value, RustBuffer.by_value, RustBuffer.by_value, RustBuffer.by_value, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_committed,
    [:uint64, RustBuffer.by_value, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_create_group,
    [:uint64, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_delete_group,
    [:uint64, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_delete_offsets,
    [:uint64, RustBuffer.by_value, RustBuffer.by_value, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_describe_group,
    [:uint64, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_list_groups,
    [:uint64, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_reset_offsets,
    [:uint64, RustBuffer.by_value, RustBuffer.by_value, RustBuffer.by_value, RustBuffer.by_value, :int8, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_producer,
    [:uint64, RustBuffer.by_value, RustBuffer.by_value, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_change_grants,
    [:uint64, RustBuffer.by_value, RustBuffer.by_value, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_change_password,
    [:uint64, RustBuffer.by_value, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_create_token,
    [:uint64, RustBuffer.by_value, RustBuffer.by_value, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_create_user,
    [:uint64, RustBuffer.by_value, RustBuffer.by_value, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_delete_token,
    [:uint64, :int64, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_delete_user,
    [:uint64, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_describe_user,
    [:uint64, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_enable_user,
    [:uint64, RustBuffer.by_value, :int8, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_list_tokens,
    [:uint64, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeclient_list_users,
    [:uint64, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_clone_nativeconsumer,
    [:uint64, RustCallStatus.by_ref],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_free_nativeconsumer,
    [:uint64, RustCallStatus.by_ref],
    :void

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeconsumer_add_partition,
    [:uint64, :int32, RustBuffer.by_value, RustCallStatus.by_ref],
    :void

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeconsumer_assignment,
    [:uint64, RustCallStatus.by_ref],
    RustBuffer.by_value

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeconsumer_close_within,
    [:uint64, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeconsumer_commit,
    [:uint64, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeconsumer_commit_offset,
    [:uint64, RustBuffer.by_value, :int32, :int64, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeconsumer_commit_until,
    [:uint64, RustBuffer.by_value, :int32, :int64, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeconsumer_is_closed,
    [:uint64, RustCallStatus.by_ref],
    :int8

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeconsumer_lag,
    [:uint64, RustCallStatus.by_ref],
    :int64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeconsumer_pause,
    [:uint64, :int32, RustCallStatus.by_ref],
    :void

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeconsumer_positions,
    [:uint64, RustCallStatus.by_ref],
    RustBuffer.by_value

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeconsumer_ready,
    [:uint64, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeconsumer_remove_partition,
    [:uint64, :int32, RustCallStatus.by_ref],
    :int8

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeconsumer_resume,
    [:uint64, :int32, RustCallStatus.by_ref],
    :void

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeconsumer_seek,
    [:uint64, :int32, RustBuffer.by_value, RustCallStatus.by_ref],
    :void

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeconsumer_stats,
    [:uint64, RustCallStatus.by_ref],
    RustBuffer.by_value

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeconsumer_take,
    [:uint64, RustCallStatus.by_ref],
    RustBuffer.by_value

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeconsumer_topic,
    [:uint64, :int32, RustCallStatus.by_ref],
    RustBuffer.by_value

  attach_function :uniffi_tidewire_uniffi_fn_clone_nativeevents,
    [:uint64, RustCallStatus.by_ref],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_free_nativeevents,
    [:uint64, RustCallStatus.by_ref],
    :void

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeevents_ready,
    [:uint64, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeevents_take,
    [:uint64, RustCallStatus.by_ref],
    RustBuffer.by_value

  attach_function :uniffi_tidewire_uniffi_fn_clone_nativeproducer,
    [:uint64, RustCallStatus.by_ref],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_free_nativeproducer,
    [:uint64, RustCallStatus.by_ref],
    :void

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeproducer_blocks,
    [:uint64, RustCallStatus.by_ref],
    :int8

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeproducer_close_within,
    [:uint64, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeproducer_flush,
    [:uint64, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeproducer_partitions,
    [:uint64, RustCallStatus.by_ref],
    :int32

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeproducer_push_copied,
    [:uint64, RustBuffer.by_value, :int8, :int8, RustCallStatus.by_ref],
    RustBuffer.by_value

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeproducer_ready,
    [:uint64, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_method_nativeproducer_stats,
    [:uint64, RustCallStatus.by_ref],
    RustBuffer.by_value

  attach_function :uniffi_tidewire_uniffi_fn_clone_nativetickets,
    [:uint64, RustCallStatus.by_ref],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_free_nativetickets,
    [:uint64, RustCallStatus.by_ref],
    :void

  attach_function :uniffi_tidewire_uniffi_fn_method_nativetickets_outcomes,
    [:uint64, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_func_stored_batch,
    [RustBuffer.by_value, RustCallStatus.by_ref],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_func_connect,
    [RustBuffer.by_value, RustBuffer.by_value, ],
    :uint64

  attach_function :uniffi_tidewire_uniffi_fn_func_version,
    [RustCallStatus.by_ref],
    RustBuffer.by_value

  attach_function :ffi_tidewire_uniffi_rustbuffer_alloc,
    [:uint64, RustCallStatus.by_ref],
    RustBuffer.by_value

  attach_function :ffi_tidewire_uniffi_rustbuffer_from_bytes,
    [ForeignBytes, RustCallStatus.by_ref],
    RustBuffer.by_value

  attach_function :ffi_tidewire_uniffi_rustbuffer_free,
    [RustBuffer.by_value, RustCallStatus.by_ref],
    :void

  attach_function :ffi_tidewire_uniffi_rustbuffer_reserve,
    [RustBuffer.by_value, :uint64, RustCallStatus.by_ref],
    RustBuffer.by_value

  attach_function :ffi_tidewire_uniffi_rust_future_poll_u8,
    [:uint64, :RustFutureContinuationCallback, :uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_cancel_u8,
    [:uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_free_u8,
    [:uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_complete_u8,
    [:uint64, RustCallStatus.by_ref],
    :uint8

  attach_function :ffi_tidewire_uniffi_rust_future_poll_i8,
    [:uint64, :RustFutureContinuationCallback, :uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_cancel_i8,
    [:uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_free_i8,
    [:uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_complete_i8,
    [:uint64, RustCallStatus.by_ref],
    :int8

  attach_function :ffi_tidewire_uniffi_rust_future_poll_u16,
    [:uint64, :RustFutureContinuationCallback, :uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_cancel_u16,
    [:uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_free_u16,
    [:uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_complete_u16,
    [:uint64, RustCallStatus.by_ref],
    :uint16

  attach_function :ffi_tidewire_uniffi_rust_future_poll_i16,
    [:uint64, :RustFutureContinuationCallback, :uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_cancel_i16,
    [:uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_free_i16,
    [:uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_complete_i16,
    [:uint64, RustCallStatus.by_ref],
    :int16

  attach_function :ffi_tidewire_uniffi_rust_future_poll_u32,
    [:uint64, :RustFutureContinuationCallback, :uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_cancel_u32,
    [:uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_free_u32,
    [:uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_complete_u32,
    [:uint64, RustCallStatus.by_ref],
    :uint32

  attach_function :ffi_tidewire_uniffi_rust_future_poll_i32,
    [:uint64, :RustFutureContinuationCallback, :uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_cancel_i32,
    [:uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_free_i32,
    [:uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_complete_i32,
    [:uint64, RustCallStatus.by_ref],
    :int32

  attach_function :ffi_tidewire_uniffi_rust_future_poll_u64,
    [:uint64, :RustFutureContinuationCallback, :uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_cancel_u64,
    [:uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_free_u64,
    [:uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_complete_u64,
    [:uint64, RustCallStatus.by_ref],
    :uint64

  attach_function :ffi_tidewire_uniffi_rust_future_poll_i64,
    [:uint64, :RustFutureContinuationCallback, :uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_cancel_i64,
    [:uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_free_i64,
    [:uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_complete_i64,
    [:uint64, RustCallStatus.by_ref],
    :int64

  attach_function :ffi_tidewire_uniffi_rust_future_poll_f32,
    [:uint64, :RustFutureContinuationCallback, :uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_cancel_f32,
    [:uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_free_f32,
    [:uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_complete_f32,
    [:uint64, RustCallStatus.by_ref],
    :float

  attach_function :ffi_tidewire_uniffi_rust_future_poll_f64,
    [:uint64, :RustFutureContinuationCallback, :uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_cancel_f64,
    [:uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_free_f64,
    [:uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_complete_f64,
    [:uint64, RustCallStatus.by_ref],
    :double

  attach_function :ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
    [:uint64, :RustFutureContinuationCallback, :uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_cancel_rust_buffer,
    [:uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_free_rust_buffer,
    [:uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
    [:uint64, RustCallStatus.by_ref],
    RustBuffer.by_value

  attach_function :ffi_tidewire_uniffi_rust_future_poll_void,
    [:uint64, :RustFutureContinuationCallback, :uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_cancel_void,
    [:uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_free_void,
    [:uint64, ],
    :void

  attach_function :ffi_tidewire_uniffi_rust_future_complete_void,
    [:uint64, RustCallStatus.by_ref],
    :void

  attach_function :uniffi_tidewire_uniffi_checksum_func_stored_batch,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_func_connect,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_func_version,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativebatches_count,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativebatches_end_offset,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativebatches_lent,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativebatches_next_offset,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativebatches_start_offset,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_add_partitions,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_create_stream,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_create_topic,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_delete_stream,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_delete_topic,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_describe_limits,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_describe_stream,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_describe_topic,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_fetch,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_forget_producer,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_list_streams,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_list_topics,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_partitions,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_producers,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_purge_stream,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_purge_topic,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_truncate,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_update_topic,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_events,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_ping,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_server,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_shut,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_consumer,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_committed,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_create_group,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_delete_group,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_delete_offsets,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_describe_group,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_list_groups,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_reset_offsets,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_producer,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_change_grants,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_change_password,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_create_token,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_create_user,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_delete_token,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_delete_user,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_describe_user,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_enable_user,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_list_tokens,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeclient_list_users,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeconsumer_add_partition,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeconsumer_assignment,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeconsumer_close_within,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeconsumer_commit,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeconsumer_commit_offset,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeconsumer_commit_until,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeconsumer_is_closed,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeconsumer_lag,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeconsumer_pause,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeconsumer_positions,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeconsumer_ready,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeconsumer_remove_partition,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeconsumer_resume,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeconsumer_seek,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeconsumer_stats,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeconsumer_take,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeconsumer_topic,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeevents_ready,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeevents_take,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeproducer_blocks,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeproducer_close_within,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeproducer_flush,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeproducer_partitions,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeproducer_push_copied,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeproducer_ready,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativeproducer_stats,
    [],
    :uint16

  attach_function :uniffi_tidewire_uniffi_checksum_method_nativetickets_outcomes,
    [],
    :uint16

  attach_function :ffi_tidewire_uniffi_uniffi_contract_version,
    [],
    :uint32

end
  # RustFuture poll codes
UNIFFI_RUST_FUTURE_POLL_READY = 0
UNIFFI_RUST_FUTURE_POLL_WAKE = 1

# Handle map for storing write-end IO objects used by the continuation callbacks.
UNIFFI_ASYNC_HANDLE_MAP = UniffiHandleMap.new

# Continuation callback for async functions.
# Called by Rust when the future is ready to make progress.
# Writes the poll code to the pipe so the waiting thread/fiber can continue.
#
# Exceptions must never escape this Proc.
# Rust invokes it directly via FFI, so any unhandled Ruby exception would be caught
# by Ruby-FFI, which swallows it (prints a warning) and returns a garbage value to Rust.
# The poll code Rust receives would be invalid, causing the Ruby polling loop to
# never see POLL_READY and block forever.
UNIFFI_CONTINUATION_CALLBACK = Proc.new do |data, poll_code|
  begin
    wr = UNIFFI_ASYNC_HANDLE_MAP.get data

    # This can only be blocking if pipe if full. Rust will never try to call continuation
    # callback more than once (so will not fill it up), hence this call should never block.
    wr.putc poll_code
  rescue Exception
    # Swallow exception. A leak or a hang is better than a hard VM segfault.
  end
end

# Poll a Rust future to completion.
#
# This works both with and without a Fiber::Scheduler:
# - Without scheduler: wait_readable blocks with a timeout, releasing the GVL
#   so the callback can fire from foreign threads (works around MRI limitation
#   where rb_thread_call_with_gvl cannot wake up threads in indefinite sleep).
# - With scheduler: wait_readable hooks into io_wait, yielding the fiber.
#
# cancel_fn is called in the ensure block when exception interrupts an in-flight poll.
# This guarantees Rust fires the continuation callback so the handle-map entry is released
# and the pipe is drained before we free the future.
def self.uniffi_rust_call_async(rust_future, poll_fn, cancel_fn, complete_fn, free_fn, lift_func, error_ffi_converter)
  rd = wr = nil
  handle = nil
  poll_in_flight = false

  begin
    rd, wr = IO.pipe
    wr.sync = true # avoid buffering and delayed read for rd.wait_readable
    handle = UNIFFI_ASYNC_HANDLE_MAP.insert wr

    loop do
      poll_in_flight = true
      UniFFILib.public_send(poll_fn, rust_future, UNIFFI_CONTINUATION_CALLBACK, handle)

      # Blocks until the continuation callback writes to the pipe.
      # Releases the GVL so the callback can fire from foreign threads.
      # With a Fiber::Scheduler, this hooks into io_wait for non-blocking concurrency.
      rd.wait_readable
      poll_code = rd.getbyte
      poll_in_flight = false

      break if poll_code == UNIFFI_RUST_FUTURE_POLL_READY
    end

    result = if error_ffi_converter.nil?
      ::TidewireNative.rust_call(complete_fn, rust_future)
    else
      ::TidewireNative.rust_call_with_error(error_ffi_converter, complete_fn, rust_future)
    end

    lift_func.call(result)
  ensure
    # Defer any further Thread#raise / Timeout during cleanup so all steps execute
    # automatically. Without this, a second raise during wait_readable(0.5) would skip
    # handle-map removal, pipe close, and free_fn - leaking FDs and Rust memory.
    Thread.handle_interrupt(Exception => :never) do
      if poll_in_flight
        # An exception interrupted an in-flight poll. Cancel and drain the byte
        # the continuation callback will write so we don't leak the pipe.
        UniFFILib.public_send(cancel_fn, rust_future)
        # rd.wait_readable may time out and return nil if the poll was never actually sent
        # (raise landed between poll_in_flight=true and the FFI call).
        if rd.wait_readable(0.5)
          rd.getbyte
        end
      end

      # Remove handle first so any late-firing callback's `get` raises (swallowed by rescue).
      UNIFFI_ASYNC_HANDLE_MAP.remove(handle) rescue nil if handle
      rd&.close rescue nil
      wr&.close rescue nil
      UniFFILib.public_send(free_fn, rust_future)
    end
  end
end

  # Custom type definitions.

  # Public interface members begin here.



  # Record type Lent
class Lent
  attr_reader :head, :head_len, :body, :body_len

  def initialize(head:, head_len:, body:, body_len:)
    @head = head
    @head_len = head_len
    @body = body
    @body_len = body_len
  end

  def ==(other)
    if @head != other.head
      return false
    end
    if @head_len != other.head_len
      return false
    end
    if @body != other.body
      return false
    end
    if @body_len != other.body_len
      return false
    end

    true
  end

end

  # Record type Taken
class Taken
  attr_reader :batch, :closed

  def initialize(batch:, closed:)
    @batch = batch
    @closed = closed
  end

  def ==(other)
    if @batch != other.batch
      return false
    end
    if @closed != other.closed
      return false
    end

    true
  end

end

  # Record type NativeEvent
class NativeEvent
  attr_reader :kind, :address, :attempt, :failure, :topic, :partition, :group, :partitions, :from_offset, :to_offset, :count

  def initialize(kind:, address:, attempt:, failure:, topic:, partition:, group:, partitions:, from_offset:, to_offset:, count:)
    @kind = kind
    @address = address
    @attempt = attempt
    @failure = failure
    @topic = topic
    @partition = partition
    @group = group
    @partitions = partitions
    @from_offset = from_offset
    @to_offset = to_offset
    @count = count
  end

  def ==(other)
    if @kind != other.kind
      return false
    end
    if @address != other.address
      return false
    end
    if @attempt != other.attempt
      return false
    end
    if @failure != other.failure
      return false
    end
    if @topic != other.topic
      return false
    end
    if @partition != other.partition
      return false
    end
    if @group != other.group
      return false
    end
    if @partitions != other.partitions
      return false
    end
    if @from_offset != other.from_offset
      return false
    end
    if @to_offset != other.to_offset
      return false
    end
    if @count != other.count
      return false
    end

    true
  end

end

  # Record type Failure
class Failure
  attr_reader :number, :name, :kind, :disposition, :retriable, :outcome_unknown, :text, :first_offset, :next_offset, :unsent

  def initialize(number:, name:, kind:, disposition:, retriable:, outcome_unknown:, text:, first_offset:, next_offset:, unsent:)
    @number = number
    @name = name
    @kind = kind
    @disposition = disposition
    @retriable = retriable
    @outcome_unknown = outcome_unknown
    @text = text
    @first_offset = first_offset
    @next_offset = next_offset
    @unsent = unsent
  end

  def ==(other)
    if @number != other.number
      return false
    end
    if @name != other.name
      return false
    end
    if @kind != other.kind
      return false
    end
    if @disposition != other.disposition
      return false
    end
    if @retriable != other.retriable
      return false
    end
    if @outcome_unknown != other.outcome_unknown
      return false
    end
    if @text != other.text
      return false
    end
    if @first_offset != other.first_offset
      return false
    end
    if @next_offset != other.next_offset
      return false
    end
    if @unsent != other.unsent
      return false
    end

    true
  end

end

  # Record type Unsent
class Unsent
  attr_reader :partition, :failed_records, :unknown_records

  def initialize(partition:, failed_records:, unknown_records:)
    @partition = partition
    @failed_records = failed_records
    @unknown_records = unknown_records
  end

  def ==(other)
    if @partition != other.partition
      return false
    end
    if @failed_records != other.failed_records
      return false
    end
    if @unknown_records != other.unknown_records
      return false
    end

    true
  end

end

  # Record type CommittedOffset
class CommittedOffset
  attr_reader :partition, :offset, :commit_us, :note

  def initialize(partition:, offset:, commit_us:, note:)
    @partition = partition
    @offset = offset
    @commit_us = commit_us
    @note = note
  end

  def ==(other)
    if @partition != other.partition
      return false
    end
    if @offset != other.offset
      return false
    end
    if @commit_us != other.commit_us
      return false
    end
    if @note != other.note
      return false
    end

    true
  end

end

  # Record type ConsumerStats
class ConsumerStats
  attr_reader :partitions, :live_partitions, :buffered_bytes, :batches, :bytes, :resubscriptions, :skipped_offsets, :stored_offsets

  def initialize(partitions:, live_partitions:, buffered_bytes:, batches:, bytes:, resubscriptions:, skipped_offsets:, stored_offsets:)
    @partitions = partitions
    @live_partitions = live_partitions
    @buffered_bytes = buffered_bytes
    @batches = batches
    @bytes = bytes
    @resubscriptions = resubscriptions
    @skipped_offsets = skipped_offsets
    @stored_offsets = stored_offsets
  end

  def ==(other)
    if @partitions != other.partitions
      return false
    end
    if @live_partitions != other.live_partitions
      return false
    end
    if @buffered_bytes != other.buffered_bytes
      return false
    end
    if @batches != other.batches
      return false
    end
    if @bytes != other.bytes
      return false
    end
    if @resubscriptions != other.resubscriptions
      return false
    end
    if @skipped_offsets != other.skipped_offsets
      return false
    end
    if @stored_offsets != other.stored_offsets
      return false
    end

    true
  end

end

  # Record type GroupDescription
class GroupDescription
  attr_reader :info, :members, :partitions

  def initialize(info:, members:, partitions:)
    @info = info
    @members = members
    @partitions = partitions
  end

  def ==(other)
    if @info != other.info
      return false
    end
    if @members != other.members
      return false
    end
    if @partitions != other.partitions
      return false
    end

    true
  end

end

  # Record type GroupInfo
class GroupInfo
  attr_reader :name, :created_us, :state, :generation, :members, :partitions, :offsets

  def initialize(name:, created_us:, state:, generation:, members:, partitions:, offsets:)
    @name = name
    @created_us = created_us
    @state = state
    @generation = generation
    @members = members
    @partitions = partitions
    @offsets = offsets
  end

  def ==(other)
    if @name != other.name
      return false
    end
    if @created_us != other.created_us
      return false
    end
    if @state != other.state
      return false
    end
    if @generation != other.generation
      return false
    end
    if @members != other.members
      return false
    end
    if @partitions != other.partitions
      return false
    end
    if @offsets != other.offsets
      return false
    end

    true
  end

end

  # Record type GroupMember
class GroupMember
  attr_reader :id, :epoch, :name, :client_name, :address, :connected, :session_timeout_ms, :rebalance_timeout_ms, :partitions, :topics

  def initialize(id:, epoch:, name:, client_name:, address:, connected:, session_timeout_ms:, rebalance_timeout_ms:, partitions:, topics:)
    @id = id
    @epoch = epoch
    @name = name
    @client_name = client_name
    @address = address
    @connected = connected
    @session_timeout_ms = session_timeout_ms
    @rebalance_timeout_ms = rebalance_timeout_ms
    @partitions = partitions
    @topics = topics
  end

  def ==(other)
    if @id != other.id
      return false
    end
    if @epoch != other.epoch
      return false
    end
    if @name != other.name
      return false
    end
    if @client_name != other.client_name
      return false
    end
    if @address != other.address
      return false
    end
    if @connected != other.connected
      return false
    end
    if @session_timeout_ms != other.session_timeout_ms
      return false
    end
    if @rebalance_timeout_ms != other.rebalance_timeout_ms
      return false
    end
    if @partitions != other.partitions
      return false
    end
    if @topics != other.topics
      return false
    end

    true
  end

end

  # Record type GroupPartition
class GroupPartition
  attr_reader :topic, :partition, :member_id, :revoking, :offset, :commit_us

  def initialize(topic:, partition:, member_id:, revoking:, offset:, commit_us:)
    @topic = topic
    @partition = partition
    @member_id = member_id
    @revoking = revoking
    @offset = offset
    @commit_us = commit_us
  end

  def ==(other)
    if @topic != other.topic
      return false
    end
    if @partition != other.partition
      return false
    end
    if @member_id != other.member_id
      return false
    end
    if @revoking != other.revoking
      return false
    end
    if @offset != other.offset
      return false
    end
    if @commit_us != other.commit_us
      return false
    end

    true
  end

end

  # Record type LimitInfo
class LimitInfo
  attr_reader :name, :value, :unit, :configured, :used

  def initialize(name:, value:, unit:, configured:, used:)
    @name = name
    @value = value
    @unit = unit
    @configured = configured
    @used = used
  end

  def ==(other)
    if @name != other.name
      return false
    end
    if @value != other.value
      return false
    end
    if @unit != other.unit
      return false
    end
    if @configured != other.configured
      return false
    end
    if @used != other.used
      return false
    end

    true
  end

end

  # Record type NewToken
class NewToken
  attr_reader :token, :secret

  def initialize(token:, secret:)
    @token = token
    @secret = secret
  end

  def ==(other)
    if @token != other.token
      return false
    end
    if @secret != other.secret
      return false
    end

    true
  end

end

  # Record type PartitionInfo
class PartitionInfo
  attr_reader :partition, :shard, :start_offset, :end_offset, :synced_offset, :size_bytes, :segments, :error

  def initialize(partition:, shard:, start_offset:, end_offset:, synced_offset:, size_bytes:, segments:, error:)
    @partition = partition
    @shard = shard
    @start_offset = start_offset
    @end_offset = end_offset
    @synced_offset = synced_offset
    @size_bytes = size_bytes
    @segments = segments
    @error = error
  end

  def ==(other)
    if @partition != other.partition
      return false
    end
    if @shard != other.shard
      return false
    end
    if @start_offset != other.start_offset
      return false
    end
    if @end_offset != other.end_offset
      return false
    end
    if @synced_offset != other.synced_offset
      return false
    end
    if @size_bytes != other.size_bytes
      return false
    end
    if @segments != other.segments
      return false
    end
    if @error != other.error
      return false
    end

    true
  end

end

  # Record type PartitionOffset
class PartitionOffset
  attr_reader :partition, :offset

  def initialize(partition:, offset:)
    @partition = partition
    @offset = offset
  end

  def ==(other)
    if @partition != other.partition
      return false
    end
    if @offset != other.offset
      return false
    end

    true
  end

end

  # Record type Position
class Position
  attr_reader :topic, :partition, :next_offset, :end_offset, :stored_offset

  def initialize(topic:, partition:, next_offset:, end_offset:, stored_offset:)
    @topic = topic
    @partition = partition
    @next_offset = next_offset
    @end_offset = end_offset
    @stored_offset = stored_offset
  end

  def ==(other)
    if @topic != other.topic
      return false
    end
    if @partition != other.partition
      return false
    end
    if @next_offset != other.next_offset
      return false
    end
    if @end_offset != other.end_offset
      return false
    end
    if @stored_offset != other.stored_offset
      return false
    end

    true
  end

end

  # Record type ProducerInfo
class ProducerInfo
  attr_reader :name, :id, :epoch, :opened_us

  def initialize(name:, id:, epoch:, opened_us:)
    @name = name
    @id = id
    @epoch = epoch
    @opened_us = opened_us
  end

  def ==(other)
    if @name != other.name
      return false
    end
    if @id != other.id
      return false
    end
    if @epoch != other.epoch
      return false
    end
    if @opened_us != other.opened_us
      return false
    end

    true
  end

end

  # Record type ProducerStats
class ProducerStats
  attr_reader :queued_records, :queued_bytes, :in_flight_batches, :sent_batches, :sent_bytes, :retried_batches, :duplicate_batches, :acknowledged_records, :failed_records, :unknown_records, :dropped_records

  def initialize(queued_records:, queued_bytes:, in_flight_batches:, sent_batches:, sent_bytes:, retried_batches:, duplicate_batches:, acknowledged_records:, failed_records:, unknown_records:, dropped_records:)
    @queued_records = queued_records
    @queued_bytes = queued_bytes
    @in_flight_batches = in_flight_batches
    @sent_batches = sent_batches
    @sent_bytes = sent_bytes
    @retried_batches = retried_batches
    @duplicate_batches = duplicate_batches
    @acknowledged_records = acknowledged_records
    @failed_records = failed_records
    @unknown_records = unknown_records
    @dropped_records = dropped_records
  end

  def ==(other)
    if @queued_records != other.queued_records
      return false
    end
    if @queued_bytes != other.queued_bytes
      return false
    end
    if @in_flight_batches != other.in_flight_batches
      return false
    end
    if @sent_batches != other.sent_batches
      return false
    end
    if @sent_bytes != other.sent_bytes
      return false
    end
    if @retried_batches != other.retried_batches
      return false
    end
    if @duplicate_batches != other.duplicate_batches
      return false
    end
    if @acknowledged_records != other.acknowledged_records
      return false
    end
    if @failed_records != other.failed_records
      return false
    end
    if @unknown_records != other.unknown_records
      return false
    end
    if @dropped_records != other.dropped_records
      return false
    end

    true
  end

end

  # Record type ServerInfo
class ServerInfo
  attr_reader :name, :version, :address, :id, :limits

  def initialize(name:, version:, address:, id:, limits:)
    @name = name
    @version = version
    @address = address
    @id = id
    @limits = limits
  end

  def ==(other)
    if @name != other.name
      return false
    end
    if @version != other.version
      return false
    end
    if @address != other.address
      return false
    end
    if @id != other.id
      return false
    end
    if @limits != other.limits
      return false
    end

    true
  end

end

  # Record type ServerLimits
class ServerLimits
  attr_reader :max_frame_len, :max_batch_len, :max_batch_records, :max_in_flight, :max_channels

  def initialize(max_frame_len:, max_batch_len:, max_batch_records:, max_in_flight:, max_channels:)
    @max_frame_len = max_frame_len
    @max_batch_len = max_batch_len
    @max_batch_records = max_batch_records
    @max_in_flight = max_in_flight
    @max_channels = max_channels
  end

  def ==(other)
    if @max_frame_len != other.max_frame_len
      return false
    end
    if @max_batch_len != other.max_batch_len
      return false
    end
    if @max_batch_records != other.max_batch_records
      return false
    end
    if @max_in_flight != other.max_in_flight
      return false
    end
    if @max_channels != other.max_channels
      return false
    end

    true
  end

end

  # Record type StreamInfo
class StreamInfo
  attr_reader :name, :id, :created_us, :topics

  def initialize(name:, id:, created_us:, topics:)
    @name = name
    @id = id
    @created_us = created_us
    @topics = topics
  end

  def ==(other)
    if @name != other.name
      return false
    end
    if @id != other.id
      return false
    end
    if @created_us != other.created_us
      return false
    end
    if @topics != other.topics
      return false
    end

    true
  end

end

  # Record type TokenInfo
class TokenInfo
  attr_reader :id, :name, :user, :created_us, :expires_us

  def initialize(id:, name:, user:, created_us:, expires_us:)
    @id = id
    @name = name
    @user = user
    @created_us = created_us
    @expires_us = expires_us
  end

  def ==(other)
    if @id != other.id
      return false
    end
    if @name != other.name
      return false
    end
    if @user != other.user
      return false
    end
    if @created_us != other.created_us
      return false
    end
    if @expires_us != other.expires_us
      return false
    end

    true
  end

end

  # Record type TopicInfo
class TopicInfo
  attr_reader :stream, :name, :id, :created_us, :partitions, :segment_bytes, :codec, :retention_ms, :retention_bytes, :dedup_window_ms

  def initialize(stream:, name:, id:, created_us:, partitions:, segment_bytes:, codec:, retention_ms:, retention_bytes:, dedup_window_ms:)
    @stream = stream
    @name = name
    @id = id
    @created_us = created_us
    @partitions = partitions
    @segment_bytes = segment_bytes
    @codec = codec
    @retention_ms = retention_ms
    @retention_bytes = retention_bytes
    @dedup_window_ms = dedup_window_ms
  end

  def ==(other)
    if @stream != other.stream
      return false
    end
    if @name != other.name
      return false
    end
    if @id != other.id
      return false
    end
    if @created_us != other.created_us
      return false
    end
    if @partitions != other.partitions
      return false
    end
    if @segment_bytes != other.segment_bytes
      return false
    end
    if @codec != other.codec
      return false
    end
    if @retention_ms != other.retention_ms
      return false
    end
    if @retention_bytes != other.retention_bytes
      return false
    end
    if @dedup_window_ms != other.dedup_window_ms
      return false
    end

    true
  end

end

  # Record type TopicPartition
class TopicPartition
  attr_reader :topic, :partition

  def initialize(topic:, partition:)
    @topic = topic
    @partition = partition
  end

  def ==(other)
    if @topic != other.topic
      return false
    end
    if @partition != other.partition
      return false
    end

    true
  end

end

  # Record type UserDescription
class UserDescription
  attr_reader :user, :grants

  def initialize(user:, grants:)
    @user = user
    @grants = grants
  end

  def ==(other)
    if @user != other.user
      return false
    end
    if @grants != other.grants
      return false
    end

    true
  end

end

  # Record type UserInfo
class UserInfo
  attr_reader :name, :id, :created_us, :enabled, :password, :tokens

  def initialize(name:, id:, created_us:, enabled:, password:, tokens:)
    @name = name
    @id = id
    @created_us = created_us
    @enabled = enabled
    @password = password
    @tokens = tokens
  end

  def ==(other)
    if @name != other.name
      return false
    end
    if @id != other.id
      return false
    end
    if @created_us != other.created_us
      return false
    end
    if @enabled != other.enabled
      return false
    end
    if @password != other.password
      return false
    end
    if @tokens != other.tokens
      return false
    end

    true
  end

end

  # Record type Outcomes
class Outcomes
  attr_reader :runs, :failures

  def initialize(runs:, failures:)
    @runs = runs
    @failures = failures
  end

  def ==(other)
    if @runs != other.runs
      return false
    end
    if @failures != other.failures
      return false
    end

    true
  end

end

  # Record type Pushed
class Pushed
  attr_reader :records, :bytes, :failure, :tickets

  def initialize(records:, bytes:, failure:, tickets:)
    @records = records
    @bytes = bytes
    @failure = failure
    @tickets = tickets
  end

  def ==(other)
    if @records != other.records
      return false
    end
    if @bytes != other.bytes
      return false
    end
    if @failure != other.failure
      return false
    end
    if @tickets != other.tickets
      return false
    end

    true
  end

end





def self.stored_batch(bytes)
    bytes = ::TidewireNative::uniffi_bytes(bytes)


  result = ::TidewireNative.rust_call_with_error(NativeError,:uniffi_tidewire_uniffi_fn_func_stored_batch,RustBuffer.alloc_from_bytes(bytes))
  return NativeBatches.uniffi_lift(result)
end





def self.connect(url, options)
    url = (url ? ::TidewireNative::uniffi_utf8(url) : nil)
    RustBuffer.check_lower_Optionalstring(url)

    options = options.each.with_object({}) { |(k, v), res| res[::TidewireNative::uniffi_utf8(k)] = ::TidewireNative::uniffi_utf8(v) }
    RustBuffer.check_lower_MapStringString(options)

  ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_func_connect(RustBuffer.alloc_from_Optionalstring(url),RustBuffer.alloc_from_MapStringString(options)),
      :ffi_tidewire_uniffi_rust_future_poll_u64,
      :ffi_tidewire_uniffi_rust_future_cancel_u64,
      :ffi_tidewire_uniffi_rust_future_complete_u64,
      :ffi_tidewire_uniffi_rust_future_free_u64,
      Proc.new { |v| NativeClient.uniffi_lift(v) },
    NativeError
    )
end



def self.version()
  result = ::TidewireNative.rust_call(:uniffi_tidewire_uniffi_fn_func_version,)
  return result.consume_into_string
end





  class NativeBatches

  # A private helper for initializing instances of the class from a raw handle,
  # bypassing any initialization logic and ensuring they are GC'd properly.
  def self.uniffi_allocate(handle)
    inst = allocate
    inst.instance_variable_set :@handle, handle
    ObjectSpace.define_finalizer(inst, uniffi_define_finalizer_by_handle(handle, inst.object_id))
    return inst
  end

  # A private helper for registering an object finalizer.
  # N.B. it's important that this does not capture a reference
  # to the actual instance, only its underlying handle.
  def self.uniffi_define_finalizer_by_handle(handle, object_id)
    Proc.new do |_id|
      ::TidewireNative.rust_call(
        :uniffi_tidewire_uniffi_fn_free_nativebatches,
        handle
      )
    end
  end
  # A private helper for lowering instances into a raw handle.
  # This does an explicit typecheck, because accidentally lowering a different type of
  # object in a place where this type is expected, could lead to memory unsafety.
  def self.uniffi_check_lower(inst)
    if !inst.is_a? self
      raise TypeError.new "Expected a NativeBatches instance, got #{inst}"
    end
  end

  def uniffi_clone_handle()
    return ::TidewireNative.rust_call(
      :uniffi_tidewire_uniffi_fn_clone_nativebatches,
      @handle
    )
  end

  def self.uniffi_lower(inst)
    return inst.uniffi_clone_handle()
  end

  def self.uniffi_lift(handle)
    uniffi_allocate handle
  end



  def count()
    result = ::TidewireNative.rust_call(:uniffi_tidewire_uniffi_fn_method_nativebatches_count,uniffi_clone_handle(),)
    return result.to_i
  end
  def end_offset()
    result = ::TidewireNative.rust_call(:uniffi_tidewire_uniffi_fn_method_nativebatches_end_offset,uniffi_clone_handle(),)
    return result.to_i
  end
  def lent(index)
        index = ::TidewireNative::uniffi_in_range(index, "i32", -2**31, 2**31)

    result = ::TidewireNative.rust_call(:uniffi_tidewire_uniffi_fn_method_nativebatches_lent,uniffi_clone_handle(),index)
    return result.consume_into_OptionalTypeLent
  end
  def next_offset()
    result = ::TidewireNative.rust_call(:uniffi_tidewire_uniffi_fn_method_nativebatches_next_offset,uniffi_clone_handle(),)
    return result.to_i
  end
  def start_offset()
    result = ::TidewireNative.rust_call(:uniffi_tidewire_uniffi_fn_method_nativebatches_start_offset,uniffi_clone_handle(),)
    return result.to_i
  end

end

  class NativeClient

  # A private helper for initializing instances of the class from a raw handle,
  # bypassing any initialization logic and ensuring they are GC'd properly.
  def self.uniffi_allocate(handle)
    inst = allocate
    inst.instance_variable_set :@handle, handle
    ObjectSpace.define_finalizer(inst, uniffi_define_finalizer_by_handle(handle, inst.object_id))
    return inst
  end

  # A private helper for registering an object finalizer.
  # N.B. it's important that this does not capture a reference
  # to the actual instance, only its underlying handle.
  def self.uniffi_define_finalizer_by_handle(handle, object_id)
    Proc.new do |_id|
      ::TidewireNative.rust_call(
        :uniffi_tidewire_uniffi_fn_free_nativeclient,
        handle
      )
    end
  end
  # A private helper for lowering instances into a raw handle.
  # This does an explicit typecheck, because accidentally lowering a different type of
  # object in a place where this type is expected, could lead to memory unsafety.
  def self.uniffi_check_lower(inst)
    if !inst.is_a? self
      raise TypeError.new "Expected a NativeClient instance, got #{inst}"
    end
  end

  def uniffi_clone_handle()
    return ::TidewireNative.rust_call(
      :uniffi_tidewire_uniffi_fn_clone_nativeclient,
      @handle
    )
  end

  def self.uniffi_lower(inst)
    return inst.uniffi_clone_handle()
  end

  def self.uniffi_lift(handle)
    uniffi_allocate handle
  end




  def add_partitions(topic, partitions)
        topic = ::TidewireNative::uniffi_utf8(topic)

        partitions = ::TidewireNative::uniffi_in_range(partitions, "i32", -2**31, 2**31)

    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_add_partitions(uniffi_clone_handle(),RustBuffer.alloc_from_string(topic),partitions),
      :ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_cancel_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_free_rust_buffer,
      Proc.new { |v| v.consume_into_TypeTopicInfo },
    NativeError
    )
  end

  def create_stream(name)
        name = ::TidewireNative::uniffi_utf8(name)

    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_create_stream(uniffi_clone_handle(),RustBuffer.alloc_from_string(name)),
      :ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_cancel_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_free_rust_buffer,
      Proc.new { |v| v.consume_into_TypeStreamInfo },
    NativeError
    )
  end

  def create_topic(topic, options)
        topic = ::TidewireNative::uniffi_utf8(topic)

        options = options.each.with_object({}) { |(k, v), res| res[::TidewireNative::uniffi_utf8(k)] = ::TidewireNative::uniffi_utf8(v) }
        RustBuffer.check_lower_MapStringString(options)
    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_create_topic(uniffi_clone_handle(),RustBuffer.alloc_from_string(topic),RustBuffer.alloc_from_MapStringString(options)),
      :ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_cancel_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_free_rust_buffer,
      Proc.new { |v| v.consume_into_TypeTopicInfo },
    NativeError
    )
  end

  def delete_stream(name, with_topics)
        name = ::TidewireNative::uniffi_utf8(name)

        with_topics = with_topics ? true : false

    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_delete_stream(uniffi_clone_handle(),RustBuffer.alloc_from_string(name),(with_topics ? 1 : 0)),
      :ffi_tidewire_uniffi_rust_future_poll_void,
      :ffi_tidewire_uniffi_rust_future_cancel_void,
      :ffi_tidewire_uniffi_rust_future_complete_void,
      :ffi_tidewire_uniffi_rust_future_free_void,
      Proc.new { |v| nil },
    NativeError
    )
  end

  def delete_topic(topic)
        topic = ::TidewireNative::uniffi_utf8(topic)

    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_delete_topic(uniffi_clone_handle(),RustBuffer.alloc_from_string(topic)),
      :ffi_tidewire_uniffi_rust_future_poll_void,
      :ffi_tidewire_uniffi_rust_future_cancel_void,
      :ffi_tidewire_uniffi_rust_future_complete_void,
      :ffi_tidewire_uniffi_rust_future_free_void,
      Proc.new { |v| nil },
    NativeError
    )
  end

  def describe_limits()
    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_describe_limits(uniffi_clone_handle(),),
      :ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_cancel_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_free_rust_buffer,
      Proc.new { |v| v.consume_into_SequenceTypeLimitInfo },
    NativeError
    )
  end

  def describe_stream(name)
        name = ::TidewireNative::uniffi_utf8(name)

    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_describe_stream(uniffi_clone_handle(),RustBuffer.alloc_from_string(name)),
      :ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_cancel_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_free_rust_buffer,
      Proc.new { |v| v.consume_into_TypeStreamInfo },
    NativeError
    )
  end

  def describe_topic(topic)
        topic = ::TidewireNative::uniffi_utf8(topic)

    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_describe_topic(uniffi_clone_handle(),RustBuffer.alloc_from_string(topic)),
      :ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_cancel_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_free_rust_buffer,
      Proc.new { |v| v.consume_into_TypeTopicInfo },
    NativeError
    )
  end

  def fetch(topic, partition, offset, max_bytes, min_bytes, max_wait_ms)
        topic = ::TidewireNative::uniffi_utf8(topic)

        partition = ::TidewireNative::uniffi_in_range(partition, "i32", -2**31, 2**31)

        offset = ::TidewireNative::uniffi_in_range(offset, "i64", -2**63, 2**63)

        max_bytes = (max_bytes ? ::TidewireNative::uniffi_in_range(max_bytes, "i32", -2**31, 2**31) : nil)
        RustBuffer.check_lower_Optionali32(max_bytes)
        min_bytes = (min_bytes ? ::TidewireNative::uniffi_in_range(min_bytes, "i32", -2**31, 2**31) : nil)
        RustBuffer.check_lower_Optionali32(min_bytes)
        max_wait_ms = (max_wait_ms ? ::TidewireNative::uniffi_in_range(max_wait_ms, "i32", -2**31, 2**31) : nil)
        RustBuffer.check_lower_Optionali32(max_wait_ms)
    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_fetch(uniffi_clone_handle(),RustBuffer.alloc_from_string(topic),partition,offset,RustBuffer.alloc_from_Optionali32(max_bytes),RustBuffer.alloc_from_Optionali32(min_bytes),RustBuffer.alloc_from_Optionali32(max_wait_ms)),
      :ffi_tidewire_uniffi_rust_future_poll_u64,
      :ffi_tidewire_uniffi_rust_future_cancel_u64,
      :ffi_tidewire_uniffi_rust_future_complete_u64,
      :ffi_tidewire_uniffi_rust_future_free_u64,
      Proc.new { |v| NativeBatches.uniffi_lift(v) },
    NativeError
    )
  end

  def forget_producer(topic, name)
        topic = ::TidewireNative::uniffi_utf8(topic)

        name = ::TidewireNative::uniffi_utf8(name)

    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_forget_producer(uniffi_clone_handle(),RustBuffer.alloc_from_string(topic),RustBuffer.alloc_from_string(name)),
      :ffi_tidewire_uniffi_rust_future_poll_void,
      :ffi_tidewire_uniffi_rust_future_cancel_void,
      :ffi_tidewire_uniffi_rust_future_complete_void,
      :ffi_tidewire_uniffi_rust_future_free_void,
      Proc.new { |v| nil },
    NativeError
    )
  end

  def list_streams()
    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_list_streams(uniffi_clone_handle(),),
      :ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_cancel_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_free_rust_buffer,
      Proc.new { |v| v.consume_into_SequenceTypeStreamInfo },
    NativeError
    )
  end

  def list_topics(stream)
        stream = ::TidewireNative::uniffi_utf8(stream)

    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_list_topics(uniffi_clone_handle(),RustBuffer.alloc_from_string(stream)),
      :ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_cancel_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_free_rust_buffer,
      Proc.new { |v| v.consume_into_SequenceTypeTopicInfo },
    NativeError
    )
  end

  def partitions(topic)
        topic = ::TidewireNative::uniffi_utf8(topic)

    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_partitions(uniffi_clone_handle(),RustBuffer.alloc_from_string(topic)),
      :ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_cancel_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_free_rust_buffer,
      Proc.new { |v| v.consume_into_SequenceTypePartitionInfo },
    NativeError
    )
  end

  def producers(topic)
        topic = ::TidewireNative::uniffi_utf8(topic)

    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_producers(uniffi_clone_handle(),RustBuffer.alloc_from_string(topic)),
      :ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_cancel_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_free_rust_buffer,
      Proc.new { |v| v.consume_into_SequenceTypeProducerInfo },
    NativeError
    )
  end

  def purge_stream(name)
        name = ::TidewireNative::uniffi_utf8(name)

    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_purge_stream(uniffi_clone_handle(),RustBuffer.alloc_from_string(name)),
      :ffi_tidewire_uniffi_rust_future_poll_void,
      :ffi_tidewire_uniffi_rust_future_cancel_void,
      :ffi_tidewire_uniffi_rust_future_complete_void,
      :ffi_tidewire_uniffi_rust_future_free_void,
      Proc.new { |v| nil },
    NativeError
    )
  end

  def purge_topic(topic)
        topic = ::TidewireNative::uniffi_utf8(topic)

    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_purge_topic(uniffi_clone_handle(),RustBuffer.alloc_from_string(topic)),
      :ffi_tidewire_uniffi_rust_future_poll_void,
      :ffi_tidewire_uniffi_rust_future_cancel_void,
      :ffi_tidewire_uniffi_rust_future_complete_void,
      :ffi_tidewire_uniffi_rust_future_free_void,
      Proc.new { |v| nil },
    NativeError
    )
  end

  def truncate(topic, partition, before)
        topic = ::TidewireNative::uniffi_utf8(topic)

        partition = ::TidewireNative::uniffi_in_range(partition, "i32", -2**31, 2**31)

        before = ::TidewireNative::uniffi_in_range(before, "i64", -2**63, 2**63)

    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_truncate(uniffi_clone_handle(),RustBuffer.alloc_from_string(topic),partition,before),
      :ffi_tidewire_uniffi_rust_future_poll_i64,
      :ffi_tidewire_uniffi_rust_future_cancel_i64,
      :ffi_tidewire_uniffi_rust_future_complete_i64,
      :ffi_tidewire_uniffi_rust_future_free_i64,
      Proc.new { |v| v.to_i },
    NativeError
    )
  end

  def update_topic(topic, options)
        topic = ::TidewireNative::uniffi_utf8(topic)

        options = options.each.with_object({}) { |(k, v), res| res[::TidewireNative::uniffi_utf8(k)] = ::TidewireNative::uniffi_utf8(v) }
        RustBuffer.check_lower_MapStringString(options)
    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_update_topic(uniffi_clone_handle(),RustBuffer.alloc_from_string(topic),RustBuffer.alloc_from_MapStringString(options)),
      :ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_cancel_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_free_rust_buffer,
      Proc.new { |v| v.consume_into_TypeTopicInfo },
    NativeError
    )
  end
  def events()
    result = ::TidewireNative.rust_call_with_error(NativeError,:uniffi_tidewire_uniffi_fn_method_nativeclient_events,uniffi_clone_handle(),)
    return NativeEvents.uniffi_lift(result)
  end

  def ping()
    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_ping(uniffi_clone_handle(),),
      :ffi_tidewire_uniffi_rust_future_poll_i64,
      :ffi_tidewire_uniffi_rust_future_cancel_i64,
      :ffi_tidewire_uniffi_rust_future_complete_i64,
      :ffi_tidewire_uniffi_rust_future_free_i64,
      Proc.new { |v| v.to_i },
    NativeError
    )
  end
  def server()
    result = ::TidewireNative.rust_call_with_error(NativeError,:uniffi_tidewire_uniffi_fn_method_nativeclient_server,uniffi_clone_handle(),)
    return result.consume_into_TypeServerInfo
  end

  def shut()
    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_shut(uniffi_clone_handle(),),
      :ffi_tidewire_uniffi_rust_future_poll_void,
      :ffi_tidewire_uniffi_rust_future_cancel_void,
      :ffi_tidewire_uniffi_rust_future_complete_void,
      :ffi_tidewire_uniffi_rust_future_free_void,
      Proc.new { |v| nil },
    NativeError
    )
  end

  def consumer(topics, group, name, only, start_at, options)
        topics = topics.map { |v| ::TidewireNative::uniffi_utf8(v) }
        RustBuffer.check_lower_Sequencestring(topics)
        group = (group ? ::TidewireNative::uniffi_utf8(group) : nil)
        RustBuffer.check_lower_Optionalstring(group)
        name = (name ? ::TidewireNative::uniffi_utf8(name) : nil)
        RustBuffer.check_lower_Optionalstring(name)
        only = (only ? only.map { |v| ::TidewireNative::uniffi_in_range(v, "i32", -2**31, 2**31) } : nil)
        RustBuffer.check_lower_OptionalSequencei32(only)
        start_at = start_at.each.with_object({}) { |(k, v), res| res[::TidewireNative::uniffi_in_range(k, "i32", -2**31, 2**31)] = ::TidewireNative::uniffi_in_range(v, "i64", -2**63, 2**63) }
        RustBuffer.check_lower_MapI32I64(start_at)
        options = options.each.with_object({}) { |(k, v), res| res[::TidewireNative::uniffi_utf8(k)] = ::TidewireNative::uniffi_utf8(v) }
        RustBuffer.check_lower_MapStringString(options)
    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_consumer(uniffi_clone_handle(),RustBuffer.alloc_from_Sequencestring(topics),RustBuffer.alloc_from_Optionalstring(group),RustBuffer.alloc_from_Optionalstring(name),RustBuffer.alloc_from_OptionalSequencei32(only),RustBuffer.alloc_from_MapI32I64(start_at),RustBuffer.alloc_from_MapStringString(options)),
      :ffi_tidewire_uniffi_rust_future_poll_u64,
      :ffi_tidewire_uniffi_rust_future_cancel_u64,
      :ffi_tidewire_uniffi_rust_future_complete_u64,
      :ffi_tidewire_uniffi_rust_future_free_u64,
      Proc.new { |v| NativeConsumer.uniffi_lift(v) },
    NativeError
    )
  end

  def committed(group, topic)
        group = ::TidewireNative::uniffi_utf8(group)

        topic = ::TidewireNative::uniffi_utf8(topic)

    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_committed(uniffi_clone_handle(),RustBuffer.alloc_from_string(group),RustBuffer.alloc_from_string(topic)),
      :ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_cancel_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_free_rust_buffer,
      Proc.new { |v| v.consume_into_SequenceTypeCommittedOffset },
    NativeError
    )
  end

  def create_group(group)
        group = ::TidewireNative::uniffi_utf8(group)

    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_create_group(uniffi_clone_handle(),RustBuffer.alloc_from_string(group)),
      :ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_cancel_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_free_rust_buffer,
      Proc.new { |v| v.consume_into_TypeGroupInfo },
    NativeError
    )
  end

  def delete_group(group)
        group = ::TidewireNative::uniffi_utf8(group)

    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_delete_group(uniffi_clone_handle(),RustBuffer.alloc_from_string(group)),
      :ffi_tidewire_uniffi_rust_future_poll_void,
      :ffi_tidewire_uniffi_rust_future_cancel_void,
      :ffi_tidewire_uniffi_rust_future_complete_void,
      :ffi_tidewire_uniffi_rust_future_free_void,
      Proc.new { |v| nil },
    NativeError
    )
  end

  def delete_offsets(group, topic, only)
        group = ::TidewireNative::uniffi_utf8(group)

        topic = ::TidewireNative::uniffi_utf8(topic)

        only = (only ? only.map { |v| ::TidewireNative::uniffi_in_range(v, "i32", -2**31, 2**31) } : nil)
        RustBuffer.check_lower_OptionalSequencei32(only)
    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_delete_offsets(uniffi_clone_handle(),RustBuffer.alloc_from_string(group),RustBuffer.alloc_from_string(topic),RustBuffer.alloc_from_OptionalSequencei32(only)),
      :ffi_tidewire_uniffi_rust_future_poll_void,
      :ffi_tidewire_uniffi_rust_future_cancel_void,
      :ffi_tidewire_uniffi_rust_future_complete_void,
      :ffi_tidewire_uniffi_rust_future_free_void,
      Proc.new { |v| nil },
    NativeError
    )
  end

  def describe_group(group)
        group = ::TidewireNative::uniffi_utf8(group)

    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_describe_group(uniffi_clone_handle(),RustBuffer.alloc_from_string(group)),
      :ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_cancel_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_free_rust_buffer,
      Proc.new { |v| v.consume_into_TypeGroupDescription },
    NativeError
    )
  end

  def list_groups()
    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_list_groups(uniffi_clone_handle(),),
      :ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_cancel_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_free_rust_buffer,
      Proc.new { |v| v.consume_into_SequenceTypeGroupInfo },
    NativeError
    )
  end

  def reset_offsets(group, topic, only, to, force)
        group = ::TidewireNative::uniffi_utf8(group)

        topic = ::TidewireNative::uniffi_utf8(topic)

        only = (only ? only.map { |v| ::TidewireNative::uniffi_in_range(v, "i32", -2**31, 2**31) } : nil)
        RustBuffer.check_lower_OptionalSequencei32(only)
        to = ::TidewireNative::uniffi_utf8(to)

        force = force ? true : false

    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_reset_offsets(uniffi_clone_handle(),RustBuffer.alloc_from_string(group),RustBuffer.alloc_from_string(topic),RustBuffer.alloc_from_OptionalSequencei32(only),RustBuffer.alloc_from_string(to),(force ? 1 : 0)),
      :ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_cancel_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_free_rust_buffer,
      Proc.new { |v| v.consume_into_SequenceTypePartitionOffset },
    NativeError
    )
  end

  def producer(topic, name, options)
        topic = ::TidewireNative::uniffi_utf8(topic)

        name = (name ? ::TidewireNative::uniffi_utf8(name) : nil)
        RustBuffer.check_lower_Optionalstring(name)
        options = options.each.with_object({}) { |(k, v), res| res[::TidewireNative::uniffi_utf8(k)] = ::TidewireNative::uniffi_utf8(v) }
        RustBuffer.check_lower_MapStringString(options)
    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_producer(uniffi_clone_handle(),RustBuffer.alloc_from_string(topic),RustBuffer.alloc_from_Optionalstring(name),RustBuffer.alloc_from_MapStringString(options)),
      :ffi_tidewire_uniffi_rust_future_poll_u64,
      :ffi_tidewire_uniffi_rust_future_cancel_u64,
      :ffi_tidewire_uniffi_rust_future_complete_u64,
      :ffi_tidewire_uniffi_rust_future_free_u64,
      Proc.new { |v| NativeProducer.uniffi_lift(v) },
    NativeError
    )
  end

  def change_grants(name, revoke, grant)
        name = ::TidewireNative::uniffi_utf8(name)

        revoke = revoke.map { |v| ::TidewireNative::uniffi_utf8(v) }
        RustBuffer.check_lower_Sequencestring(revoke)
        grant = grant.map { |v| ::TidewireNative::uniffi_utf8(v) }
        RustBuffer.check_lower_Sequencestring(grant)
    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_change_grants(uniffi_clone_handle(),RustBuffer.alloc_from_string(name),RustBuffer.alloc_from_Sequencestring(revoke),RustBuffer.alloc_from_Sequencestring(grant)),
      :ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_cancel_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_free_rust_buffer,
      Proc.new { |v| v.consume_into_Sequencestring },
    NativeError
    )
  end

  def change_password(password, name)
        password = ::TidewireNative::uniffi_utf8(password)

        name = (name ? ::TidewireNative::uniffi_utf8(name) : nil)
        RustBuffer.check_lower_Optionalstring(name)
    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_change_password(uniffi_clone_handle(),RustBuffer.alloc_from_string(password),RustBuffer.alloc_from_Optionalstring(name)),
      :ffi_tidewire_uniffi_rust_future_poll_void,
      :ffi_tidewire_uniffi_rust_future_cancel_void,
      :ffi_tidewire_uniffi_rust_future_complete_void,
      :ffi_tidewire_uniffi_rust_future_free_void,
      Proc.new { |v| nil },
    NativeError
    )
  end

  def create_token(name, user, lifetime_ms)
        name = ::TidewireNative::uniffi_utf8(name)

        user = (user ? ::TidewireNative::uniffi_utf8(user) : nil)
        RustBuffer.check_lower_Optionalstring(user)
        lifetime_ms = (lifetime_ms ? ::TidewireNative::uniffi_in_range(lifetime_ms, "i64", -2**63, 2**63) : nil)
        RustBuffer.check_lower_Optionali64(lifetime_ms)
    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_create_token(uniffi_clone_handle(),RustBuffer.alloc_from_string(name),RustBuffer.alloc_from_Optionalstring(user),RustBuffer.alloc_from_Optionali64(lifetime_ms)),
      :ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_cancel_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_free_rust_buffer,
      Proc.new { |v| v.consume_into_TypeNewToken },
    NativeError
    )
  end

  def create_user(name, password, grants)
        name = ::TidewireNative::uniffi_utf8(name)

        password = (password ? ::TidewireNative::uniffi_utf8(password) : nil)
        RustBuffer.check_lower_Optionalstring(password)
        grants = grants.map { |v| ::TidewireNative::uniffi_utf8(v) }
        RustBuffer.check_lower_Sequencestring(grants)
    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_create_user(uniffi_clone_handle(),RustBuffer.alloc_from_string(name),RustBuffer.alloc_from_Optionalstring(password),RustBuffer.alloc_from_Sequencestring(grants)),
      :ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_cancel_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_free_rust_buffer,
      Proc.new { |v| v.consume_into_TypeUserInfo },
    NativeError
    )
  end

  def delete_token(id)
        id = ::TidewireNative::uniffi_in_range(id, "i64", -2**63, 2**63)

    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_delete_token(uniffi_clone_handle(),id),
      :ffi_tidewire_uniffi_rust_future_poll_void,
      :ffi_tidewire_uniffi_rust_future_cancel_void,
      :ffi_tidewire_uniffi_rust_future_complete_void,
      :ffi_tidewire_uniffi_rust_future_free_void,
      Proc.new { |v| nil },
    NativeError
    )
  end

  def delete_user(name)
        name = ::TidewireNative::uniffi_utf8(name)

    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_delete_user(uniffi_clone_handle(),RustBuffer.alloc_from_string(name)),
      :ffi_tidewire_uniffi_rust_future_poll_void,
      :ffi_tidewire_uniffi_rust_future_cancel_void,
      :ffi_tidewire_uniffi_rust_future_complete_void,
      :ffi_tidewire_uniffi_rust_future_free_void,
      Proc.new { |v| nil },
    NativeError
    )
  end

  def describe_user(name)
        name = (name ? ::TidewireNative::uniffi_utf8(name) : nil)
        RustBuffer.check_lower_Optionalstring(name)
    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_describe_user(uniffi_clone_handle(),RustBuffer.alloc_from_Optionalstring(name)),
      :ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_cancel_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_free_rust_buffer,
      Proc.new { |v| v.consume_into_TypeUserDescription },
    NativeError
    )
  end

  def enable_user(name, enabled)
        name = ::TidewireNative::uniffi_utf8(name)

        enabled = enabled ? true : false

    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_enable_user(uniffi_clone_handle(),RustBuffer.alloc_from_string(name),(enabled ? 1 : 0)),
      :ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_cancel_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_free_rust_buffer,
      Proc.new { |v| v.consume_into_TypeUserInfo },
    NativeError
    )
  end

  def list_tokens(user)
        user = (user ? ::TidewireNative::uniffi_utf8(user) : nil)
        RustBuffer.check_lower_Optionalstring(user)
    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_list_tokens(uniffi_clone_handle(),RustBuffer.alloc_from_Optionalstring(user)),
      :ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_cancel_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_free_rust_buffer,
      Proc.new { |v| v.consume_into_SequenceTypeTokenInfo },
    NativeError
    )
  end

  def list_users()
    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeclient_list_users(uniffi_clone_handle(),),
      :ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_cancel_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_free_rust_buffer,
      Proc.new { |v| v.consume_into_SequenceTypeUserInfo },
    NativeError
    )
  end

end

  class NativeConsumer

  # A private helper for initializing instances of the class from a raw handle,
  # bypassing any initialization logic and ensuring they are GC'd properly.
  def self.uniffi_allocate(handle)
    inst = allocate
    inst.instance_variable_set :@handle, handle
    ObjectSpace.define_finalizer(inst, uniffi_define_finalizer_by_handle(handle, inst.object_id))
    return inst
  end

  # A private helper for registering an object finalizer.
  # N.B. it's important that this does not capture a reference
  # to the actual instance, only its underlying handle.
  def self.uniffi_define_finalizer_by_handle(handle, object_id)
    Proc.new do |_id|
      ::TidewireNative.rust_call(
        :uniffi_tidewire_uniffi_fn_free_nativeconsumer,
        handle
      )
    end
  end
  # A private helper for lowering instances into a raw handle.
  # This does an explicit typecheck, because accidentally lowering a different type of
  # object in a place where this type is expected, could lead to memory unsafety.
  def self.uniffi_check_lower(inst)
    if !inst.is_a? self
      raise TypeError.new "Expected a NativeConsumer instance, got #{inst}"
    end
  end

  def uniffi_clone_handle()
    return ::TidewireNative.rust_call(
      :uniffi_tidewire_uniffi_fn_clone_nativeconsumer,
      @handle
    )
  end

  def self.uniffi_lower(inst)
    return inst.uniffi_clone_handle()
  end

  def self.uniffi_lift(handle)
    uniffi_allocate handle
  end



  def add_partition(partition, start)
        partition = ::TidewireNative::uniffi_in_range(partition, "i32", -2**31, 2**31)

        start = ::TidewireNative::uniffi_utf8(start)

      ::TidewireNative.rust_call_with_error(NativeError,:uniffi_tidewire_uniffi_fn_method_nativeconsumer_add_partition,uniffi_clone_handle(),partition,RustBuffer.alloc_from_string(start))
  end

  def assignment()
    result = ::TidewireNative.rust_call(:uniffi_tidewire_uniffi_fn_method_nativeconsumer_assignment,uniffi_clone_handle(),)
    return result.consume_into_SequenceTypeTopicPartition
  end

  def close_within(limit_ms)
        limit_ms = (limit_ms ? ::TidewireNative::uniffi_in_range(limit_ms, "i64", -2**63, 2**63) : nil)
        RustBuffer.check_lower_Optionali64(limit_ms)
    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeconsumer_close_within(uniffi_clone_handle(),RustBuffer.alloc_from_Optionali64(limit_ms)),
      :ffi_tidewire_uniffi_rust_future_poll_void,
      :ffi_tidewire_uniffi_rust_future_cancel_void,
      :ffi_tidewire_uniffi_rust_future_complete_void,
      :ffi_tidewire_uniffi_rust_future_free_void,
      Proc.new { |v| nil },
    NativeError
    )
  end

  def commit()
    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeconsumer_commit(uniffi_clone_handle(),),
      :ffi_tidewire_uniffi_rust_future_poll_void,
      :ffi_tidewire_uniffi_rust_future_cancel_void,
      :ffi_tidewire_uniffi_rust_future_complete_void,
      :ffi_tidewire_uniffi_rust_future_free_void,
      Proc.new { |v| nil },
    NativeError
    )
  end

  def commit_offset(topic, partition, offset)
        topic = ::TidewireNative::uniffi_utf8(topic)

        partition = ::TidewireNative::uniffi_in_range(partition, "i32", -2**31, 2**31)

        offset = ::TidewireNative::uniffi_in_range(offset, "i64", -2**63, 2**63)

    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeconsumer_commit_offset(uniffi_clone_handle(),RustBuffer.alloc_from_string(topic),partition,offset),
      :ffi_tidewire_uniffi_rust_future_poll_void,
      :ffi_tidewire_uniffi_rust_future_cancel_void,
      :ffi_tidewire_uniffi_rust_future_complete_void,
      :ffi_tidewire_uniffi_rust_future_free_void,
      Proc.new { |v| nil },
    NativeError
    )
  end

  def commit_until(topic, partition, offset)
        topic = ::TidewireNative::uniffi_utf8(topic)

        partition = ::TidewireNative::uniffi_in_range(partition, "i32", -2**31, 2**31)

        offset = ::TidewireNative::uniffi_in_range(offset, "i64", -2**63, 2**63)

    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeconsumer_commit_until(uniffi_clone_handle(),RustBuffer.alloc_from_string(topic),partition,offset),
      :ffi_tidewire_uniffi_rust_future_poll_void,
      :ffi_tidewire_uniffi_rust_future_cancel_void,
      :ffi_tidewire_uniffi_rust_future_complete_void,
      :ffi_tidewire_uniffi_rust_future_free_void,
      Proc.new { |v| nil },
    NativeError
    )
  end
  def is_closed()
    result = ::TidewireNative.rust_call(:uniffi_tidewire_uniffi_fn_method_nativeconsumer_is_closed,uniffi_clone_handle(),)
    return 1 == result
  end
  def lag()
    result = ::TidewireNative.rust_call(:uniffi_tidewire_uniffi_fn_method_nativeconsumer_lag,uniffi_clone_handle(),)
    return result.to_i
  end
  def pause(partition)
        partition = ::TidewireNative::uniffi_in_range(partition, "i32", -2**31, 2**31)

      ::TidewireNative.rust_call_with_error(NativeError,:uniffi_tidewire_uniffi_fn_method_nativeconsumer_pause,uniffi_clone_handle(),partition)
  end

  def positions()
    result = ::TidewireNative.rust_call(:uniffi_tidewire_uniffi_fn_method_nativeconsumer_positions,uniffi_clone_handle(),)
    return result.consume_into_SequenceTypePosition
  end

  def ready(limit_ms)
        limit_ms = (limit_ms ? ::TidewireNative::uniffi_in_range(limit_ms, "i64", -2**63, 2**63) : nil)
        RustBuffer.check_lower_Optionali64(limit_ms)
    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeconsumer_ready(uniffi_clone_handle(),RustBuffer.alloc_from_Optionali64(limit_ms)),
      :ffi_tidewire_uniffi_rust_future_poll_i8,
      :ffi_tidewire_uniffi_rust_future_cancel_i8,
      :ffi_tidewire_uniffi_rust_future_complete_i8,
      :ffi_tidewire_uniffi_rust_future_free_i8,
      Proc.new { |v| 1 == v },
    NativeError
    )
  end
  def remove_partition(partition)
        partition = ::TidewireNative::uniffi_in_range(partition, "i32", -2**31, 2**31)

    result = ::TidewireNative.rust_call_with_error(NativeError,:uniffi_tidewire_uniffi_fn_method_nativeconsumer_remove_partition,uniffi_clone_handle(),partition)
    return 1 == result
  end
  def resume(partition)
        partition = ::TidewireNative::uniffi_in_range(partition, "i32", -2**31, 2**31)

      ::TidewireNative.rust_call_with_error(NativeError,:uniffi_tidewire_uniffi_fn_method_nativeconsumer_resume,uniffi_clone_handle(),partition)
  end

  def seek(partition, to)
        partition = ::TidewireNative::uniffi_in_range(partition, "i32", -2**31, 2**31)

        to = ::TidewireNative::uniffi_utf8(to)

      ::TidewireNative.rust_call_with_error(NativeError,:uniffi_tidewire_uniffi_fn_method_nativeconsumer_seek,uniffi_clone_handle(),partition,RustBuffer.alloc_from_string(to))
  end

  def stats()
    result = ::TidewireNative.rust_call(:uniffi_tidewire_uniffi_fn_method_nativeconsumer_stats,uniffi_clone_handle(),)
    return result.consume_into_TypeConsumerStats
  end
  def take()
    result = ::TidewireNative.rust_call_with_error(NativeError,:uniffi_tidewire_uniffi_fn_method_nativeconsumer_take,uniffi_clone_handle(),)
    return result.consume_into_TypeTaken
  end
  def topic(number)
        number = ::TidewireNative::uniffi_in_range(number, "i32", -2**31, 2**31)

    result = ::TidewireNative.rust_call(:uniffi_tidewire_uniffi_fn_method_nativeconsumer_topic,uniffi_clone_handle(),number)
    return result.consume_into_Optionalstring
  end

end

  class NativeEvents

  # A private helper for initializing instances of the class from a raw handle,
  # bypassing any initialization logic and ensuring they are GC'd properly.
  def self.uniffi_allocate(handle)
    inst = allocate
    inst.instance_variable_set :@handle, handle
    ObjectSpace.define_finalizer(inst, uniffi_define_finalizer_by_handle(handle, inst.object_id))
    return inst
  end

  # A private helper for registering an object finalizer.
  # N.B. it's important that this does not capture a reference
  # to the actual instance, only its underlying handle.
  def self.uniffi_define_finalizer_by_handle(handle, object_id)
    Proc.new do |_id|
      ::TidewireNative.rust_call(
        :uniffi_tidewire_uniffi_fn_free_nativeevents,
        handle
      )
    end
  end
  # A private helper for lowering instances into a raw handle.
  # This does an explicit typecheck, because accidentally lowering a different type of
  # object in a place where this type is expected, could lead to memory unsafety.
  def self.uniffi_check_lower(inst)
    if !inst.is_a? self
      raise TypeError.new "Expected a NativeEvents instance, got #{inst}"
    end
  end

  def uniffi_clone_handle()
    return ::TidewireNative.rust_call(
      :uniffi_tidewire_uniffi_fn_clone_nativeevents,
      @handle
    )
  end

  def self.uniffi_lower(inst)
    return inst.uniffi_clone_handle()
  end

  def self.uniffi_lift(handle)
    uniffi_allocate handle
  end




  def ready(limit_ms)
        limit_ms = (limit_ms ? ::TidewireNative::uniffi_in_range(limit_ms, "i64", -2**63, 2**63) : nil)
        RustBuffer.check_lower_Optionali64(limit_ms)
    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeevents_ready(uniffi_clone_handle(),RustBuffer.alloc_from_Optionali64(limit_ms)),
      :ffi_tidewire_uniffi_rust_future_poll_i8,
      :ffi_tidewire_uniffi_rust_future_cancel_i8,
      :ffi_tidewire_uniffi_rust_future_complete_i8,
      :ffi_tidewire_uniffi_rust_future_free_i8,
      Proc.new { |v| 1 == v },
    NativeError
    )
  end
  def take()
    result = ::TidewireNative.rust_call(:uniffi_tidewire_uniffi_fn_method_nativeevents_take,uniffi_clone_handle(),)
    return result.consume_into_OptionalTypeNativeEvent
  end

end

  class NativeProducer

  # A private helper for initializing instances of the class from a raw handle,
  # bypassing any initialization logic and ensuring they are GC'd properly.
  def self.uniffi_allocate(handle)
    inst = allocate
    inst.instance_variable_set :@handle, handle
    ObjectSpace.define_finalizer(inst, uniffi_define_finalizer_by_handle(handle, inst.object_id))
    return inst
  end

  # A private helper for registering an object finalizer.
  # N.B. it's important that this does not capture a reference
  # to the actual instance, only its underlying handle.
  def self.uniffi_define_finalizer_by_handle(handle, object_id)
    Proc.new do |_id|
      ::TidewireNative.rust_call(
        :uniffi_tidewire_uniffi_fn_free_nativeproducer,
        handle
      )
    end
  end
  # A private helper for lowering instances into a raw handle.
  # This does an explicit typecheck, because accidentally lowering a different type of
  # object in a place where this type is expected, could lead to memory unsafety.
  def self.uniffi_check_lower(inst)
    if !inst.is_a? self
      raise TypeError.new "Expected a NativeProducer instance, got #{inst}"
    end
  end

  def uniffi_clone_handle()
    return ::TidewireNative.rust_call(
      :uniffi_tidewire_uniffi_fn_clone_nativeproducer,
      @handle
    )
  end

  def self.uniffi_lower(inst)
    return inst.uniffi_clone_handle()
  end

  def self.uniffi_lift(handle)
    uniffi_allocate handle
  end



  def blocks()
    result = ::TidewireNative.rust_call_with_error(NativeError,:uniffi_tidewire_uniffi_fn_method_nativeproducer_blocks,uniffi_clone_handle(),)
    return 1 == result
  end

  def close_within(limit_ms)
        limit_ms = (limit_ms ? ::TidewireNative::uniffi_in_range(limit_ms, "i64", -2**63, 2**63) : nil)
        RustBuffer.check_lower_Optionali64(limit_ms)
    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeproducer_close_within(uniffi_clone_handle(),RustBuffer.alloc_from_Optionali64(limit_ms)),
      :ffi_tidewire_uniffi_rust_future_poll_void,
      :ffi_tidewire_uniffi_rust_future_cancel_void,
      :ffi_tidewire_uniffi_rust_future_complete_void,
      :ffi_tidewire_uniffi_rust_future_free_void,
      Proc.new { |v| nil },
    NativeError
    )
  end

  def flush(limit_ms)
        limit_ms = (limit_ms ? ::TidewireNative::uniffi_in_range(limit_ms, "i64", -2**63, 2**63) : nil)
        RustBuffer.check_lower_Optionali64(limit_ms)
    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeproducer_flush(uniffi_clone_handle(),RustBuffer.alloc_from_Optionali64(limit_ms)),
      :ffi_tidewire_uniffi_rust_future_poll_void,
      :ffi_tidewire_uniffi_rust_future_cancel_void,
      :ffi_tidewire_uniffi_rust_future_complete_void,
      :ffi_tidewire_uniffi_rust_future_free_void,
      Proc.new { |v| nil },
    NativeError
    )
  end
  def partitions()
    result = ::TidewireNative.rust_call_with_error(NativeError,:uniffi_tidewire_uniffi_fn_method_nativeproducer_partitions,uniffi_clone_handle(),)
    return result.to_i
  end
  def push_copied(chunk, expedite, wants_tickets)
        chunk = ::TidewireNative::uniffi_bytes(chunk)

        expedite = expedite ? true : false

        wants_tickets = wants_tickets ? true : false

    result = ::TidewireNative.rust_call_with_error(NativeError,:uniffi_tidewire_uniffi_fn_method_nativeproducer_push_copied,uniffi_clone_handle(),RustBuffer.alloc_from_bytes(chunk),(expedite ? 1 : 0),(wants_tickets ? 1 : 0))
    return result.consume_into_TypePushed
  end

  def ready(limit_ms)
        limit_ms = (limit_ms ? ::TidewireNative::uniffi_in_range(limit_ms, "i64", -2**63, 2**63) : nil)
        RustBuffer.check_lower_Optionali64(limit_ms)
    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativeproducer_ready(uniffi_clone_handle(),RustBuffer.alloc_from_Optionali64(limit_ms)),
      :ffi_tidewire_uniffi_rust_future_poll_void,
      :ffi_tidewire_uniffi_rust_future_cancel_void,
      :ffi_tidewire_uniffi_rust_future_complete_void,
      :ffi_tidewire_uniffi_rust_future_free_void,
      Proc.new { |v| nil },
    NativeError
    )
  end
  def stats()
    result = ::TidewireNative.rust_call_with_error(NativeError,:uniffi_tidewire_uniffi_fn_method_nativeproducer_stats,uniffi_clone_handle(),)
    return result.consume_into_TypeProducerStats
  end

end

  class NativeTickets

  # A private helper for initializing instances of the class from a raw handle,
  # bypassing any initialization logic and ensuring they are GC'd properly.
  def self.uniffi_allocate(handle)
    inst = allocate
    inst.instance_variable_set :@handle, handle
    ObjectSpace.define_finalizer(inst, uniffi_define_finalizer_by_handle(handle, inst.object_id))
    return inst
  end

  # A private helper for registering an object finalizer.
  # N.B. it's important that this does not capture a reference
  # to the actual instance, only its underlying handle.
  def self.uniffi_define_finalizer_by_handle(handle, object_id)
    Proc.new do |_id|
      ::TidewireNative.rust_call(
        :uniffi_tidewire_uniffi_fn_free_nativetickets,
        handle
      )
    end
  end
  # A private helper for lowering instances into a raw handle.
  # This does an explicit typecheck, because accidentally lowering a different type of
  # object in a place where this type is expected, could lead to memory unsafety.
  def self.uniffi_check_lower(inst)
    if !inst.is_a? self
      raise TypeError.new "Expected a NativeTickets instance, got #{inst}"
    end
  end

  def uniffi_clone_handle()
    return ::TidewireNative.rust_call(
      :uniffi_tidewire_uniffi_fn_clone_nativetickets,
      @handle
    )
  end

  def self.uniffi_lower(inst)
    return inst.uniffi_clone_handle()
  end

  def self.uniffi_lift(handle)
    uniffi_allocate handle
  end




  def outcomes(limit_ms)
        limit_ms = (limit_ms ? ::TidewireNative::uniffi_in_range(limit_ms, "i64", -2**63, 2**63) : nil)
        RustBuffer.check_lower_Optionali64(limit_ms)
    ::TidewireNative.uniffi_rust_call_async(
      UniFFILib.uniffi_tidewire_uniffi_fn_method_nativetickets_outcomes(uniffi_clone_handle(),RustBuffer.alloc_from_Optionali64(limit_ms)),
      :ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_cancel_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
      :ffi_tidewire_uniffi_rust_future_free_rust_buffer,
      Proc.new { |v| v.consume_into_TypeOutcomes },
    NativeError
    )
  end

end



end
