import AWSProtocol

/// One operation of the API. `plan` reads the request and says what the authority has to decide; nothing is done
/// before it decided.
struct ForecastOperation: Sendable {
    var name: String
    var isReadOnly: Bool
    var plan: @Sendable (JSONObject, ForecastService) async throws -> OperationPlan

    init(
        _ name: String, readOnly: Bool = false,
        plan: @escaping @Sendable (JSONObject, ForecastService) async throws -> OperationPlan
    ) {
        self.name = name
        isReadOnly = readOnly
        self.plan = plan
    }

    var action: String { "forecast:\(name)" }
}

/// What an operation needs decided, and what it does then.
struct OperationPlan: Sendable {
    /// The resource that `forecast:<operation>` is decided on; `${Account}` stands for the caller's account.
    var resource: String
    /// What the request names and somebody must own, by its ARN: a caller of any other account is told that it does not exist.
    var named: String?
    /// What else must be allowed: passing roles, the caller's own use of keys.
    var questions: [Question] = []
    var perform: @Sendable (Caller) async throws -> JSONObject

    /// Something the authority decides beside the action itself.
    struct Question: Sendable, Equatable {
        var action: String
        var resource: String
        var context: [String: [String]] = [:]
        /// Role whose rights are asked for instead of the caller's; it must be of the caller's account.
        var role: String?
        /// The operation goes on without it: what would need it is left out.
        var isOptional = false
    }
}

extension OperationPlan.Question {
    static func passRole(_ role: String) -> Self {
        Self(action: "iam:PassRole", resource: role, context: ["iam:PassedToService": ["forecast.amazonaws.com"]])
    }

    /// The caller's own rights on a key that the operation touches.
    static func useKey(_ key: String) -> [Self] {
        ["kms:Decrypt", "kms:GenerateDataKey"].map { Self(action: $0, resource: key) }
    }
}
