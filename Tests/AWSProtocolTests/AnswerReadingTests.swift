import AWSProtocol
import Secrets
import Testing

@Suite struct AnswerReadingTests {
    private func extract(_ text: String) throws -> (secret: [UInt8]?, rest: String) {
        let (secret, rest) = try Array(text.utf8).withUnsafeBytes { bytes in
            do throws(JSONError) {
                return try SecretMember.extract("Plaintext", from: bytes)
            } catch {
                throw error
            }
        }
        return (try secret?.withUnsafeBytes { Array($0) }, String(decoding: rest, as: UTF8.self))
    }

    @Test func theSecretIsTakenOutOfTheText() throws {
        let (secret, rest) = try extract(
            #"{ "A": {"Plaintext": "x"}, "Plaintext" : "YWJj", "B": ["Plaintext"], "C": "Plaintext" }"#)
        #expect(secret == Array("abc".utf8))
        #expect(rest == #"{ "A": {"Plaintext": "x"}, "Plaintext" : "", "B": ["Plaintext"], "C": "Plaintext" }"#)
    }

    @Test func anAnswerWithoutItStaysAsItIs() throws {
        let text = #"{"__type":"InvalidCiphertextException","m":"\"Plaintext\":\"YQ==\""}"#
        let (secret, rest) = try extract(text)
        #expect(secret == nil && rest == text)
    }

    @Test(arguments: [
        #"{"Plaintext":"a b="}"#, #"{"Plaintext":1}"#, #"{"Plaintext":{"x":1}}"#, #"{"Plaintext":"YWJj"#,
        #"{"Plaintext":"YWJj","Plaintext":"YWJj"}"#, #"{"Plaintext":"\u0059WJj"}"#,
    ])
    func whatIsNotOneSecretIsRefused(text: String) {
        #expect(throws: JSONError.self) { try extract(text) }
    }

    @Test func anAnswerOfTheQueryProtocolIsRead() throws {
        let text = """
            <?xml version="1.0"?>
            <AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
            <Credentials><AccessKeyId>ASIA1</AccessKeyId><SessionToken>a&amp;b&#x3D;&#13;&lt;</SessionToken><Empty/></Credentials>
            </AssumeRoleResult></AssumeRoleResponse>

            """
        let root = try #require(XMLReader.parse(Array(text.utf8)))
        let credentials = root["AssumeRoleResult"]?["Credentials"]
        #expect(root.name == "AssumeRoleResponse")
        #expect(credentials?["AccessKeyId"]?.text == "ASIA1")
        #expect(credentials?["SessionToken"]?.text == "a&b=\r<")
        #expect(credentials?["Empty"]?.text == "")
    }

    @Test func whatIsWrittenIsReadBack() throws {
        var writer = XMLWriter()
        writer.element("A", namespace: "urn:\"x\"") { $0.element("B", "<&>'\"\r\n é😀") }
        #expect(XMLReader.parse(writer.bytes)?["B"]?.text == "<&>'\"\r\n é😀")
    }

    @Test(arguments: [
        "", "x", "<a>", "<a></b>", "<a/><b/>", "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "<a>&x;</a>", "<a>&#0;</a>",
        "<a>&#xD800;</a>", "<a><!-- --></a>", "<a><![CDATA[x]]></a>", "<a b></a>", "<a b=\"1></a>", "<?xml",
        String(repeating: "<a>", count: 33) + String(repeating: "</a>", count: 33),
    ])
    func otherXMLIsRefused(text: String) {
        #expect(XMLReader.parse(Array(text.utf8)) == nil)
    }
}
