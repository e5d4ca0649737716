// Values of the suite's JSON, to and from the module's.

package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"time"

	tidewire "github.com/tidewire/tidewire/bindings-c/go"
)

type object = map[string]any

// number reads what is written as a number or as a string.
func number(value any) uint64 {
	text := fmt.Sprint(value)
	if signed, err := strconv.ParseInt(text, 10, 64); err == nil {
		return uint64(signed)
	}
	wide, _ := strconv.ParseUint(text, 10, 64)
	return wide
}

func text(args object, name string) string {
	text, _ := args[name].(string)
	return text
}

func small(args object, name string) uint32 { return uint32(number(args[name])) }

func list(args object, name string) []any {
	all, _ := args[name].([]any)
	return all
}

func wide(value uint64) string { return strconv.FormatUint(value, 10) }

func bytesOf(value any) ([]byte, error) {
	it, known := value.(object)
	switch {
	case value == nil:
		return nil, nil
	case !known:
	case it["utf8"] != nil:
		return append([]byte{}, text(it, "utf8")...), nil
	case it["base64"] != nil:
		bytes, err := base64.StdEncoding.DecodeString(text(it, "base64"))
		return append([]byte{}, bytes...), err
	case it["repeat"] != nil:
		return []byte(strings.Repeat(text(it, "repeat"), int(number(it["times"])))), nil
	}
	return nil, fmt.Errorf("%v is no bytes", value)
}

func bytesTo(bytes []byte) any {
	switch {
	case bytes == nil:
		return nil
	case len(bytes) <= 1024:
		return object{"base64": base64.StdEncoding.EncodeToString(bytes)}
	default:
		return object{"len": len(bytes), "crc32": fmt.Sprintf("%08x", crc32.ChecksumIEEE(bytes))}
	}
}

func recordOf(value any) (record tidewire.Record, err error) {
	it, known := value.(object)
	if !known {
		return record, fmt.Errorf("%v is no record", value)
	}
	if record.Value, err = bytesOf(it["value"]); err != nil {
		return
	}
	if record.Key, err = bytesOf(it["key"]); err != nil {
		return
	}
	for _, header := range list(it, "headers") {
		pair := header.([]any)
		value, err := bytesOf(pair[1])
		if err != nil {
			return record, err
		}
		record.Headers = append(record.Headers, tidewire.Header{Name: pair[0].(string), Value: value})
	}
	if it["timestamp_us"] != nil {
		record.Time = time.UnixMicro(int64(number(it["timestamp_us"])))
	}
	if it["partition"] != nil {
		record.Partition = tidewire.Set(uint32(number(it["partition"])))
	}
	if id, err := bytesOf(it["id"]); err != nil {
		return record, err
	} else if id != nil {
		record.ID = (*[16]byte)(id)
	}
	return record, nil
}

func recordsOf(args object) (records []tidewire.Record, err error) {
	for _, each := range list(args, "records") {
		record, err := recordOf(each)
		if err != nil {
			return nil, err
		}
		records = append(records, record)
	}
	return records, nil
}

func recordTo(batch *tidewire.Batch, it tidewire.RecordView) object {
	headers := []any{}
	for name, value := range it.Headers() {
		headers = append(headers, []any{name, bytesTo(value)})
	}
	return object{
		"partition": it.Partition, "offset": wide(it.Offset),
		"timestamp_us":   strconv.FormatInt(it.TimestampUs, 10),
		"append_time_us": strconv.FormatInt(batch.AppendTime.UnixMicro(), 10),
		"key":            bytesTo(it.Key), "value": bytesTo(it.Value), "headers": headers,
	}
}

func recordsTo(all []any, batch *tidewire.Batch) []any {
	for record := range batch.Records() {
		all = append(all, recordTo(batch, record))
	}
	return all
}

