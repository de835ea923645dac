import AWSProtocol
import FoundationEssentials
import Keys
import Policies
import Secrets
import Testing

private let key = ARN(service: "kms", region: region, account: customer, resource: "key/1234abcd-12ab-34cd-56ef-1234567890ab")

@Suite struct KeyStateTests {
    private typealias Row = (
        operations: [KeyOperation], enabled: KeyError.Code?, disabled: KeyError.Code?, pending: KeyError.Code?
    )

    @Test func everyOperationFollowsTheKeyStateTable() {
        let rows: [Row] = [
            ([.cancelKeyDeletion], .invalidState, .invalidState, nil),
            (
                [
                    .createAlias, .disableKey, .enableKey, .scheduleKeyDeletion, .tagResource, .untagResource,
                    .updateKeyDescription, .updateAlias,
                ], nil, nil, .invalidState
            ),
            (
                [
                    .createGrant, .encrypt, .decrypt, .generateDataKey, .generateDataKeyWithoutPlaintext, .reEncrypt,
                    .reEncryptFrom, .reEncryptTo, .enableKeyRotation, .disableKeyRotation, .rotateKeyOnDemand,
                ], nil, .disabled, .invalidState
            ),
            (
                [
                    .deleteAlias, .describeKey, .getKeyPolicy, .getKeyRotationStatus, .listAliases, .listGrants,
                    .listKeyPolicies, .listKeyRotations, .listResourceTags, .putKeyPolicy, .retireGrant, .revokeGrant,
                    .createKey, .generateRandom, .listKeys, .listRetirableGrants,
                ], nil, nil, nil
            ),
        ]
        #expect(rows.flatMap(\.operations).count == KeyOperation.allCases.count)
        for row in rows {
            for operation in row.operations {
                #expect(KeyState.enabled.refusal(of: operation, key: key)?.code == row.enabled, "\(operation)")
                #expect(KeyState.disabled.refusal(of: operation, key: key)?.code == row.disabled, "\(operation)")
                #expect(KeyState.pendingDeletion.refusal(of: operation, key: key)?.code == row.pending, "\(operation)")
            }
        }
    }

    @Test func refusalsNameTheKeyInKMSsWords() {
        #expect(KeyState.disabled.refusal(of: .decrypt, key: key)?.message == "\(key) is disabled.")
        #expect(KeyState.pendingDeletion.refusal(of: .decrypt, key: key)?.message == "\(key) is pending deletion.")
        #expect(KeyState.enabled.refusal(of: .cancelKeyDeletion, key: key)?.message == "\(key) is not pending deletion.")
    }
}

@Suite struct KeyReferenceTests {
    @Test(arguments: [
        "1234abcd-12ab-34cd-56ef-1234567890ab", "mrk-1234", "alias/x", "arn:aws:kms:us-west-2:123456789012:key/1",
        "arn:aws:kms:us-west-2:123456789012:alias/a/b",
    ])
    func theFourFormsAreRead(text: String) {
        #expect(throws: Never.self) { try KeyReference(text) }
    }

    @Test(arguments: [
        ("", KeyError.Code.validation), (String(repeating: "a", count: 2049), .validation), ("../../etc/passwd", .notFound),
        ("a b", .notFound), ("arn:aws:s3:us-west-2:123456789012:key/1", .invalidArn),
        ("arn:aws:kms:us-west-2:123456789012:key/../x", .invalidArn), ("arn:aws:kms::123456789012:key/1", .invalidArn),
        ("arn:aws:kms:us-west-2:1234:key/1", .invalidArn),
    ])
    func everythingElseIsRefused(text: String, code: KeyError.Code) {
        let error = #expect(throws: KeyError.self) { try KeyReference(text) }
        #expect(error?.code == code)
    }
}

@Suite struct KeyMaterialTests {
    private func material(_ byte: UInt8 = 7) -> KeyMaterial {
        var bytes = [UInt8](repeating: byte, count: KeyMaterial.bytes)
        let secret = SecretBytes(consuming: &bytes)
        return KeyMaterial(keyARN: key, materialID: [UInt8](repeating: 1, count: 32), secret: secret)
    }

    private func seal(_ bytes: [UInt8], _ context: [String: String] = [:]) throws -> [UInt8] {
        try bytes.withUnsafeBytes { try material().seal($0, context: context).bytes }
    }

    private func open(_ blob: [UInt8], _ context: [String: String] = [:], material byte: UInt8 = 7) throws -> [UInt8] {
        let secret = try material(byte).open(CiphertextBlob(parsing: blob), context: context)
        return secret.withUnsafeBytes { Array($0) }
    }

    @Test(arguments: [1, 32, 4096])
    func whatWasSealedOpens(count: Int) throws {
        let bytes = [UInt8](repeating: 9, count: count)
        let blob = try seal(bytes, ["a": "b"])
        #expect(blob.count <= CiphertextBlob.maximumBytes)
        #expect(try open(blob, ["a": "b"]) == bytes)
        #expect(try seal(bytes, ["a": "b"]) != blob)
    }

