/// Carries calls of one endpoint, the installation's own authority, otherwise than all others: what is believed and shown there is
/// for nobody else.
package struct RoutedTransport: AWSTransport {
    private let endpoint: String
    private let own: any AWSTransport
    private let others: any AWSTransport

    package init(endpoint: String, own: any AWSTransport, others: any AWSTransport) {
        // As `AWSClientConfiguration` has it.
        self.endpoint = endpoint.last == "/" ? String(endpoint.dropLast()) : endpoint
        self.own = own
        self.others = others
    }

    package func send(_ call: AWSTransportCall) async throws -> AWSTransportAnswer {
        try await (call.endpoint == endpoint ? own : others).send(call)
    }
}
