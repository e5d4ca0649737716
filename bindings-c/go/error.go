package tidewire

/*
#include "shim.h"
*/
import "C"

import "fmt"

// Code is the stable number of an error, the same in every language and on the wire. It is an error
// itself, so that errors.Is(err, tidewire.ErrTopicNotFound) works.
type Code int32

// Error tells the code's name.
func (code Code) Error() string {
	if name := C.tw_error_name(C.int32_t(code)); name != nil {
		return C.GoString(name)
	}
	return fmt.Sprintf("error %d", int32(code))
}

// Disposition is what may be concluded from an error, whatever its code: bits.
type Disposition uint32

const (
	// Retriable: nothing happened, and the same call may succeed later.
	Retriable Disposition = C.TW_DISPOSITION_RETRIABLE
	// OutcomeUnknown: nobody knows whether what was asked for was done.
	OutcomeUnknown Disposition = C.TW_DISPOSITION_OUTCOME_UNKNOWN
	// Reconnect: the connection is of no more use.
	Reconnect Disposition = C.TW_DISPOSITION_RECONNECT
	// RefreshMetadata: what is known of streams and topics is out of date.
	RefreshMetadata Disposition = C.TW_DISPOSITION_REFRESH_METADATA
	// Fenced: a newer instance has taken this one's place.
	Fenced Disposition = C.TW_DISPOSITION_FENCED
)

// Error is an error of the client or of the server.
type Error struct {
	// Code is its number.
	Code Code
	// Disposition is what may be concluded from it.
	Disposition Disposition
	// Kind is the group it belongs to, such as "not_found".
	Kind string
	// Message says what happened, naming the object and the limit. For people.
	Message string
	// FirstOffset and NextOffset are, with ErrOffsetOutOfRange, what the partition does hold, if
	// OffsetsKnown.
	FirstOffset, NextOffset uint64
	OffsetsKnown            bool
	// Unsent tells, after closing a producer, the records that were not acknowledged.
	Unsent []Unsent
	// because is the context's error, if that ended the call.
	because error
}

// Unsent is what became of records of a partition that closing a producer waited for.
type Unsent struct {
	Partition uint32
	// Failed were certainly not appended; Unknown may have been.
	Failed, Unknown uint64
}

// Error tells the code and the message.
func (err *Error) Error() string { return err.Code.Error() + ": " + err.Message }

// Is tells whether the error has a code.
func (err *Error) Is(target error) bool {
	code, ok := target.(Code)
	return ok && code == err.Code
}

// Unwrap gives the context's error, if that ended the call.
func (err *Error) Unwrap() error { return err.because }

// Retriable tells whether nothing happened and the same call may succeed later.
func (err *Error) Retriable() bool { return err.Disposition&Retriable != 0 }

// OutcomeUnknown tells whether nobody knows if what was asked for was done.
func (err *Error) OutcomeUnknown() bool { return err.Disposition&OutcomeUnknown != 0 }

// seen copies an error of the library's.
func seen(raw *C.tw_error) *Error {
	err := &Error{
		Code:        Code(C.tw_error_code(raw)),
		Disposition: Disposition(C.tw_error_disposition(raw)),
		Kind:        C.GoString(C.tw_error_kind(raw)),
		Message:     C.GoString(C.tw_error_message(raw)),
	}
	var first, next C.uint64_t
	if C.tw_error_offsets(raw, &first, &next) {
		err.FirstOffset, err.NextOffset, err.OffsetsKnown = uint64(first), uint64(next), true
	}
	for i := C.size_t(0); i < C.tw_error_unsent_count(raw); i++ {
		var one C.tw_unsent
		C.tw_error_unsent(raw, i, &one)
		err.Unsent = append(err.Unsent, Unsent{
			Partition: uint32(one.partition),
			Failed:    uint64(one.failed_records),
			Unknown:   uint64(one.unknown_records),
		})
	}
	return err
}

// taken is seen, and frees the library's.
func taken(raw *C.tw_error) error {
	if raw == nil {
		return nil
	}
	defer C.tw_error_free(raw)
	return seen(raw)
}

func closed(what string) error {
	return &Error{Code: ErrClosed, Kind: "closed", Message: "the " + what + " was closed"}
}
