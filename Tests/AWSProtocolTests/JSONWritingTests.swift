import AWSProtocol
import Testing

@Suite struct JSONWritingTests {
    @Test func controlCharactersAreEscaped() {
        let value: JSONValue = "a\"b\\c\n\r\t\u{8}\u{C}\u{0}\u{1F}\u{7F}é/"
        #expect(value.serializedString == #""a\"b\\c\n\r\t\b\f\u0000\u001f\u007fé/""#)
    }

    @Test func doublesAreTheShortestThatReadBack() throws {
        for number in [
            0.1, 1.0 / 3, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1_564_533_087.907, -0.5, 1e16, 123_456_789.25,
        ] {
            let text = JSONValue.double(number).serializedString
            #expect(try JSONValue.parse(text).doubleValue == number)
        }
        #expect(JSONValue.double(0.1).serializedString == "0.1")
    }

    @Test func whatIsNoNumberIsNull() {
        let value: JSONValue = [.double(.nan), .double(.infinity), .double(-.infinity)]
        #expect(value.serializedString == "[null,null,null]")
    }

    @Test func anAbsentMemberIsLeftOut() {
        var object = JSONObject()
        object.append("A", 1)
        object.append("B", ifPresent: nil)
        object["C"] = "x"
        object["A"] = 2
        #expect(object.serializedString == #"{"A":2,"C":"x"}"#)
        object["A"] = nil
        #expect(object.keys == ["C"])
    }

    @Test func aMapOfStringsIsWrittenInByteOrder() {
        #expect(JSONValue.stringMap(["b": "1", "a": "2", "B": "3"]).serializedString == #"{"B":"3","a":"2","b":"1"}"#)
    }
}
