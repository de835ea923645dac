import Policies
import Testing

@Suite struct ConditionTests {
    @Test(arguments: [
        (#""StringEquals":{"k":"a"}"#, ["a"], true), (#""StringEquals":{"k":"a"}"#, ["A"], false),
        (#""StringEquals":{"K":["b","a"]}"#, ["a"], true), (#""StringEquals":{"k":"a*"}"#, ["ab"], false),
        (#""StringNotEquals":{"k":["a","b"]}"#, ["b"], false), (#""StringNotEquals":{"k":["a","b"]}"#, ["c"], true),
        (#""StringEqualsIgnoreCase":{"k":"Ab"}"#, ["aB"], true), (#""StringNotEqualsIgnoreCase":{"k":"Ab"}"#, ["aB"], false),
        (#""StringLike":{"k":"a*c?"}"#, ["abbcd"], true), (#""StringLike":{"k":"a*c?"}"#, ["abbc"], false),
        (#""StringLike":{"k":"a"}"#, ["A"], false), (#""StringNotLike":{"k":"a*"}"#, ["abc"], false),
        (#""NumericEquals":{"k":10}"#, ["10.0"], true), (#""NumericNotEquals":{"k":"10"}"#, ["10"], false),
        (#""NumericLessThan":{"k":"10"}"#, ["9"], true), (#""NumericLessThan":{"k":"10"}"#, ["10"], false),
        (#""NumericLessThanEquals":{"k":"10"}"#, ["10"], true), (#""NumericGreaterThan":{"k":"10"}"#, ["10"], false),
        (#""NumericGreaterThanEquals":{"k":"10"}"#, ["10"], true), (#""NumericGreaterThan":{"k":"10"}"#, ["x"], false),
        (#""DateLessThan":{"k":"2026-11-24T00:00:00Z"}"#, ["2026-11-23T23:59:59Z"], true),
        (#""DateGreaterThan":{"k":"2026-11-24T00:00:00Z"}"#, ["2026-11-23T23:59:59Z"], false),
        (#""DateEquals":{"k":"2026-11-23T14:00:00+01:00"}"#, ["2026-11-23T13:00:00Z"], true),
        (#""DateEquals":{"k":"1970-01-02"}"#, ["86400"], true), (#""DateNotEquals":{"k":"1970-01-02"}"#, ["86400"], false),
        (#""DateLessThanEquals":{"k":"2024-02-29T00:00Z"}"#, ["1709164800"], true),
        (#""DateGreaterThanEquals":{"k":"2024-03-01"}"#, ["1709251200"], true),
        (#""Bool":{"k":true}"#, ["true"], true), (#""Bool":{"k":"False"}"#, ["true"], false),
        (#""BinaryEquals":{"k":"AQI="}"#, ["AQI="], true), (#""BinaryEquals":{"k":"AQI="}"#, ["AQM="], false),
        (#""IpAddress":{"k":"203.0.113.0/24"}"#, ["203.0.113.77"], true),
        (#""IpAddress":{"k":"203.0.113.0/24"}"#, ["::ffff:203.0.113.77"], true),
        (#""IpAddress":{"k":"203.0.113.0/25"}"#, ["203.0.113.128"], false),
        (#""IpAddress":{"k":"2001:db8::/33"}"#, ["2001:db8:7fff::1"], true),
        (#""IpAddress":{"k":"2001:db8::/33"}"#, ["2001:db8:8000::1"], false),
        (#""IpAddress":{"k":"0.0.0.0/0"}"#, ["2001:db8::1"], false),
        (#""NotIpAddress":{"k":"203.0.113.0/24"}"#, ["203.0.113.77"], false),
        (#""ArnLike":{"k":"arn:aws:forecast:*:111122223333:*"}"#, ["arn:aws:forecast:us-west-2:111122223333:dataset/x:y"], true),
        (#""ArnLike":{"k":"arn:aws:*:111122223333:x"}"#, ["arn:aws:forecast:us-west-2:111122223333:x"], false),
        (#""ArnEquals":{"k":"arn:aws:iam::111122223333:role/a*"}"#, ["arn:aws:iam::111122223333:role/ab"], true),
        (#""ArnNotLike":{"k":"arn:aws:iam::*:role/a"}"#, ["arn:aws:iam::1:role/a"], false),
        (#""ArnLike":{"k":"*"}"#, ["arn:aws:iam::1:role/a"], true),
    ])
    func operatorsCompare(condition: String, values: [String], expected: Bool) throws {
        #expect(try holds(condition, ["k": values]) == expected)
    }

    @Test(arguments: [
        (#""StringEquals":{"k":"a"}"#, false), (#""StringNotEquals":{"k":"a"}"#, true),
        (#""StringEqualsIfExists":{"k":"a"}"#, true), (#""NumericLessThan":{"k":"1"}"#, false),
        (#""NotIpAddress":{"k":"10.0.0.0/8"}"#, true), (#""Bool":{"k":"false"}"#, false),
        (#""Null":{"k":"true"}"#, true), (#""Null":{"k":"false"}"#, false),
        (#""ForAllValues:StringEquals":{"k":"a"}"#, true), (#""ForAnyValue:StringEquals":{"k":"a"}"#, false),
        (#""ForAnyValue:StringNotEquals":{"k":"a"}"#, false), (#""ForAnyValue:StringEqualsIfExists":{"k":"a"}"#, true),
    ])
    func absentKeysFollowTheOperator(condition: String, expected: Bool) throws {
        #expect(try holds(condition, [:]) == expected)
    }

    @Test func nullSeesThatAKeyIsPresent() throws {
        #expect(try holds(#""Null":{"k":"true"}"#, ["k": ["a"]]) == false)
        #expect(try holds(#""Null":{"k":"false"}"#, ["k": ["a"]]))
    }

    @Test(arguments: [
        (#""ForAllValues:StringEquals":{"k":["a","b"]}"#, ["a", "b"], true),
        (#""ForAllValues:StringEquals":{"k":["a","b"]}"#, ["a", "c"], false),
        (#""ForAnyValue:StringEquals":{"k":["a","b"]}"#, ["c", "b"], true),
        (#""ForAnyValue:StringEquals":{"k":["a","b"]}"#, ["c"], false),
        (#""ForAllValues:StringNotEquals":{"k":["a","b"]}"#, ["c", "a"], false),
        (#""ForAnyValue:StringNotEquals":{"k":["a","b"]}"#, ["c", "a"], true),
        (#""ForAllValues:StringLike":{"k":"De*"}"#, ["Decrypt", "DescribeKey"], true),
    ])
    func setOperatorsTakeValuesTogether(condition: String, values: [String], expected: Bool) throws {
        #expect(try holds(condition, ["k": values]) == expected)
    }

    @Test func severalValuesWithoutASetOperatorOpenNoAllowAndEvadeNoDeny() throws {
        let condition = #""StringEquals":{"k":"a"}"#
        #expect(try holds(condition, ["k": ["a", "b"]]) == false)
        #expect(try holds(condition, ["k": ["a", "b"]], effect: "Deny"))
    }

    @Test func operatorsAndKeysAreAllNeeded() throws {
        let condition = #""StringEquals":{"k":"a","l":"b"},"Bool":{"m":"true"}"#
        #expect(try holds(condition, ["k": ["a"], "l": ["b"], "m": ["true"]]))
        for lacking in ["k", "l", "m"] {
            var context = ["k": ["a"], "l": ["b"], "m": ["true"]]
            context[lacking] = ["false"]
            #expect(try holds(condition, context) == false, "without \(lacking)")
        }
    }

    @Test func variablesAreFilledInLiterally() throws {
        #expect(try holds(#""StringLike":{"k":"home/${aws:username}/*"}"#, ["k": ["home/a/x"], "aws:username": ["a"]]))
        // A star in the value stays a star.
        #expect(try holds(#""StringLike":{"k":"${aws:username}"}"#, ["k": ["abc"], "aws:username": ["*"]]) == false)
        #expect(try holds(#""StringLike":{"k":"a${*}b${?}${$}"}"#, ["k": ["a*b?$"]]))
        #expect(try holds(#""StringLike":{"k":"a${*}b"}"#, ["k": ["axb"]]) == false)
        #expect(try holds(#""StringEquals":{"k":"${t, 'none'}"}"#, ["k": ["none"]]))
        #expect(
            try holds(
                #""ArnLike":{"k":"${aws:PrincipalArn}"}"#,
                ["k": ["arn:aws:iam::1:role/a"], "aws:PrincipalArn": ["arn:aws:iam::1:role/a"]]))
    }

    @Test func aVariableWithoutAValueOpensNothing() throws {
        #expect(try holds(#""StringEquals":{"k":"${aws:username}"}"#, ["k": [""]]) == false)
        #expect(try holds(#""StringNotEquals":{"k":"${aws:username}"}"#, ["k": ["x"]]) == false)
        #expect(try holds(#""StringNotEquals":{"k":"${aws:username}"}"#, ["k": ["x"]], effect: "Deny"))
        let request = request(user("a"), "s3:GetObject", "arn:aws:s3:::b/x")
        let not = #"{"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::b/${aws:username}"}"#
        #expect(!PolicyEvaluator.decide(request, policies: try identity(not)).isAllowed)
    }

    @Test func variablesAreOrdinaryTextInTheOldVersion() throws {
        let statement = #"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/${aws:username}"}"#
        let context = ["aws:username": ["a"]]
        let policies = try identity(statement, version: "2008-10-17")
        #expect(!PolicyEvaluator.decide(request(user("a"), "s3:Get", "arn:aws:s3:::b/a", context), policies: policies).isAllowed)
        #expect(
            PolicyEvaluator.decide(request(user("a"), "s3:Get", "arn:aws:s3:::b/${aws:username}", context), policies: policies)
                .isAllowed)
        #expect(
            PolicyEvaluator.decide(request(user("a"), "s3:Get", "arn:aws:s3:::b/a", context), policies: try identity(statement))
                .isAllowed)
    }

    @Test func encryptionContextNamesIgnoreCaseAndValuesDoNot() throws {
        var context = ConditionContext()
        context.setEncryptionContext(["Department": "Finance", "b": "1"])
        #expect(context["kms:encryptioncontext:department"] == ["Finance"])
        #expect(context["kms:EncryptionContextKeys"] == ["Department", "b"])
        var twice = ConditionContext()
        twice.setEncryptionContext(["a": "good", "A": "evil"])
        #expect(twice["kms:EncryptionContext:a"]?.sorted() == ["evil", "good"])
        #expect(ConditionContext()["kms:EncryptionContextKeys"] == nil)
    }

    @Test func textsThatOnlyLookAlikeDiffer() throws {
        // é as one scalar and as two: equal to Swift, not to a policy.
        #expect(try holds("\"StringEquals\":{\"k\":\"\u{E9}\"}", ["k": ["\u{E9}"]]))
        #expect(try holds("\"StringEquals\":{\"k\":\"\u{E9}\"}", ["k": ["e\u{301}"]]) == false)
        // The kelvin sign is no K.
        var context = ConditionContext()
        context.set("\u{212A}", "x")
        #expect(context["k"] == nil)
    }
}
