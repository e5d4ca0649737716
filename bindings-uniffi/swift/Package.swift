// swift-tools-version:5.9
import PackageDescription

let package = Package(
    name: "Tidewire",
    platforms: [.macOS(.v13), .iOS(.v16)],
    products: [.library(name: "Tidewire", targets: ["Tidewire"])],
    targets: [
        // What UniFFI writes: `cargo xtask uniffi`.
        .systemLibrary(name: "TidewireNativeFFI"),
        .target(
            name: "TidewireNative", dependencies: ["TidewireNativeFFI"],
            linkerSettings: [.linkedLibrary("tidewire_uniffi")]
        ),
        .target(name: "Tidewire", dependencies: ["TidewireNative"]),
        .executableTarget(name: "orders", dependencies: ["Tidewire"], path: "Examples/orders"),
        .testTarget(name: "TidewireTests", dependencies: ["Tidewire"]),
    ]
)
