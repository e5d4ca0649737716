module github.com/tidewire/tidewire/bench/c/go

go 1.23

require github.com/tidewire/tidewire/bindings-c/go v0.0.0

replace github.com/tidewire/tidewire/bindings-c/go => ../../../bindings-c/go