    @Test(arguments: [[:], ["a": "c"], ["A": "b"], ["a": "b", "c": "d"], ["b": "a"]])
    func anotherContextDoesNotOpen(context: [String: String]) throws {
        let blob = try seal([1, 2, 3], ["a": "b"])
        let error = #expect(throws: KeyError.self) { try open(blob, context) }
        #expect(error?.code == .invalidCiphertext && error?.message == "")
    }

    @Test func noSingleBitCanBeChanged() throws {
        let blob = try seal([1, 2, 3])
        for index in blob.indices {
            for bit in 0..<8 {
                var altered = blob
                altered[index] ^= 1 << UInt8(bit)
                #expect(throws: KeyError.self, "byte \(index) bit \(bit)") { try open(altered) }
            }
        }
        #expect(throws: KeyError.self) { try open(blob, material: 8) }
    }

    @Test func everyTruncationAndExtensionIsRefused() throws {
        let blob = try seal([1, 2, 3])
        for count in 0..<blob.count { #expect(throws: KeyError.self) { try open(Array(blob.prefix(count))) } }
        #expect(throws: KeyError.self) { try open(blob + [0]) }
        #expect(throws: KeyError.self) { try open([UInt8](repeating: 1, count: CiphertextBlob.maximumBytes + 1)) }
    }
}

@Suite struct KeyErrorTests {
    @Test func everyCodeHasItsNameOnTheWire() {
        let names: [KeyError.Code: String] = [
            .accessDenied: "AccessDeniedException", .alreadyExists: "AlreadyExistsException", .disabled: "DisabledException",
            .dryRun: "DryRunOperationException", .incorrectKey: "IncorrectKeyException", .internal: "KMSInternalException",
            .invalidAliasName: "InvalidAliasNameException", .invalidArn: "InvalidArnException",
            .invalidCiphertext: "InvalidCiphertextException", .invalidGrantID: "InvalidGrantIdException",
            .invalidGrantToken: "InvalidGrantTokenException", .invalidKeyUsage: "InvalidKeyUsageException",
            .invalidMarker: "InvalidMarkerException", .invalidState: "KMSInvalidStateException",
            .limitExceeded: "LimitExceededException", .malformedPolicy: "MalformedPolicyDocumentException",
            .notFound: "NotFoundException", .tag: "TagException", .unsupported: "UnsupportedOperationException",
            .validation: "ValidationException",
        ]
        #expect(names.count == KeyError.Code.allCases.count)
        for code in KeyError.Code.allCases { #expect(code.wireName == names[code]) }
        #expect(KeyError.Code.accessDenied.trailName == "AccessDenied")
        #expect(KeyError.Code.allCases.filter { $0.httpStatus == 500 } == [.internal])
    }
}

@Suite struct ListMarkerTests {
    @Test func aMarkerGoesOnOnlyInItsOwnListing() throws {
        let marker = ListMarker.text(after: "k", parameters: ["ListKeys", customer])
        #expect(try ListMarker.read(marker, parameters: ["ListKeys", customer]) == "k")
        #expect(try ListMarker.read(nil, parameters: ["ListKeys", customer]) == "")
        for other in [["ListKeys", stranger], ["ListAliases", customer], ["ListKeys" + customer]] {
            #expect(throws: KeyError.self) { try ListMarker.read(marker, parameters: other) }
        }
        for text in ["", "x", "AAAA"] {
            #expect(throws: KeyError.self) { try ListMarker.read(text, parameters: ["ListKeys", customer]) }
        }
    }
}

@Suite struct GrantRequestTests {
    private let grantee = "arn:aws:iam::123456789012:role/r"

    private func refusalOf(_ body: () throws -> Void) -> KeyError.Code? {
        do { try body() } catch { return (error as? KeyError)?.code }
        return nil
    }

    @Test(arguments: [(7, true), (8, true), (9, false)])
    func constraintsHaveEightPairsAtMost(pairs: Int, accepted: Bool) {
        let context = Dictionary(uniqueKeysWithValues: (0..<pairs).map { ("k\($0)", "v") })
        #expect(
            (refusalOf { _ = try GrantRequest(grantee: grantee, operations: [.decrypt], constraints: .init(subset: context)) }
                == nil) == accepted)
    }

    @Test(arguments: [(383, true), (384, true), (385, false)])
    func pairsHaveTheirLength(characters: Int, accepted: Bool) {
        let long = String(repeating: "x", count: characters)
        for pair in [[long: "v"], ["k": long]] {
            #expect(
                (refusalOf { _ = try GrantRequest(grantee: grantee, operations: [.decrypt], constraints: .init(equals: pair)) }
                    == nil) == accepted)
        }
    }

