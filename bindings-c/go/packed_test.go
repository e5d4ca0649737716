// The memory by which records are handed to C: what it holds, and that it holds no more than it has room for.

package tidewire

import (
	"bytes"
	"testing"
	"unsafe"
)

// What a record does not have is nothing to C, whatever lay in the memory before: the collector looks at
// what is overwritten there, too.
func TestPackedMemoryIsClearedFirst(t *testing.T) {
	var memory packed
	dirty := bytes.Repeat([]byte{0xFF}, 4096)
	memory.pack([]Record{{Key: dirty, Value: dirty, ID: &[16]byte{1}}})
	raw := memory.pack(make([]Record, 3))
	size := 3 * int(unsafe.Sizeof(*raw))
	if there := unsafe.Slice((*byte)(memory.at), size); !bytes.Equal(there, make([]byte, size)) {
		t.Fatalf("records without anything are %x", there)
	}
}

// Every part has a byte of its own behind it: with all of them the memory is used to its end, and no further.
func TestPackedMemoryHoldsEveryPart(t *testing.T) {
	var memory packed
	records := make([]Record, 1000)
	for i := range records {
		header := Header{Name: "a", Value: []byte("b")}
		records[i] = Record{Key: []byte("k"), Value: []byte("v"), ID: &[16]byte{2}, Headers: []Header{header}}
	}
	raw := unsafe.Slice(memory.pack(records), len(records))
	last := uintptr(unsafe.Pointer(raw[len(raw)-1].id)) + uintptr(idLen) + 1
	if end := uintptr(memory.at) + uintptr(memory.size); last != end {
		t.Fatalf("the last id ends %d bytes from the end", int64(end-last))
	}
}
