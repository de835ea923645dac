import AWSProtocol
import FoundationEssentials
import Testing

@Suite struct QueryTests {
    /// As boto3 sends it.
    private let captured =
        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fr&RoleSessionName=s1"
        + "&Tags.member.1.Key=a&Tags.member.1.Value=b&PolicyArns.member.1.arn=arn%3Aaws%3Aiam%3A%3Aaws%3Apolicy%2Fx"

    @Test func aCallOfBotoIsRead() throws {
        let parameters = try QueryParameters(form: captured.utf8)
        #expect(parameters["Action"] == "AssumeRole")
        #expect(try parameters.required("RoleArn") == "arn:aws:iam::123456789012:role/r")
        let tags = try parameters.structures("Tags")
        #expect(tags.count == 1 && tags[0]["Key"] == "a" && tags[0]["Value"] == "b")
        #expect(try parameters.structures("PolicyArns").map { $0["arn"] } == ["arn:aws:iam::aws:policy/x"])
        #expect(try QueryParameters(form: parameters.formBody()) == parameters)
    }

    @Test func formsAreDecoded() throws {
        let parameters = try QueryParameters(form: "a=x+y%2Bz&b&c=%C3%A9=&L.member.1=p&L.member.2=q".utf8)
        #expect(parameters["a"] == "x y+z" && parameters["b"] == "" && parameters["c"] == "é=")
        #expect(try parameters.list("L") == ["p", "q"])
        #expect(try parameters.list("M") == [])
    }

    @Test(arguments: ["a=1&a=2", "a=1&%61=2", "a=%", "a=%4", "a=%GG", "a=%FF", "a=%00", "=1"])
    func whatReadersDisagreeOnIsRefused(form: String) {
        #expect(throws: AWSError.self) { try QueryParameters(form: form.utf8) }
    }

    @Test(arguments: ["L.member.2=a", "L.member.1=a&L.member.3=b", "L.member.0=a", "L.member.01=a", "L.member.x=a"])
    func listsWithGapsAreRefused(form: String) throws {
        let parameters = try QueryParameters(form: form.utf8)
        #expect(throws: AWSError.self) { try parameters.list("L") }
    }

    @Test func theNumberOfParametersIsBounded() throws {
        func form(_ count: Int) -> String { (0..<count).map { "p\($0)=1" }.joined(separator: "&") }
        let bound = QueryParameters.maximumParameters
        #expect(throws: Never.self) { try QueryParameters(form: form(bound - 1).utf8) }
        #expect(throws: Never.self) { try QueryParameters(form: form(bound).utf8) }
        #expect(throws: AWSError.self) { try QueryParameters(form: form(bound + 1).utf8) }
    }

    @Test func parametersStandInOnePlaceOnly() throws {
        var request = AWSRequest(
            method: "GET", rawQuery: "Action=GetCallerIdentity&X-Amz-Date=x", receivedAt: Date())
        #expect(try QueryParameters(of: request) == QueryParameters(["Action": "GetCallerIdentity"]))
        request.body = Array("Action=AssumeRole".utf8)
        #expect(throws: AWSError.self) { try QueryParameters(of: request) }
    }

    @Test func anErrorHasTheQueryProtocolsCodes() {
        let body = AWSError.accessDenied("User: <a> & \"b\"\u{1}").queryBody(namespace: "urn:x", requestID: "r1")
        #expect(
            String(decoding: body, as: UTF8.self)
                == "<ErrorResponse xmlns=\"urn:x\"><Error><Type>Sender</Type><Code>AccessDenied</Code>"
                + "<Message>User: &lt;a&gt; &amp; &quot;b&quot;\u{FFFD}</Message></Error><RequestId>r1</RequestId></ErrorResponse>"
        )
        #expect(AWSError.signatureDoesNotMatch.inQueryForm.status == 403)
    }

    @Test func anErrorHasTheJSONServicesBody() {
        #expect(
            String(decoding: AWSError.notFound("x").jsonBody(messageMember: "Message"), as: UTF8.self)
                == #"{"__type":"NotFoundException","Message":"x"}"#)
        #expect(
            String(decoding: AWSError(code: "InvalidCiphertextException", message: "").jsonBody(), as: UTF8.self)
                == #"{"__type":"InvalidCiphertextException"}"#)
    }

    @Test func anEncryptionContextHasOneByteForm() throws {
        let bytes = try EncryptionContextEncoding.associatedData(["b": "2", "a": "é", "B": ""])
        #expect(
            bytes == [0, 3, 0, 1, 0x42, 0, 0, 0, 1, 0x61, 0, 2, 0xC3, 0xA9, 0, 1, 0x62, 0, 1, 0x32])
        #expect(try EncryptionContextEncoding.associatedData([:]) == [])
        #expect(throws: AWSError.self) {
            try EncryptionContextEncoding.associatedData(["a": String(repeating: "x", count: 65_536)])
        }
    }
}
