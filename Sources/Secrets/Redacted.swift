let redactedText = "<redacted>"

/// A value that shows itself nowhere: printing, dumping and interpolation give `<redacted>`. Whoever needs it asks for
/// ``revealed``, which is easy to search for.
package struct Redacted<Value: Sendable>: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    private let value: Value

    package init(_ value: Value) { self.value = value }

    package var revealed: Value { value }

    package var description: String { redactedText }
    package var debugDescription: String { redactedText }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
