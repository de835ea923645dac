import AWSProtocol

/// One operation of IAM: what it takes and what it does. It decides, by `IAMCall`, before it says or changes anything.
struct IAMOperation: Sendable {
    enum Effect: Sendable { case read, change }

    let name: String
    let effect: Effect
    /// The parameters that it takes, lists by their own name; the trail shows them in this order.
    let parameters: [String]
    let run: @Sendable (IAMCall) async throws -> IAMAnswer

    init(
        _ name: String, _ effect: Effect, _ parameters: [String],
        run: @escaping @Sendable (IAMCall) async throws -> IAMAnswer
    ) {
        self.name = name
        self.effect = effect
        self.parameters = parameters
        self.run = run
    }

    static let paging = ["Marker", "MaxItems"]

    static let all: [String: IAMOperation] = Dictionary(
        uniqueKeysWithValues: [
            users, accessKeys, groups, roles, inlinePolicies, managedPolicies, policyVersions, attachments, boundaries, tags,
            mfaDevices, account, simulation,
        ].joined().map { ($0.name, $0) })
}

/// What an operation answers.
struct IAMAnswer: Sendable {
    var fields: [IAMField] = []
    /// Said in place of an answer, with what was written on the way kept: a wrong code of an MFA device counts.
    var refusal: AWSError?

    static let empty = IAMAnswer()

    init(_ fields: [IAMField?] = []) { self.fields = fields.compactMap { $0 } }
}
