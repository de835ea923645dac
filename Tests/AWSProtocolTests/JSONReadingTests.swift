import AWSProtocol
import FoundationEssentials
import Testing

@Suite struct JSONReadingTests {
    private let object: JSONObject = [
        "KeyId": "abc", "Limit": 5, "Whole": 3600.0, "Half": 1.5, "Flag": true, "Nothing": nil, "List": ["a", "b"],
        "Mixed": ["a", 1], "Map": ["k": "v"], "Blob": "AAEC", "Bad": "A*==", "Kind": "AES_256", "Time": 1564533087.907,
    ]

    private enum Kind: String, CaseIterable { case AES_128, AES_256 }

    private func failure(_ body: () throws(AWSError) -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test func membersAreReadByKind() throws {
        #expect(try object.requiredString("KeyId") == "abc")
        #expect(try object.optionalInt("Limit", range: 1...10) == 5)
        #expect(try object.optionalInt("Whole") == 3600)
        #expect(try object.requiredDouble("Half") == 1.5)
        #expect(try object.optionalBool("Flag") == true)
        #expect(try object.optionalString("Nothing") == nil)
        #expect(try object.requiredStrings("List") == ["a", "b"])
        #expect(try object.optionalStringMap("Map") == ["k": "v"])
        #expect(try object.requiredBlob("Blob") == [0, 1, 2])
        #expect(try object.requiredEnum("Kind", as: Kind.self) == .AES_256)
        #expect(try object.requiredTimestamp("Time") == Date(timeIntervalSince1970: 1_564_533_087.907))
    }

    @Test func anErrorNamesTheMemberAndTheRule() {
        let prefix = "ValidationException: 1 validation error detected: Value at "
        #expect(
            failure { () throws(AWSError) in _ = try object.requiredString("Absent") }
                == prefix + "'absent' failed to satisfy constraint: Member must not be null")
        #expect(
            failure { () throws(AWSError) in _ = try object.requiredString("KeyId", length: 4...10) }
                == prefix + "'keyId' failed to satisfy constraint: Member must have length greater than or equal to 4")
        #expect(
            failure { () throws(AWSError) in _ = try object.optionalInt("Limit", range: 1...4) }
                == prefix + "'limit' failed to satisfy constraint: Member must have value less than or equal to 4")
        #expect(
            failure { () throws(AWSError) in _ = try object.requiredBlob("Blob", length: 1...2) }
                == prefix + "'blob' failed to satisfy constraint: Member must have length less than or equal to 2")
        let rule = StringRule(length: 1...63, pattern: "^[a-z]+$") { $0.allSatisfy { ("0"..."9").contains($0) } }
        #expect(
            failure { () throws(AWSError) in _ = try object.requiredString("KeyId", rule) }
                == prefix + "'keyId' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-z]+$")
    }

    @Test func theWrongKindIsASerializationError() {
        #expect(
            failure { () throws(AWSError) in _ = try object.requiredString("Limit") }
                == "SerializationException: The member Limit is not a string.")
        #expect(failure { () throws(AWSError) in _ = try object.requiredInt("Half") } != nil)
        #expect(failure { () throws(AWSError) in _ = try object.requiredStrings("Mixed") } != nil)
        #expect(failure { () throws(AWSError) in _ = try object.requiredBlob("Bad") } != nil)
        #expect(failure { () throws(AWSError) in _ = try object.requiredObject("List") } != nil)
        #expect(failure { () throws(AWSError) in _ = try JSONObject([("T", 1e300)]).requiredTimestamp("T") } != nil)
    }

    @Test func anEmptyBodyIsAnEmptyObject() throws {
        #expect(try JSONObject.parseBody([]) == [:])
        #expect(throws: AWSError.self) { try JSONObject.parseBody(Array("[]".utf8)) }
        #expect(throws: AWSError.self) { try JSONObject.parseBody(Array("{".utf8)) }
    }
}