func receiptTo(it tidewire.Receipt) object {
	us := int64(0)
	if !it.AppendTime.IsZero() {
		us = it.AppendTime.UnixMicro()
	}
	return object{
		"partition": it.Partition, "offset": wide(it.Offset), "append_time_us": strconv.FormatInt(us, 10),
		"acks": []string{"none", "written", "synced"}[it.Acks], "duplicate": it.Duplicate,
	}
}

func errorOf(err *tidewire.Error) object {
	out := object{"code": err.Code, "disposition": err.Disposition, "kind": err.Kind, "message": err.Message}
	if err.OffsetsKnown {
		out["offsets"] = []string{wide(err.FirstOffset), wide(err.NextOffset)}
	}
	return out
}

func streamTo(it tidewire.StreamInfo) object {
	return object{
		"name": it.Name, "id": wide(it.ID), "topics": it.Topics,
		"created_us": strconv.FormatInt(it.Created.UnixMicro(), 10),
	}
}

func topicTo(it tidewire.TopicInfo) object {
	return object{
		"stream": it.Stream, "name": it.Name, "id": wide(it.ID), "partitions": it.Partitions,
		"created_us":    strconv.FormatInt(it.Created.UnixMicro(), 10),
		"segment_bytes": wide(it.SegmentBytes), "codec": []string{"none", "lz4", "zstd"}[it.Codec],
		"retention_ms": wide(it.RetentionMs), "retention_bytes": wide(it.RetentionBytes),
		"dedup_window_ms": wide(it.DedupWindowMs),
	}
}

func eventTo(it tidewire.Event) object {
	kinds := map[tidewire.EventKind]string{
		tidewire.Connected: "connected", tidewire.Disconnected: "disconnected", tidewire.Reconnecting: "reconnecting",
		tidewire.GaveUp: "gave_up", tidewire.Throttled: "throttled", tidewire.Missed: "missed",
		tidewire.RecordsSkipped: "records_skipped",
	}
	kind, known := kinds[it.Kind]
	if !known {
		kind = "other"
	}
	out := object{"type": kind, "address": it.Address, "attempt": it.Attempt, "count": wide(it.Missed)}
	if it.Topic != "" {
		out["topic"], out["partition"] = it.Topic, it.Partition
	}
	if it.Kind == tidewire.RecordsSkipped {
		out["from_offset"], out["to_offset"] = wide(it.FromOffset), wide(it.ToOffset)
	}
	if err, known := it.Err.(*tidewire.Error); known {
		out["error"] = errorOf(err)
	}
	return out
}

// digest is what was read of a partition, for reads too large to be written out.
type digest struct {
	count, first, next uint64
	crc                uint32
}

type digests map[uint32]*digest

func (all digests) add(batch *tidewire.Batch) {
	for record := range batch.Records() {
		it := all[record.Partition]
		if it == nil {
			it = &digest{first: record.Offset}
			all[record.Partition] = it
		}
		it.count++
		it.next = record.Offset + 1
		line := binary.LittleEndian.AppendUint64(nil, record.Offset)
		line = binary.LittleEndian.AppendUint64(line, uint64(record.TimestampUs))
		part := func(bytes []byte) {
			if bytes == nil {
				line = binary.LittleEndian.AppendUint32(line, ^uint32(0))
				return
			}
			line = append(binary.LittleEndian.AppendUint32(line, uint32(len(bytes))), bytes...)
		}
		part(record.Key)
		part(record.Value)
		count := uint32(0)
		for range record.Headers() {
			count++
		}
		line = binary.LittleEndian.AppendUint32(line, count)
		for name, value := range record.Headers() {
			part([]byte(name))
			part(value)
		}
		it.crc = crc32.Update(it.crc, crc32.IEEETable, line)
	}
}

func (all digests) done() object {
	out := object{}
	for partition, it := range all {
		out[strconv.Itoa(int(partition))] = object{
			"count": wide(it.count), "first_offset": wide(it.first), "next_offset": wide(it.next),
			"crc32": fmt.Sprintf("%08x", it.crc),
		}
	}
	return out
}
