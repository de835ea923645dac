/// Who signed, and what of it is allowed, in the order asked.
///
/// JSON: `{"Principal":{"Arn","Account","UserId","Type"}, "Decisions":[{"Allowed":bool,"Code","Message"}], "EventId"}`.
/// A signature that does not hold is no answer but the error that the caller gets.
package struct AuthorizeResponse: Sendable, Equatable {
    package struct Principal: Sendable, Equatable {
        package var arn: String
        package var account: String
        package var userID: String
        /// `User`, `Root`, `AssumedRole`.
        package var type: String

        package init(arn: String, account: String, userID: String, type: String) {
            self.arn = arn
            self.account = account
            self.userID = userID
            self.type = type
        }
    }

    package struct Decision: Sendable, Equatable {
        package var isAllowed: Bool
        /// Empty where allowed.
        package var code: String
        package var message: String

        package init(isAllowed: Bool, code: String = "", message: String = "") {
            self.isAllowed = isAllowed
            self.code = code
            self.message = message
        }

        /// The error that a decision against the caller gives; nil where it is for it.
        package var error: AWSError? { isAllowed ? nil : AWSError(code: code, message: message) }
    }

    package var principal: Principal
    package var decisions: [Decision]
    /// Of the record in the trail.
    package var eventID: String

    package init(principal: Principal, decisions: [Decision], eventID: String) {
        self.principal = principal
        self.decisions = decisions
        self.eventID = eventID
    }

    /// The first decision against the caller, as the error to answer.
    package var firstDenial: AWSError? {
        decisions.lazy.compactMap(\.error).first
    }
}

extension AuthorizeResponse {
    package var json: JSONObject {
        [
            "Principal": [
                "Arn": .string(principal.arn), "Account": .string(principal.account),
                "UserId": .string(principal.userID), "Type": .string(principal.type),
            ],
            "Decisions": .array(
                decisions.map {
                    ["Allowed": .bool($0.isAllowed), "Code": .string($0.code), "Message": .string($0.message)]
                }),
            "EventId": .string(eventID),
        ]
    }

    package init(json: JSONObject) throws(AWSError) {
        let principal = try json.requiredObject("Principal")
        self.principal = Principal(
            arn: try principal.requiredString("Arn"), account: try principal.requiredString("Account"),
            userID: try principal.requiredString("UserId"), type: try principal.requiredString("Type"))
        decisions = []
        for decision in try json.requiredObjects("Decisions") {
            decisions.append(
                Decision(
                    isAllowed: try decision.requiredBool("Allowed"),
                    code: try decision.optionalString("Code") ?? "AccessDeniedException",
                    message: try decision.optionalString("Message") ?? ""))
        }
        eventID = try json.requiredString("EventId")
    }
}