    @Test func whatDoesNotFitIsRefused() {
        #expect(refusalOf { _ = try GrantRequest(grantee: grantee, operations: []) } == .validation)
        #expect(refusalOf { _ = try GrantRequest(grantee: grantee, operations: [.sign]) } == .validation)
        #expect(
            refusalOf {
                _ = try GrantRequest(grantee: grantee, operations: [.decrypt], constraints: .init(subset: ["a": "1", "A": "1"]))
            } == .validation)
        for principal in ["*", "forecast.amazonaws.com", "123456789012", "arn:aws:iam::123456789012:group/g", "arn:aws:s3:::b"] {
            #expect(refusalOf { _ = try GrantRequest(grantee: principal, operations: [.decrypt]) } == .invalidArn, "\(principal)")
        }
    }
}

@Suite struct VaultTests {
    @Test func materialOpensOnlyUnderItsOwnNames() async throws {
        let folder = try Folder()
        let vault = try await folder.vault()
        try await vault.createShredSecret(named: key.resourceName)
        let id = [UInt8](repeating: 1, count: 32)
        let sealed = try await vault.sealMaterial(SecretBytes.random(count: 32), id: id, version: 1, of: key)
        #expect(sealed.count == 72)
        _ = try await vault.openMaterial(sealed, id: id, version: 1, of: key)

        await #expect(throws: VaultError.self) { _ = try await vault.openMaterial(sealed, id: id, version: 2, of: key) }
        await #expect(throws: VaultError.self) {
            _ = try await vault.openMaterial(sealed, id: [UInt8](repeating: 2, count: 32), version: 1, of: key)
        }
        let other = ARN(service: "kms", region: region, account: stranger, resource: key.resource)
        await #expect(throws: VaultError.self) { _ = try await vault.openMaterial(sealed, id: id, version: 1, of: other) }
    }

    @Test func aDestroyedShredSecretTakesTheMaterialWithIt() async throws {
        let folder = try Folder()
        let vault = try await folder.vault()
        try await vault.createShredSecret(named: key.resourceName)
        let sealed = try await vault.sealMaterial(SecretBytes.random(count: 32), id: [], version: 1, of: key)
        try await vault.destroyShredSecret(named: key.resourceName)
        try await vault.destroyShredSecret(named: key.resourceName)
        let error = await #expect(throws: VaultError.self) {
            _ = try await vault.openMaterial(sealed, id: [], version: 1, of: key)
        }
        #expect(error?.code == .absent)
        // Nor is there ever another secret of that name.
        let again = await #expect(throws: VaultError.self) { try await vault.createShredSecret(named: key.resourceName) }
        #expect(again?.code == .absent)
    }

    @Test func filesAreTheOwnersAlone() async throws {
        let folder = try Folder()
        let vault = try await folder.vault()
        try await vault.createShredSecret(named: "k")
        for file in ["/root.key", "/vault/k.shred"] {
            let mode = try FileManager.default.attributesOfItem(atPath: folder.path + file)[.posixPermissions] as? Int
            #expect(mode == 0o600, "\(file)")
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: folder.path + "/vault/k.shred")
        let error = await #expect(throws: VaultError.self) { _ = try await vault.shredSecret(named: "k") }
        #expect(error?.code == .unsafe)
    }

    @Test func aSecretIsNeverOverwritten() async throws {
        let folder = try Folder()
        let vault = try await folder.vault()
        try await vault.createShredSecret(named: "k")
        let error = await #expect(throws: VaultError.self) { try await vault.createShredSecret(named: "k") }
        #expect(error?.code == .alreadyExists)
    }

    @Test func aMissingRootKeyIsNotReplaced() async throws {
        let folder = try Folder()
        let error = await #expect(throws: VaultError.self) {
            _ = try await Vault.open(directory: folder.path + "/v", rootKeyFile: folder.path + "/r", createRootKey: false)
        }
        #expect(error?.code == .absent)
    }

    @Test func secretsOfAccessKeysOpenUnderTheirOwnLabelAlone() async throws {
        let folder = try Folder()
        let sealer = VaultSealer(vault: try await folder.vault())
        let secret = Array("wJalr".utf8).withUnsafeBytes { Secrets.SharedSecret(SecretBytes(copying: $0)) }
        let sealed = try await sealer.seal(secret, label: "access-key/A")
        let opened = try await sealer.open(sealed, label: "access-key/A")
        #expect(try opened.withUnsafeBytes { Array($0) } == Array("wJalr".utf8))
        await #expect(throws: VaultError.self) { _ = try await sealer.open(sealed, label: "access-key/B") }
    }

    @Test func aGrantTokenIsOnlyEverOurs() async throws {
        let folder = try Folder()
        let vault = try await folder.vault()
        let tokens = try GrantTokens(vault: vault)
        let id = KeyGrant.newID()
        let token = tokens.issue(for: id)
        #expect(try tokens.grantID(of: token) == id)
        #expect(tokens.issue(for: id) != token)
        var altered = Array(token.utf8)
        altered[10] = altered[10] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
        for wrong in ["", "token", String(decoding: altered, as: UTF8.self), String(repeating: "A", count: 8193)] {
            let error = #expect(throws: KeyError.self) { try tokens.grantID(of: wrong) }
            #expect(error?.code == .invalidGrantToken)
        }
    }
}
