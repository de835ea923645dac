extension JSONObject {
    /// The body of a call of the JSON services: one object; an empty body counts as `{}`.
    package static func parseBody(_ bytes: [UInt8], limits: JSONLimits = .default) throws(AWSError) -> JSONObject {
        guard !bytes.isEmpty else { return JSONObject() }
        let value: JSONValue
        do {
            value = try JSONValue.parse(bytes, limits: limits)
        } catch {
            throw .serialization("\(error)", cause: error)
        }
        guard case .object(let object) = value else { throw .serialization("The body is not a JSON object.") }
        return object
    }
}
