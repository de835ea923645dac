extension ConditionCase {
    /// Conditions that key policies are written with, over the contexts that requests have.
    static let kms: [ConditionCase] = [
        .init(
            "StringEquals kms:ViaService=forecast.us-west-2.amazonaws.com", "kms:ViaService=forecast.us-west-2.amazonaws.com",
            .holds),
        .init("StringEquals kms:ViaService=forecast.us-west-2.amazonaws.com", "", .fails),
        .init("StringLike kms:ViaService=forecast.*.amazonaws.com", "kms:ViaService=forecast.eu-west-1.amazonaws.com", .holds),
        .init("StringNotEquals kms:ViaService=forecast.us-west-2.amazonaws.com", "", .holds),
        .init("StringEquals kms:CallerAccount=111122223333", "kms:CallerAccount=444455556666", .fails),
        .init("StringEquals kms:EncryptionContext:Dept=IT", "kms:EncryptionContext:dept=IT", .holds),
        .init("StringEquals kms:EncryptionContext:Dept=IT", "kms:EncryptionContext:Dept=it", .fails),
        .init("StringEqualsIgnoreCase kms:EncryptionContext:Dept=IT", "kms:EncryptionContext:Dept=it", .holds),
        .init(
            "StringLike kms:EncryptionContext:aws:s3:arn=arn:aws:s3:::b/*", "kms:EncryptionContext:aws:s3:arn=arn:aws:s3:::b/k",
            .holds),
        .init("Null kms:EncryptionContext:Dept=false", "kms:EncryptionContext:Name=x", .fails),
        .init("ForAllValues:StringEquals kms:EncryptionContextKeys=a|b", "kms:EncryptionContextKeys=a", .holds),
        .init("ForAllValues:StringEquals kms:EncryptionContextKeys=a", "kms:EncryptionContextKeys=a|b", .fails),
        .init("ForAllValues:StringEquals kms:EncryptionContextKeys=a", "", .holds),
        .init("ForAnyValue:StringEquals kms:EncryptionContextKeys=a", "kms:EncryptionContextKeys=b|a", .holds),
        .init("Null kms:EncryptionContextKeys=false", "", .fails),
        .init("ForAllValues:StringEquals kms:GrantOperations=Decrypt|Encrypt", "kms:GrantOperations=Decrypt", .holds),
        .init("ForAllValues:StringEquals kms:GrantOperations=Decrypt", "kms:GrantOperations=Decrypt|CreateGrant", .fails),
        .init(
            "StringEquals kms:GrantConstraintType=EncryptionContextEquals", "kms:GrantConstraintType=EncryptionContextSubset",
            .fails),
        .init("Bool kms:GrantIsForAWSResource=true", "kms:GrantIsForAWSResource=true", .holds),
        .init("Bool kms:GrantIsForAWSResource=true", "kms:GrantIsForAWSResource=false", .fails),
        .init(
            "ArnLike kms:GranteePrincipal=arn:aws:sts::999999999999:assumed-role/forecastle-worker/*",
            "kms:GranteePrincipal=arn:aws:sts::999999999999:assumed-role/forecastle-worker/job-1", .holds),
        .init("StringEquals kms:RetiringPrincipal=arn:aws:iam::999999999999:role/forecastle-sweeper", "", .fails),
        .init("Bool kms:BypassPolicyLockoutSafetyCheck=true", "kms:BypassPolicyLockoutSafetyCheck=false", .fails),
        .init(
            "NumericLessThan kms:ScheduleKeyDeletionPendingWindowInDays=30", "kms:ScheduleKeyDeletionPendingWindowInDays=7",
            .holds),
        .init("NumericGreaterThanEquals kms:RotationPeriodInDays=180", "kms:RotationPeriodInDays=90", .fails),
        .init("ForAnyValue:StringLike kms:ResourceAliases=alias/prod-*", "kms:ResourceAliases=alias/test|alias/prod-1", .holds),
        .init("StringEquals kms:RequestAlias=alias/a", "kms:RequestAlias=alias/b", .fails),
        .init("Bool aws:SecureTransport=false", "aws:SecureTransport=false", .holds),
        .init(
            "Bool aws:ViaAWSService=false & NotIpAddress aws:SourceIp=203.0.113.0/24",
            "aws:ViaAWSService=true; aws:SourceIp=127.0.0.1", .fails),
        .init(
            "Bool aws:ViaAWSService=false & NotIpAddress aws:SourceIp=203.0.113.0/24",
            "aws:ViaAWSService=false; aws:SourceIp=127.0.0.1", .holds),
        .init("ForAnyValue:StringEquals aws:CalledVia=forecast.amazonaws.com", "aws:CalledVia=forecast.amazonaws.com", .holds),
        .init("StringEquals aws:CalledViaLast=forecast.amazonaws.com", "", .fails),
        .init("Bool aws:PrincipalIsAWSService=true", "aws:PrincipalIsAWSService=false", .fails),
        .init("StringEquals aws:RequestedRegion=us-west-2|us-east-1", "aws:RequestedRegion=us-west-2", .holds),
        .init("StringLike aws:userid=AROAEXAMPLE*:*", "aws:userid=AROAEXAMPLEID:job-1", .holds),
        .init("StringEquals aws:PrincipalType=AssumedRole", "aws:PrincipalType=User", .fails),
        .init("DateLessThan aws:TokenIssueTime=2026-11-23T00:00:00Z", "aws:TokenIssueTime=2026-11-22T23:00:00Z", .holds),
        .init("DateLessThan aws:TokenIssueTime=2026-11-23T00:00:00Z", "", .fails),
        .init(
            "StringEquals aws:ResourceTag/team=${aws:PrincipalTag/team}", "aws:ResourceTag/team=red; aws:PrincipalTag/team=red",
            .holds),
        .init(
            "StringEquals aws:ResourceTag/team=${aws:PrincipalTag/team}", "aws:ResourceTag/team=red; aws:PrincipalTag/team=blue",
            .fails),
        .init("ForAllValues:StringEquals aws:TagKeys=team|stage", "aws:TagKeys=team|owner", .fails),
        .init("StringLike aws:UserAgent=Boto3/*", "aws:UserAgent=Boto3/1.43.11 md/Botocore", .holds),
    ]
}
