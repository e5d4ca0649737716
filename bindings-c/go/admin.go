package tidewire

/*
#include "shim.h"
*/
import "C"

import (
	"context"
	"runtime"
	"time"
	"unsafe"
)

// TopicOptions are options of a topic; nil is not set.
type TopicOptions struct {
	Partitions     *uint32
	Codec          *Codec
	SegmentBytes   *uint64
	RetentionMs    *uint64
	RetentionBytes *uint64
	DedupWindowMs  *uint64
}

func (options *TopicOptions) raw() C.tw_topic_options {
	if options == nil {
		options = &TopicOptions{}
	}
	return C.tw_topic_options{
		size: C.sizeof_tw_topic_options, partitions: u32(options.Partitions), codec: u32((*uint32)(options.Codec)),
		segment_bytes: u64(options.SegmentBytes), retention_ms: u64(options.RetentionMs),
		retention_bytes: u64(options.RetentionBytes), dedup_window_ms: u64(options.DedupWindowMs),
	}
}

// StreamInfo is a stream.
type StreamInfo struct {
	Name    string
	ID      uint64
	Created time.Time
	Topics  uint32
}

// TopicInfo is a topic.
type TopicInfo struct {
	Stream, Name                                             string
	ID                                                       uint64
	Created                                                  time.Time
	Partitions                                               uint32
	Codec                                                    Codec
	SegmentBytes, RetentionMs, RetentionBytes, DedupWindowMs uint64
}

// PartitionInfo is a partition.
type PartitionInfo struct {
	Partition, Shard                                uint32
	StartOffset, EndOffset, SyncedOffset, SizeBytes uint64
	Segments                                        uint32
	// Error is why it does not take appends; 0 if it does.
	Error Code
}

// ProducerInfo is a named producer of a topic.
type ProducerInfo struct {
	Name   string
	ID     uint64
	Epoch  uint32
	Opened time.Time
}

func stream(it *C.tw_stream_info) StreamInfo {
	return StreamInfo{text(it.name), uint64(it.id), time.UnixMicro(int64(it.created_us)), uint32(it.topics)}
}

func topicInfo(it *C.tw_topic_info) TopicInfo {
	return TopicInfo{
		text(it.stream), text(it.name), uint64(it.id), time.UnixMicro(int64(it.created_us)), uint32(it.partitions),
		Codec(it.codec), uint64(it.segment_bytes), uint64(it.retention_ms), uint64(it.retention_bytes),
		uint64(it.dedup_window_ms),
	}
}

// named makes a call about something with a name.
func (client *Client) named(ctx context.Context, name string, call func(name *C.char, err **C.tw_error)) error {
	var a arena
	defer a.free()
	defer runtime.KeepAlive(client)
	raw := a.text(name)
	return wait(ctx, func(err **C.tw_error) { call(raw, err) })
}

// streamOf makes a call that gives a stream.
func (client *Client) streamOf(ctx context.Context, name string, call func(name *C.char, out **C.tw_stream_info, err **C.tw_error)) (StreamInfo, error) {
	var out *C.tw_stream_info
	err := client.named(ctx, name, func(name *C.char, err **C.tw_error) { call(name, &out, err) })
	if err != nil {
		return StreamInfo{}, err
	}
	defer C.tw_stream_info_free(out)
	return stream(out), nil
}

// topicOf makes a call that gives a topic.
func (client *Client) topicOf(ctx context.Context, name string, call func(name *C.char, out **C.tw_topic_info, err **C.tw_error)) (TopicInfo, error) {
	var out *C.tw_topic_info
	err := client.named(ctx, name, func(name *C.char, err **C.tw_error) { call(name, &out, err) })
	if err != nil {
		return TopicInfo{}, err
	}
	defer C.tw_topic_info_free(out)
	return topicInfo(out), nil
}

// CreateStream creates a stream.
func (client *Client) CreateStream(ctx context.Context, name string) (StreamInfo, error) {
	return client.streamOf(ctx, name, func(name *C.char, out **C.tw_stream_info, err **C.tw_error) {
		C.tw_client_create_stream(client.raw, name, out, err)
	})
}

// DescribeStream describes a stream.
func (client *Client) DescribeStream(ctx context.Context, name string) (StreamInfo, error) {
	return client.streamOf(ctx, name, func(name *C.char, out **C.tw_stream_info, err **C.tw_error) {
		C.tw_client_describe_stream(client.raw, name, out, err)
	})
}

