extension ConditionCase {
    /// Policy variables in condition values, in documents of version 2012-10-17.
    static let variables: [ConditionCase] = [
        .init("StringEquals k=${aws:username}", "k=ann; aws:username=ann", .holds),
        .init("StringEquals k=${aws:username}", "k=ben; aws:username=ann", .fails),
        .init("StringEquals k=${AWS:UserName}", "k=ann; aws:username=ann", .holds),
        .init("StringEquals k=${ aws:username }", "k=ann; aws:username=ann", .holds),
        .init("StringLike k=home/${aws:username}/*", "k=home/ann/x; aws:username=ann", .holds),
        .init("StringLike k=home/${aws:username}/*", "k=home/ben/x; aws:username=ann", .fails),
        .init("StringEquals k=${a}-${b}", "k=1-2; a=1; b=2", .holds),
        .init("StringEquals k=${a}${a}", "k=xx; a=x", .holds),
        .init("StringEquals k=${aws:PrincipalTag/team}", "k=red; aws:PrincipalTag/team=red", .holds),
        .init("StringEquals k=${aws:PrincipalTag/cost center}", "k=7; aws:PrincipalTag/cost center=7", .holds),
        .init("StringNotEquals k=${aws:username}", "k=ben; aws:username=ann", .holds),
        .init("StringNotEquals k=${aws:username}", "k=ann; aws:username=ann", .fails),
        .init("StringEqualsIgnoreCase k=${aws:username}", "k=ANN; aws:username=ann", .holds),
        .init("ArnLike a=${aws:PrincipalArn}", "a=arn:aws:iam::1:role/r; aws:PrincipalArn=arn:aws:iam::1:role/r", .holds),
        .init("ArnLike a=arn:aws:s3:::${b}/*", "a=arn:aws:s3:::mine/x; b=mine", .holds),
        .init("ArnNotLike a=arn:aws:s3:::${b}/*", "a=arn:aws:s3:::mine/x; b=mine", .fails),
        // A wildcard in a value stays the character.
        .init("StringLike k=${aws:username}", "k=ann; aws:username=*", .fails),
        .init("StringLike k=${aws:username}", "k=*; aws:username=*", .holds),
        .init("StringLike k=${aws:username}*", "k=?x; aws:username=?", .holds),
        // A variable in a value is not filled in again.
        .init("StringEquals k=${a}", "k=ann; a=${aws:username}; aws:username=ann", .fails),
        // The characters themselves.
        .init("StringLike k=a${*}b", "k=a*b", .holds),
        .init("StringLike k=a${*}b", "k=axb", .fails),
        .init("StringLike k=a${?}b", "k=a?b", .holds),
        .init("StringLike k=a${?}b", "k=axb", .fails),
        .init("StringEquals k=${$}{a}", "k=${a}; a=x", .holds),
        .init("StringEquals k=$a", "k=$a; a=x", .holds),
        // Defaults.
        .init("StringEquals k=${t, 'none'}", "k=none", .holds),
        .init("StringEquals k=${t, 'none'}", "k=none; t=some", .fails),
        .init("StringEquals k=${t, 'none'}", "k=some; t=some", .holds),
        .init("StringEquals k=${t,'a, b'}", "k=a, b", .holds),
        .init("StringEquals k=${t, ''}", "k=", .holds),
        .init("StringLike k=${t, '*'}", "k=x", .fails),
        .init("StringEquals k=${t, 'none'}", "k=none; t", .holds),
        // Without a value a variable matches nothing, and behind a negated operator lets no Allow through.
        .init("StringEquals k=${aws:username}", "k=", .fails),
        .init("StringEquals k=${aws:username}|b", "k=b", .holds),
        .init("StringLike k=*${aws:username}*", "k=ann", .fails),
        .init("StringNotEquals k=${aws:username}", "k=ann", .deniesOnly),
        .init("StringNotLike k=${aws:username}*", "k=ann", .deniesOnly),
        .init("ForAnyValue:StringNotEquals k=${aws:username}", "k=ann", .deniesOnly),
        // A key with several values is no variable.
        .init("StringEquals k=${aws:TagKeys}", "k=a; aws:TagKeys=a|b", .fails),
        .init("StringEquals k=${aws:TagKeys, 'a'}", "k=a; aws:TagKeys=a|b", .fails),
    ]
}
