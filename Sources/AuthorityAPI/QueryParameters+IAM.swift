import AWSProtocol
import Accounts

extension QueryParameters {
    /// Refuses what an operation does not take: to pass over a parameter could mean to pass over a limit that it sets.
    func refuseAllBut(_ known: Set<String>) throws(AWSError) {
        for name in names {
            let first = String(name.prefix { $0 != "." })
            guard known.contains(first) || first == "Action" || first == "Version" else {
                throw .validation("The parameter \(String(first.prefix(64))) is not supported.")
            }
        }
    }

    /// Tags in the form of IAM and STS: `name.member.1.Key`, `name.member.1.Value`.
    func identityTags(_ name: String) throws(AWSError) -> IdentityTags {
        do {
            var tags: [IdentityTag] = []
            for element in try structures(name) {
                tags.append(
                    try IdentityTag(key: try element.required("Key"), value: try element.required("Value")))
            }
            return try IdentityTags(tags)
        } catch let error as AWSError {
            throw error
        } catch let error as AccountsError {
            throw error.code == .limitExceeded ? .validation(field: name, rule: error.message) : .invalidTags(error.message)
        } catch {
            throw .internalFailure(cause: error)
        }
    }
}

extension AWSError {
    fileprivate static func invalidTags(_ message: String) -> AWSError {
        message.hasPrefix("Duplicate") ? AWSError(code: "InvalidInput", message: message) : .validation(message)
    }
}