// ListStreams lists all streams, by name.
func (client *Client) ListStreams(ctx context.Context) ([]StreamInfo, error) {
	var list *C.tw_streams
	err := wait(ctx, func(err **C.tw_error) { C.tw_client_list_streams(client.raw, &list, err) })
	runtime.KeepAlive(client)
	if err != nil {
		return nil, err
	}
	defer C.tw_streams_free(list)
	all := make([]StreamInfo, 0, int(list.count))
	for _, it := range unsafe.Slice(list.items, int(list.count)) {
		all = append(all, stream(it))
	}
	return all, nil
}

// PurgeStream deletes all records of all topics of a stream; offsets go on.
func (client *Client) PurgeStream(ctx context.Context, name string) error {
	return client.named(ctx, name, func(name *C.char, err **C.tw_error) { C.tw_client_purge_stream(client.raw, name, err) })
}

// DeleteStream deletes a stream; with its topics and their records if withTopics.
func (client *Client) DeleteStream(ctx context.Context, name string, withTopics bool) error {
	return client.named(ctx, name, func(name *C.char, err **C.tw_error) {
		C.tw_client_delete_stream(client.raw, name, C.bool(withTopics), err)
	})
}

// CreateTopic creates a topic, stream/topic. The options may be nil.
func (client *Client) CreateTopic(ctx context.Context, topic string, options *TopicOptions) (TopicInfo, error) {
	raw := options.raw()
	return client.topicOf(ctx, topic, func(name *C.char, out **C.tw_topic_info, err **C.tw_error) {
		C.tw_client_create_topic(client.raw, name, &raw, out, err)
	})
}

// UpdateTopic changes those options of a topic that are set, but not its number of partitions.
func (client *Client) UpdateTopic(ctx context.Context, topic string, options *TopicOptions) (TopicInfo, error) {
	raw := options.raw()
	return client.topicOf(ctx, topic, func(name *C.char, out **C.tw_topic_info, err **C.tw_error) {
		C.tw_client_update_topic(client.raw, name, &raw, out, err)
	})
}

// AddPartitions gives a topic more partitions, so many in all.
func (client *Client) AddPartitions(ctx context.Context, topic string, partitions uint32) (TopicInfo, error) {
	return client.topicOf(ctx, topic, func(name *C.char, out **C.tw_topic_info, err **C.tw_error) {
		C.tw_client_add_partitions(client.raw, name, C.uint32_t(partitions), out, err)
	})
}

// DescribeTopic describes a topic.
func (client *Client) DescribeTopic(ctx context.Context, topic string) (TopicInfo, error) {
	return client.topicOf(ctx, topic, func(name *C.char, out **C.tw_topic_info, err **C.tw_error) {
		C.tw_client_describe_topic(client.raw, name, out, err)
	})
}

// ListTopics lists all topics of a stream, by name.
func (client *Client) ListTopics(ctx context.Context, stream string) ([]TopicInfo, error) {
	var list *C.tw_topics
	err := client.named(ctx, stream, func(name *C.char, err **C.tw_error) {
		C.tw_client_list_topics(client.raw, name, &list, err)
	})
	if err != nil {
		return nil, err
	}
	defer C.tw_topics_free(list)
	all := make([]TopicInfo, 0, int(list.count))
	for _, it := range unsafe.Slice(list.items, int(list.count)) {
		all = append(all, topicInfo(it))
	}
	return all, nil
}

// ListPartitions lists the partitions of a topic, with their offsets and sizes.
func (client *Client) ListPartitions(ctx context.Context, topic string) ([]PartitionInfo, error) {
	var list *C.tw_partitions
	err := client.named(ctx, topic, func(name *C.char, err **C.tw_error) {
		C.tw_client_list_partitions(client.raw, name, &list, err)
	})
	if err != nil {
		return nil, err
	}
	defer C.tw_partitions_free(list)
	all := make([]PartitionInfo, 0, int(list.count))
	for _, it := range unsafe.Slice(list.items, int(list.count)) {
		all = append(all, PartitionInfo{
			uint32(it.partition), uint32(it.shard), uint64(it.start_offset), uint64(it.end_offset),
			uint64(it.synced_offset), uint64(it.size_bytes), uint32(it.segments), Code(it.error),
		})
	}
	return all, nil
}

