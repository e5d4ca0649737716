package tidewire

/*
#include "shim.h"
*/
import "C"

import (
	"context"
	"errors"
	"runtime"
	"unsafe"
)

// wait makes a call that may block, on the thread that it stays on meanwhile, and interrupts it when
// the context is done.
func wait(ctx context.Context, call func(err **C.tw_error)) error {
	if err := ctx.Err(); err != nil {
		return interrupted(err)
	}
	var raw *C.tw_error
	if ctx.Done() == nil {
		call(&raw)
		return taken(raw)
	}
	canceller, finished := C.tw_canceller_new(), make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		C.tw_canceller_cancel(canceller)
		close(finished)
	})
	runtime.LockOSThread()
	C.tw_canceller_enter(canceller, nil)
	call(&raw)
	C.tw_canceller_enter(nil, nil)
	runtime.UnlockOSThread()
	if !stop() {
		// It has begun: it is not freed in its hands.
		<-finished
	}
	C.tw_canceller_free(canceller)
	err := taken(raw)
	if errors.Is(err, ErrInterrupted) && ctx.Err() != nil {
		return interrupted(ctx.Err())
	}
	return err
}

func interrupted(because error) error {
	return &Error{
		Code: ErrInterrupted, Kind: "closed", Message: because.Error(), because: because,
		Disposition: OutcomeUnknown,
	}
}

// arena keeps C's copies of texts until it is freed.
type arena []unsafe.Pointer

func (a *arena) text(s string) *C.char {
	text := C.CString(s)
	*a = append(*a, unsafe.Pointer(text))
	return text
}

// optional is NULL for an empty text.
func (a *arena) optional(s string) *C.char {
	if s == "" {
		return nil
	}
	return a.text(s)
}

func (a *arena) alloc(size int) unsafe.Pointer {
	memory := C.calloc(1, C.size_t(max(size, 1)))
	*a = append(*a, memory)
	return memory
}

func (a *arena) free() {
	for _, memory := range *a {
		C.free(memory)
	}
}

// Set is a pointer to a value, for options.
func Set[T any](value T) *T { return &value }

func u32(option *uint32) C.uint32_t {
	if option == nil {
		return C.TW_UNSET
	}
	return C.uint32_t(*option)
}

func u64(option *uint64) C.uint64_t {
	if option == nil {
		return C.TW_UNSET64
	}
	return C.uint64_t(*option)
}
