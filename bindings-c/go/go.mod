module github.com/tidewire/tidewire/bindings-c/go

go 1.23
