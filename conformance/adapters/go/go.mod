module github.com/tidewire/tidewire/conformance/adapters/go

go 1.23

require github.com/tidewire/tidewire/bindings-c/go v0.0.0

replace github.com/tidewire/tidewire/bindings-c/go => ../../../bindings-c/go