// PurgeTopic deletes all records of a topic; offsets go on.
func (client *Client) PurgeTopic(ctx context.Context, topic string) error {
	return client.named(ctx, topic, func(name *C.char, err **C.tw_error) { C.tw_client_purge_topic(client.raw, name, err) })
}

// Truncate deletes the records of a partition below an offset, and tells where it begins then.
func (client *Client) Truncate(ctx context.Context, topic string, partition uint32, before uint64) (uint64, error) {
	var start C.uint64_t
	err := client.named(ctx, topic, func(name *C.char, err **C.tw_error) {
		C.tw_client_truncate(client.raw, name, C.uint32_t(partition), C.uint64_t(before), &start, err)
	})
	return uint64(start), err
}

// DeleteTopic deletes a topic and its records.
func (client *Client) DeleteTopic(ctx context.Context, topic string) error {
	return client.named(ctx, topic, func(name *C.char, err **C.tw_error) { C.tw_client_delete_topic(client.raw, name, err) })
}

// ListProducers lists the named producers that a topic remembers.
func (client *Client) ListProducers(ctx context.Context, topic string) ([]ProducerInfo, error) {
	var list *C.tw_producers
	err := client.named(ctx, topic, func(name *C.char, err **C.tw_error) {
		C.tw_client_list_producers(client.raw, name, &list, err)
	})
	if err != nil {
		return nil, err
	}
	defer C.tw_producers_free(list)
	all := make([]ProducerInfo, 0, int(list.count))
	for _, it := range unsafe.Slice(list.items, int(list.count)) {
		all = append(all, ProducerInfo{
			text(it.name), uint64(it.producer_id), uint32(it.producer_epoch), time.UnixMicro(int64(it.opened_us)),
		})
	}
	return all, nil
}

// ForgetProducer has a topic forget a named producer; whoever has the name is fenced.
func (client *Client) ForgetProducer(ctx context.Context, topic, name string) error {
	var a arena
	defer a.free()
	raw := a.text(name)
	return client.named(ctx, topic, func(topic *C.char, err **C.tw_error) {
		C.tw_client_forget_producer(client.raw, topic, raw, err)
	})
}

// GroupInfo is a group.
type GroupInfo struct {
	Name                                            string
	Created                                         time.Time
	State, Generation, Members, Partitions, Offsets uint32
}

// GroupMember is a member of a group.
type GroupMember struct {
	ID                        uint64
	Epoch                     uint32
	Name, ClientName, Address string
	Connected                 bool
	Partitions                uint32
}

// GroupPartition is a partition that a group divides, or has an offset of.
type GroupPartition struct {
	Stream, Topic string
	Partition     uint32
	// Member has it; 0 is nobody.
	Member           uint64
	Revoking, Stored bool
	Offset           uint64
	Committed        time.Time
}

// GroupDescription is a group, its members and what they do.
type GroupDescription struct {
	GroupInfo
	Members    []GroupMember
	Partitions []GroupPartition
}

// CommittedOffset is an offset that is stored for a partition.
type CommittedOffset struct {
	Partition uint32
	Offset    uint64
	Committed time.Time
	Note      string
}

func group(it *C.tw_group_info) GroupInfo {
	return GroupInfo{
		text(it.name), time.UnixMicro(int64(it.created_us)), uint32(it.state), uint32(it.generation),
		uint32(it.members), uint32(it.partitions), uint32(it.offsets),
	}
}

// CreateGroup creates a group without members; joining one does so, too.
func (client *Client) CreateGroup(ctx context.Context, name string) (GroupInfo, error) {
	var out *C.tw_group_info
	err := client.named(ctx, name, func(name *C.char, err **C.tw_error) {
		C.tw_client_create_group(client.raw, name, &out, err)
	})
	if err != nil {
		return GroupInfo{}, err
	}
	defer C.tw_group_info_free(out)
	return group(out), nil
}

// ListGroups lists all groups and named consumers.
func (client *Client) ListGroups(ctx context.Context) ([]GroupInfo, error) {
	var list *C.tw_groups
	err := wait(ctx, func(err **C.tw_error) { C.tw_client_list_groups(client.raw, &list, err) })
	runtime.KeepAlive(client)
	if err != nil {
		return nil, err
	}
	defer C.tw_groups_free(list)
	all := make([]GroupInfo, 0, int(list.count))
	for _, it := range unsafe.Slice(list.items, int(list.count)) {
		all = append(all, group(it))
	}
	return all, nil
}

