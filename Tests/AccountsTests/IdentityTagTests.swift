import Accounts
import Testing

@Suite struct IdentityTagTests {
    @Test(arguments: [
        ("team", "blue", true), ("Ünïcode 1", "", true), ("a/b:c=d+e-f@g_h.", "x", true),
        (String(repeating: "k", count: 128), String(repeating: "v", count: 256), true),
        (String(repeating: "k", count: 129), "", false), ("k", String(repeating: "v", count: 257), false),
        ("", "x", false), ("aws:x", "y", false), ("AWS:x", "y", false), ("a*b", "x", false), ("a", "x\n", false),
    ])
    func keysAndValuesFollowTheirRules(key: String, value: String, isTaken: Bool) {
        #expect(((try? IdentityTag(key: key, value: value)) != nil) == isTaken)
    }

    @Test func keysDifferByMoreThanCase() throws {
        let tags = try IdentityTags([IdentityTag(key: "Team", value: "1")])
        let other = try IdentityTags([IdentityTag(key: "team", value: "2")])
        #expect(throws: AccountsError.self) { try IdentityTags(tags.list + other.list) }
        #expect(try tags.setting(other).list == other.list)
        #expect(tags["TEAM"] == "1" && tags.removing(["teaM"]).isEmpty)
        #expect(tags.overridden(by: other)["Team"] == "2")
    }

    @Test func thereAreFiftyAtMost() throws {
        let tags = { (count: Int) in try (0..<count).map { try IdentityTag(key: "k\($0)", value: "") } }
        #expect(try IdentityTags(tags(50)).list.count == 50)
        #expect(throws: AccountsError.self) { try IdentityTags(tags(51)) }
        let full = try IdentityTags(tags(50))
        #expect(try full.setting(IdentityTags([IdentityTag(key: "k1", value: "new")])).list.count == 50)
        #expect(throws: AccountsError.self) { try full.setting(IdentityTags([IdentityTag(key: "other", value: "")])) }
    }
}
