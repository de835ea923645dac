import AWSProtocol
import Policies
import Postgres

extension KeyService {
    /// Adds tags to a key, or gives new values to those that it has.
    package func tagResource(_ call: KeyCall, key reference: KeyReference, tags: [KeyTag]) async throws(KeyError) {
        try await changeTags(call, reference, Self.tagConditions(tags)) { key throws(KeyError) in
            try KeyTag.check(tags)
            let named = Set(tags.map(\.key))
            let result = key.tags.filter { !named.contains($0.key) } + tags
            try KeyTag.checkCount(result.count)
            return result
        }
    }

    /// Takes tags from a key; keys that it does not have are passed over.
    package func untagResource(_ call: KeyCall, key reference: KeyReference, keys: [String]) async throws(KeyError) {
        var conditions = ConditionContext()
        if !keys.isEmpty { conditions["aws:TagKeys"] = keys }
        try await changeTags(call, reference, conditions) { key throws(KeyError) in
            guard !keys.contains(where: KeyTag.isReserved) else {
                throw KeyError(.tag, "Tags that begin with aws: cannot be removed.")
            }
            return key.tags.filter { !keys.contains($0.key) }
        }
    }

    /// The tags of a key by their keys.
    package func listResourceTags(
        _ call: KeyCall, key reference: KeyReference, limit: Int, marker: String?
    ) async throws(KeyError) -> ListPage<KeyTag> {
        try await read(call) { connection in
            let key = try await self.decide(call, reference, on: connection).key
            let parameters = ["ListResourceTags", key.keyID]
            let after = try ListMarker.read(marker, parameters: parameters)
            let found = key.tags.sorted { $0.key < $1.key }.filter { after.isEmpty || $0.key > after }
            return ListPage(
                found: Array(found.prefix(limit + 1)), limit: limit, parameters: parameters, key: \.key)
        }
    }

    static func tagConditions(_ tags: [KeyTag]) -> ConditionContext {
        var context = ConditionContext()
        for tag in tags { context.set("aws:RequestTag/\(tag.key)", tag.value) }
        if !tags.isEmpty { context["aws:TagKeys"] = tags.map(\.key) }
        return context
    }

    private func changeTags(
        _ call: KeyCall, _ reference: KeyReference, _ conditions: ConditionContext,
        _ body: (KeyRow) throws(KeyError) -> [KeyTag]
    ) async throws(KeyError) {
        let arn = try await change(call) { connection in
            let key = try await self.decide(
                call, reference, DecisionInput(context: conditions, lock: .update), on: connection
            ).key
            let tags = try body(key)
            if tags != key.tags {
                try await KeyRows.changeOne(
                    "UPDATE keys SET tags = \(KeyTag.json(tags)) WHERE key_id = \(key.keyID)", on: connection)
            }
            call.answers(key.arn)
            return key.arn
        }
        // Conditions on aws:ResourceTag may hold no longer.
        await announce(KeyEvent(kind: .policyChanged, key: arn))
    }
}
