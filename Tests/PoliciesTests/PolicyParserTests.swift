import Policies
import Testing

@Suite struct PolicyParserTests {
    static let allow = #""Effect":"Allow","Action":"kms:Decrypt","Resource":"*""#

    @Test(arguments: [
        ("", PolicyDocument.Kind.identity, "not valid JSON"),
        ("[]", .identity, "must be a JSON object"),
        (#"{"Statement":[]}"#, .identity, "must have a Statement"),
        (#"{"Version":"2012-10-18","Statement":{\#(allow)}}"#, .identity, "Version must be"),
        (#"{"Id":"x","Statement":{\#(allow)}}"#, .identity, "unknown element: Id"),
        (#"{"Statement":{\#(allow),"Effect":"Deny"}}"#, .identity, "not valid JSON"),
        (#"{"Statement":{\#(allow),"Effct":"Deny"}}"#, .identity, "unknown element: Effct"),
        (#"{"Statement":{"Effect":"allow","Action":"*","Resource":"*"}}"#, .identity, "Effect Allow or Deny"),
        (#"{"Statement":{"Effect":"Allow","Resource":"*"}}"#, .identity, "Action or NotAction"),
        (#"{"Statement":{\#(allow),"NotAction":"*"}}"#, .identity, "both Action and NotAction"),
        (#"{"Statement":{"Effect":"Allow","Action":"Decrypt","Resource":"*"}}"#, .identity, "neither * nor service:Name"),
        (#"{"Statement":{"Effect":"Allow","Action":[],"Resource":"*"}}"#, .identity, "empty Action"),
        (#"{"Statement":{"Effect":"Allow","Action":[1],"Resource":"*"}}"#, .identity, "not a string"),
        (#"{"Statement":{"Effect":"Allow","Action":"*"}}"#, .identity, "Resource or NotResource"),
        (#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"bucket"}}"#, .identity, "neither * nor an ARN"),
        (#"{"Statement":{\#(allow),"Principal":"*"}}"#, .identity, "must not have a Principal"),
        (#"{"Statement":{\#(allow)}}"#, .key, "must have a Principal"),
        (#"{"Statement":{\#(allow),"Principal":"*"}}"#, .trust, "must not have a Resource"),
        (#"{"Statement":{\#(allow),"Principal":"arn:aws:iam::111122223333:root"}}"#, .key, "* or an object"),
        (#"{"Statement":{\#(allow),"Principal":{"AWS":"AWS Invoking Identity"}}}"#, .key, "Invalid principal"),
        (#"{"Statement":{\#(allow),"Principal":{"AWS":"arn:aws:iam::111122223333:role/*"}}}"#, .key, "Invalid principal"),
        (#"{"Statement":{\#(allow),"Principal":{"AWS":"arn:aws:iam::111122223333:group/g"}}}"#, .key, "names no root"),
        (#"{"Statement":{\#(allow),"Principal":{"Service":"*"}}}"#, .key, "a service that is none"),
        (#"{"Statement":{\#(allow),"Principal":{"Robot":"x"}}}"#, .key, "unknown kind of Principal"),
        (#"{"Statement":{\#(allow),"Condition":{"StringEqual":{"a":"b"}}}}"#, .identity, "Invalid condition operator"),
        (#"{"Statement":{\#(allow),"Condition":{"StringEquals":{}}}}"#, .identity, "object of condition keys"),
        (#"{"Statement":{\#(allow),"Condition":{"StringEquals":{"a":[]}}}}"#, .identity, "empty Condition"),
        (#"{"Statement":{\#(allow),"Condition":{"NumericEquals":{"a":"x"}}}}"#, .identity, "must be a number"),
        (#"{"Statement":{\#(allow),"Condition":{"DateEquals":{"a":"2026-02-30"}}}}"#, .identity, "ISO 8601"),
        (#"{"Statement":{\#(allow),"Condition":{"Bool":{"a":"yes"}}}}"#, .identity, "true or false"),
        (#"{"Statement":{\#(allow),"Condition":{"IpAddress":{"a":"300.0.0.1"}}}}"#, .identity, "IP address"),
        (#"{"Statement":{\#(allow),"Condition":{"BinaryEquals":{"a":"%"}}}}"#, .identity, "base64"),
        (#"{"Statement":{\#(allow),"Condition":{"NullIfExists":{"a":"true"}}}}"#, .identity, "Null takes neither"),
    ])
    func malformedDocumentsNameTheRule(text: String, kind: PolicyDocument.Kind, rule: String) {
        let error = #expect(throws: PolicyError.self) { try PolicyDocument.parse(text, kind: kind) }
        #expect(error?.message.contains(rule) == true, "\(error?.message ?? "accepted")")
        #expect(error?.code == .malformed)
    }

    @Test func variablesMustBeWellFormedOnlyWhereTheyAreVariables() throws {
        let text = #"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username"}"#
        #expect(throws: PolicyError.self) { try document(.identity, [text]) }
        #expect(throws: Never.self) { try document(.identity, [text], "2008-10-17") }
    }

    @Test func singleValuesMayDropBracketsAndAStatementOfAKeyItsResource() throws {
        let parsed = try key(#"{"Sid":"a b","Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":["kms:*"]}"#)
        #expect(parsed.statements.count == 1)
        #expect(parsed.principals == [.account("111122223333")])
    }

    @Test func lengthIsCheckedWithoutWhiteSpaceForIdentityPoliciesOnly() throws {
        let text = { (bytes: Int) in
            let frame = #"{"Statement":{"Sid":"","Effect":"Allow","Action":"*","Resource":"*"}}"#
            return frame.replacing(#""Sid":"""#, with: #""Sid":"\#(String(repeating: "x", count: bytes - frame.utf8.count))""#)
        }
        for kind in [PolicyDocument.Kind.identity, .session] {
            let most = kind.maximumCharacters
            #expect(throws: Never.self) { try PolicyDocument.parse(text(most - 1), kind: kind) }
            #expect(throws: Never.self) { try PolicyDocument.parse(text(most), kind: kind) }
            let error = #expect(throws: PolicyError.self) { try PolicyDocument.parse(text(most + 1), kind: kind) }
            #expect(error?.code == .tooLarge)
        }
        #expect(throws: Never.self) { try PolicyDocument.parse(text(10_240) + "   ", kind: .identity) }
        #expect(throws: PolicyError.self) { try PolicyDocument.parse(text(2_048) + " ", kind: .session) }
    }

    @Test func charactersOutsideLatin1AreRefused() {
        #expect(throws: PolicyError.self) {
            try PolicyDocument.parse(#"{"Statement":{"Effect":“Allow”,"Action":"*","Resource":"*"}}"#, kind: .identity)
        }
    }

    @Test func statementsAreBounded() {
        let statement = #"{"Effect":"Allow","Action":"*","Principal":"*"}"#
        let most = PolicyDocument.maximumStatements
        #expect(throws: Never.self) { try document(.key, Array(repeating: statement, count: most)) }
        #expect(throws: PolicyError.self) { try document(.key, Array(repeating: statement, count: most + 1)) }
    }
}
