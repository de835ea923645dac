package import AWSProtocol

/// Whose credentials a client signs with. Asked before every attempt, so that renewed ones are used at once.
package protocol AWSCredentialsProvider: Sendable {
    func credentials() async throws -> AWSCredentials
}

/// The same credentials always: a user's access key.
package struct StaticCredentials: AWSCredentialsProvider {
    private let value: AWSCredentials

    package init(_ value: AWSCredentials) { self.value = value }

    package func credentials() async throws -> AWSCredentials { value }
}
