// The conformance adapter of the Go module: JSON lines in, calls of the public package, JSON lines
// out. It does what it is told and judges nothing; conformance/README.md describes the lines.
//
// Owns the loop and the handles by name; values.go has how things are written in JSON, ops.go the
// operations. Each line runs in a goroutine with a context of its own, by which it is cancelled.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"

	tidewire "github.com/tidewire/tidewire/bindings-c/go"
)

// unsupported is what the module has no such thing for.
type unsupported string

func (what unsupported) Error() string { return string(what) }

type adapter struct {
	mu        sync.Mutex
	out       *bufio.Writer
	clients   map[string]*tidewire.Client
	producers map[string]*tidewire.Producer
	consumers map[string]*tidewire.Consumer
	tickets   map[string]*tidewire.Ticket
	events    map[string]<-chan tidewire.Event
	running   map[string]context.CancelFunc
	next      int
}

// get looks a handle up.
func get[T any](a *adapter, all map[string]T, name string) (T, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	it, known := all[name]
	if !known {
		return it, fmt.Errorf("there is no %s", name)
	}
	return it, nil
}

func put[T any](a *adapter, all map[string]T, name string, it T) {
	a.mu.Lock()
	defer a.mu.Unlock()
	all[name] = it
}

func (a *adapter) answer(id json.Number, result any, err error) {
	line := map[string]any{"id": id}
	var known *tidewire.Error
	var without unsupported
	switch {
	case errors.Is(err, context.Canceled):
		line["cancelled"] = true
	case errors.As(err, &known):
		line["err"] = errorOf(known)
	case errors.As(err, &without):
		line["unsupported"] = string(without)
	case err != nil:
		line["fail"] = err.Error()
	case result == nil:
		line["ok"] = object{}
	default:
		line["ok"] = result
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(line) != nil {
		os.Exit(1)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.out.Write(text.Bytes())
	a.out.Flush()
}

func main() {
	a := &adapter{
		out:       bufio.NewWriter(os.Stdout),
		clients:   map[string]*tidewire.Client{},
		producers: map[string]*tidewire.Producer{},
		consumers: map[string]*tidewire.Consumer{},
		tickets:   map[string]*tidewire.Ticket{},
		events:    map[string]<-chan tidewire.Event{},
		running:   map[string]context.CancelFunc{},
	}
	decoder := json.NewDecoder(bufio.NewReader(os.Stdin))
	decoder.UseNumber()
	for {
		var request struct {
			ID   json.Number
			Op   string
			Args object
		}
		if decoder.Decode(&request) != nil {
			// The end of the input is the end of the adapter, whatever is still under way.
			os.Exit(0)
		}
		if request.Op == "cancel" {
			a.mu.Lock()
			cancel := a.running[fmt.Sprint(request.Args["request"])]
			a.mu.Unlock()
			if cancel != nil {
				cancel()
			}
			a.answer(request.ID, nil, nil)
			continue
		}
		ctx, cancel := context.WithCancel(context.Background())
		put(a, a.running, request.ID.String(), cancel)
		go func() {
			result, err := a.run(ctx, request.Op, request.Args)
			a.answer(request.ID, result, err)
			cancel()
		}()
	}
}
