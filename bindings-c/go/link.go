package tidewire

// The library is linked statically, so that a program needs nothing beside it. pkg-config tells where
// it is: `cargo xtask c-install` puts tidewire-static.pc beside it.

// #cgo pkg-config: tidewire-static
// #include "shim.h"
import "C"
