/// Why no TLS connection came about: the cause of an `AWSError`, for whoever puts it in words of its own.
package struct TLSConnectionFailure: Error, CustomStringConvertible {
    /// What it means and what to do about it.
    package let explanation: String
    let cause: any Error

    package var description: String { "\(explanation) (\(cause))" }
}
