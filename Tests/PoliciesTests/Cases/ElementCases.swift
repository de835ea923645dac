extension PolicyCase {
    private static let data = "arn:aws:forecast:us-west-2:111122223333:dataset/sales"

    private static func row(
        _ shows: String, _ action: String, on resource: String = data, context: String = "", version: String = "2012-10-17",
        _ identity: String..., is outcome: String
    ) -> PolicyCase {
        PolicyCase(shows, ann, action, on: resource, context: context, .init(identity: [identity], version: version), outcome)
    }

    private static let yes = "allowed by p1#1"
    private static let no = "no identity policy allows"

    /// Action, NotAction, Resource, NotResource, in policies of a user.
    static let elements: [PolicyCase] = [
        row("an action in full", "forecast:ListDatasets", allow("forecast:ListDatasets"), is: yes),
        row("an action's case does not matter", "forecast:ListDatasets", allow("Forecast:listdatasets"), is: yes),
        row("another action", "forecast:DeleteDataset", allow("forecast:ListDatasets"), is: no),
        row("the beginning of an action is not the action", "forecast:ListDatasetGroups", allow("forecast:ListDataset"), is: no),
        row("* for every action", "forecast:ListDatasets", allow("*"), is: yes),
        row("* for the actions of a service", "forecast:ListDatasets", allow("forecast:*"), is: yes),
        row("* for those of another service", "forecast:ListDatasets", allow("kms:*"), is: no),
        row("* within a name", "forecast:ListDatasets", allow("forecast:List*"), is: yes),
        row("* in the service's name", "forecast:ListDatasets", allow("fore*:ListDatasets"), is: yes),
        row("? is one character", "forecast:ListDatasets", allow("forecast:?istDatasets"), is: yes),
        row("? is not none", "forecast:ListDatasets", allow("forecast:?ListDatasets"), is: no),
        row(
            "one of several actions", "forecast:ListDatasets",
            #"{"Effect":"Allow","Action":["forecast:CreateDataset","forecast:ListDatasets"],"Resource":"*"}"#, is: yes),
        row(
            "NotAction takes the rest", "forecast:ListDatasets",
            #"{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}"#, is: yes),
        row(
            "NotAction leaves out what it names", "iam:PassRole", on: "arn:aws:iam::111122223333:role/r",
            #"{"Effect":"Allow","NotAction":["iam:*","sts:*"],"Resource":"*"}"#, is: no),
        row(
            "a Deny with NotAction denies all but the named", "forecast:ListDatasets", allow("*"),
            #"{"Effect":"Deny","NotAction":"kms:*","Resource":"*"}"#, is: "denied by p1#2"),
        row(
            "and not the named", "forecast:ListDatasets", allow("*"),
            #"{"Effect":"Deny","NotAction":"forecast:List*","Resource":"*"}"#, is: yes),
        row("a resource in full", "forecast:DescribeDataset", allow("*", on: data), is: yes),
        row(
            "a resource's case matters", "forecast:DescribeDataset",
            allow("*", on: data.uppercased().replacing("ARN:", with: "arn:")), is: no),
        row("another resource", "forecast:DescribeDataset", allow("*", on: data + "2"), is: no),
        row("* in a resource", "forecast:DescribeDataset", allow("*", on: "arn:aws:forecast:*:111122223333:dataset/s*"), is: yes),
        row("* reaches over colons", "forecast:DescribeDataset", allow("*", on: "arn:aws:forecast:*/sales"), is: yes),
        row(
            "? in a resource", "forecast:DescribeDataset",
            allow("*", on: "arn:aws:forecast:us-west-?:111122223333:dataset/sales"), is: yes),
        row(
            "one of several resources", "forecast:DescribeDataset",
            #"{"Effect":"Allow","Action":"*","Resource":["arn:aws:s3:::b","\#(data)"]}"#, is: yes),
        row(
            "NotResource takes the rest", "forecast:DescribeDataset",
            #"{"Effect":"Allow","Action":"*","NotResource":"arn:aws:forecast:*:*:dataset/secret*"}"#, is: yes),
        row(
            "NotResource leaves out what it names", "forecast:DescribeDataset",
            #"{"Effect":"Allow","Action":"*","NotResource":"arn:aws:forecast:*:*:dataset/s*"}"#, is: no),
        row(
            "a variable in a resource", "s3:GetObject", on: "arn:aws:s3:::b/ann/x", context: "aws:username=ann",
            allow("s3:GetObject", on: "arn:aws:s3:::b/${aws:username}/*"), is: yes),
        row(
            "a variable in a resource is another's", "s3:GetObject", on: "arn:aws:s3:::b/ben/x", context: "aws:username=ann",
            allow("s3:GetObject", on: "arn:aws:s3:::b/${aws:username}/*"), is: no),
        row(
            "a variable with a default", "s3:GetObject", on: "arn:aws:s3:::b/shared/x",
            allow("s3:GetObject", on: "arn:aws:s3:::b/${aws:PrincipalTag/team, 'shared'}/*"), is: yes),
        row(
            "a star in a variable's value is no wildcard", "s3:GetObject", on: "arn:aws:s3:::b/ben/x", context: "aws:username=*",
            allow("s3:GetObject", on: "arn:aws:s3:::b/${aws:username}/*"), is: no),
        row(
            "a variable without a value matches nothing", "s3:GetObject", on: "arn:aws:s3:::b//x",
            allow("s3:GetObject", on: "arn:aws:s3:::b/${aws:username}/*"), is: no),
        row(
            "nor does it open NotResource", "s3:GetObject", on: "arn:aws:s3:::b/x",
            #"{"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::b/${aws:username}"}"#, is: no),
        row(
            "and it does not keep a Deny with NotResource from denying", "s3:GetObject", on: "arn:aws:s3:::b/x", allow("*"),
            #"{"Effect":"Deny","Action":"*","NotResource":"arn:aws:s3:::b/${aws:username}"}"#, is: "denied by p1#2"),
        row(
            "${*} in a resource is a star", "s3:GetObject", on: "arn:aws:s3:::b/axc",
            allow("s3:GetObject", on: "arn:aws:s3:::b/a${*}c"), is: no),
        row(
            "in the old version ${ is text", "s3:GetObject", on: "arn:aws:s3:::b/ann", context: "aws:username=ann",
            version: "2008-10-17", allow("s3:GetObject", on: "arn:aws:s3:::b/${aws:username}"), is: no),
        row(
            "and matches itself", "s3:GetObject", on: "arn:aws:s3:::b/${aws:username}", context: "aws:username=ann",
            version: "2008-10-17", allow("s3:GetObject", on: "arn:aws:s3:::b/${aws:username}"), is: yes),
        row(
            "the second statement allows", "forecast:ListDatasets", allow("kms:*"), allow("forecast:*"), is: "allowed by p1#2"),
        row("a Deny beats an Allow before it", "forecast:ListDatasets", allow("*"), deny("forecast:List*"), is: "denied by p1#2"),
        row("and one after it", "forecast:ListDatasets", deny("forecast:List*"), allow("*"), is: "denied by p1#1"),
        row("a Deny of something else is none", "forecast:ListDatasets", allow("*"), deny("forecast:Create*"), is: yes),
        row(
            "a Deny whose condition fails is none", "forecast:ListDatasets", context: "aws:SecureTransport=true", allow("*"),
            deny("*", when: "Bool aws:SecureTransport=false"), is: yes),
        row(
            "a Deny whose condition holds", "forecast:ListDatasets", context: "aws:SecureTransport=false", allow("*"),
            deny("*", when: "Bool aws:SecureTransport=false"), is: "denied by p1#2"),
        row(
            "an Allow whose condition fails is none", "forecast:ListDatasets", context: "aws:RequestedRegion=eu-west-1",
            allow("*", when: "StringEquals aws:RequestedRegion=us-west-2"), is: no),
        row(
            "a resource of another account", "forecast:DescribeDataset", on: "arn:aws:forecast:us-west-2:444455556666:dataset/x",
            allow("*"), is: "not open"),
        row(
            "a Deny comes before that", "forecast:DescribeDataset", on: "arn:aws:forecast:us-west-2:444455556666:dataset/x",
            deny("*"), is: "denied by p1#1"),
        row("a resource without an account", "s3:GetObject", on: "arn:aws:s3:::b/x", allow("s3:*"), is: yes),
    ]

    /// Several policies of one subject, and subjects of other kinds.
    static let owners: [PolicyCase] = [
        PolicyCase("nothing allows by default", ann, "forecast:ListDatasets", on: "*", .init(), no),
        PolicyCase(
            "any of several policies allows", ann, "forecast:ListDatasets", on: "*",
            .init(identity: [[allow("kms:*")], [allow("s3:*"), allow("forecast:*")]]), "allowed by p2#2"),
        PolicyCase(
            "any of several policies denies", ann, "forecast:ListDatasets", on: "*",
            .init(identity: [[allow("*")], [deny("forecast:*")]]), "denied by p2#1"),
        PolicyCase("root needs no policy", root(), "forecast:ListDatasets", on: "*", .init(), "allowed as root"),
        PolicyCase(
            "root has no way into another account", root(), "forecast:DescribeDataset",
            on: "arn:aws:forecast:us-west-2:444455556666:dataset/x", .init(), "not open"),
        PolicyCase(
            "a session has the policies of its role", roleSession, "forecast:ListDatasets", on: "*",
            .init(identity: [[allow("forecast:*")]]), "allowed by p1#1"),
        PolicyCase("and nothing without them", roleSession, "forecast:ListDatasets", on: "*", .init(), no),
    ]
}
