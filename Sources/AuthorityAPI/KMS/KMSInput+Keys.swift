import AWSProtocol
import Keys

/// The members of requests about tags, rotation and listings of keys.
extension KMSInput {
    private enum Material: String, CaseIterable { case all = "ALL_KEY_MATERIAL", rotations = "ROTATIONS_ONLY" }
    private enum Owner: String, CaseIterable { case own = "SELF", shared = "OTHER_ACCOUNTS_VIA_RAM" }

    private static let tagKey = StringRule(length: KeyTag.keyCharacters)
    private static let tagValue = StringRule(length: KeyTag.valueCharacters)
    /// More than a key may have, so that too many are answered as such; the body has a bound of its own.
    private static let tagsInRequest = 0...1000

    func tags() throws -> [KeyTag] {
        guard let tags = try optionalTags() else { throw AWSError.validation(field: "Tags", rule: "Member must not be null") }
        return tags
    }

    func optionalTags() throws -> [KeyTag]? {
        try body.optionalObjects("Tags", count: Self.tagsInRequest)?.map { tag in
            try KeyTag(
                key: try tag.requiredString("TagKey", Self.tagKey), value: try tag.requiredString("TagValue", Self.tagValue))
        }
    }

    func tagKeys() throws -> [String] {
        try body.requiredStrings("TagKeys", count: Self.tagsInRequest).map { key in
            if let violation = Self.tagKey.violation(of: key) { throw AWSError.validation(field: "TagKeys", rule: violation) }
            return key
        }
    }

    func rotationPeriod() throws -> Int {
        try body.optionalInt("RotationPeriodInDays", range: RotationSchedule.periodDays) ?? RotationSchedule.defaultPeriodDays
    }

    func includesFirstMaterial() throws -> Bool {
        try body.optionalEnum("IncludeKeyMaterial", as: Material.self) == .all
    }

    /// Whether the account's own keys are asked for. Nobody shares keys here, so there are no others.
    func includesOwnKeys() throws -> Bool {
        guard let owners = try body.optionalStrings("ResourceOwners", count: 1...2) else { return true }
        return try owners.map { name -> Owner in
            guard let owner = Owner(rawValue: name) else {
                throw AWSError.validation(
                    field: "ResourceOwners", rule: "Member must satisfy enum value set: [SELF, OTHER_ACCOUNTS_VIA_RAM]")
            }
            return owner
        }.contains(.own)
    }

    func description() throws -> String {
        try body.requiredString("Description", length: 0...KeyCreation.maximumDescriptionCharacters)
    }

    func randomBytes() throws -> Int {
        try checkRecipient()
        guard try body.optionalString("CustomKeyStoreId", length: 1...64) == nil else {
            throw KeyError(.unsupported, "There are no custom key stores here.")
        }
        return try body.requiredInt("NumberOfBytes", range: Self.dataKeyBytes)
    }
}
