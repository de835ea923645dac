import AWSProtocol

extension JSONValue {
    /// The value with the names of all members as the trail spells them: `TagKey` as `tagKey`. Not for maps, whose
    /// keys are the customer's own words.
    var withCamelCasedMembers: JSONValue {
        switch self {
        case .object(let object):
            .object(JSONObject(object.members.map { ($0.key.camelCased, $0.value.withCamelCasedMembers) }))
        case .array(let elements): .array(elements.map(\.withCamelCasedMembers))
        default: self
        }
    }
}