// DescribeGroup describes a group, its members and partitions.
func (client *Client) DescribeGroup(ctx context.Context, name string) (*GroupDescription, error) {
	var raw *C.tw_group_description
	err := client.named(ctx, name, func(name *C.char, err **C.tw_error) {
		C.tw_client_describe_group(client.raw, name, &raw, err)
	})
	if err != nil {
		return nil, err
	}
	defer C.tw_group_description_free(raw)
	out := &GroupDescription{GroupInfo: group((*C.tw_group_info)(unsafe.Pointer(raw.info)))}
	for _, it := range unsafe.Slice(raw.members, int(raw.member_count)) {
		out.Members = append(out.Members, GroupMember{
			uint64(it.member_id), uint32(it.member_epoch), text(it.member_name), text(it.client_name),
			text(it.address), it.connected != 0, uint32(it.partitions),
		})
	}
	for _, it := range unsafe.Slice(raw.partitions, int(raw.partition_count)) {
		out.Partitions = append(out.Partitions, GroupPartition{
			text(it.stream), text(it.topic), uint32(it.partition), uint64(it.member_id), it.revoking != 0,
			it.stored != 0, uint64(it.offset), time.UnixMicro(int64(it.commit_us)),
		})
	}
	return out, nil
}

// DeleteGroup deletes a group without members, and what it has stored.
func (client *Client) DeleteGroup(ctx context.Context, name string) error {
	return client.named(ctx, name, func(name *C.char, err **C.tw_error) { C.tw_client_delete_group(client.raw, name, err) })
}

func offsets(list *C.tw_offsets) []CommittedOffset {
	defer C.tw_offsets_free(list)
	all := make([]CommittedOffset, 0, int(list.count))
	for _, it := range unsafe.Slice(list.items, int(list.count)) {
		all = append(all, CommittedOffset{
			uint32(it.partition), uint64(it.offset), time.UnixMicro(int64(it.commit_us)), text(it.note),
		})
	}
	return all
}

// Committed tells what a group, or a named consumer, has stored for the partitions of a topic; those
// without an offset are left out.
func (client *Client) Committed(ctx context.Context, group, topic string) ([]CommittedOffset, error) {
	var a arena
	defer a.free()
	var list *C.tw_offsets
	name := a.text(topic)
	err := client.named(ctx, group, func(group *C.char, err **C.tw_error) {
		C.tw_client_committed(client.raw, group, name, &list, err)
	})
	if err != nil {
		return nil, err
	}
	return offsets(list), nil
}

// of is an array of partitions; nil is all of them.
func (a *arena) of(partitions []uint32) *C.uint32_t {
	if partitions == nil {
		return nil
	}
	memory := (*C.uint32_t)(a.alloc(4 * len(partitions)))
	for i, partition := range partitions {
		unsafe.Slice(memory, len(partitions))[i] = C.uint32_t(partition)
	}
	return memory
}

// ResetOffsets sets where a group goes on in partitions of a topic, all of them if nil; with force
// also while it has members.
func (client *Client) ResetOffsets(ctx context.Context, group, topic string, partitions []uint32, to Start, force bool) ([]CommittedOffset, error) {
	var a arena
	defer a.free()
	var list *C.tw_offsets
	name, of := a.text(topic), a.of(partitions)
	err := client.named(ctx, group, func(group *C.char, err **C.tw_error) {
		C.tw_client_reset_offsets(client.raw, group, name, of, C.size_t(len(partitions)), to.kind,
			C.uint64_t(to.at), C.bool(force), &list, err)
	})
	if err != nil {
		return nil, err
	}
	return offsets(list), nil
}

// DeleteOffsets forgets what a group has stored for partitions of a topic, all of them if nil.
func (client *Client) DeleteOffsets(ctx context.Context, group, topic string, partitions []uint32) error {
	var a arena
	defer a.free()
	name, of := a.text(topic), a.of(partitions)
	return client.named(ctx, group, func(group *C.char, err **C.tw_error) {
		C.tw_client_delete_offsets(client.raw, group, name, of, C.size_t(len(partitions)), err)
	})
}
