import Foundation
import TidewireNative

/// What the client or the server could not do; every call throws this, also those of `native`.
///
/// A program decides by `code` (see `ErrorCode`), `isRetriable` and `isOutcomeUnknown`; the text is
/// for people and may change.
public typealias TidewireError = NativeError

extension NativeError: CustomStringConvertible, CustomDebugStringConvertible {
    /// All that is known of it.
    public var failure: Failure {
        switch self {
        case .Failed(let failure): return failure
        }
    }

    /// The stable number, one of `ErrorCode`; one that is newer than this version keeps its value.
    public var code: Int32 { failure.number }
    /// The number's name, such as `TOPIC_NOT_FOUND`.
    public var name: String { failure.name }
    /// What the caller can do about it, as one of a few groups: `not_found`, `invalid`, `busy`, …
    public var kind: String { failure.kind }
    /// What happened, and to what.
    public var message: String { failure.text }
    /// Whether nothing happened and the same request may succeed later.
    public var isRetriable: Bool { failure.retriable }
    /// Whether the request may or may not have been carried out.
    public var isOutcomeUnknown: Bool { failure.outcomeUnknown }

    public var description: String { "\(failure.name) (\(failure.number)): \(failure.text)" }
    /// The same, and so is `localizedDescription`.
    public var debugDescription: String { description }
}
