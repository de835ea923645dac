import Envelope
import Foundation
import Secrets

/// Writes messages of kinds that the package only reads (old suites, unframed content, IVs of other rules), by its own
/// reading of the specification: only the primitives are shared with the package.
struct MessageWriter {
    var suite: AlgorithmSuite
    /// 0: unframed.
    var frameBytes = 16
    var context: EncryptionContext = ["a": "b"]
    /// IV by number; 0 is the header's.
    var nonce: (Int) -> [UInt8] = { [UInt8](repeating: 0, count: 11) + [UInt8($0)] }
    /// Length of the data key, where it is not the suite's.
    var dataKeyBytes: Int?
    var reserved: [UInt8] = [0, 0, 0, 0, 12]
    var type: UInt8 = 0x80

    private let backend = BoringSSLBackend()

    init(_ suite: UInt16, frameBytes: Int = 16) {
        self.suite = AlgorithmSuite(rawValue: suite)
        self.frameBytes = frameBytes
    }

    private var isVersion1: Bool { suite.rawValue >> 8 < 4 }

    func write(_ plaintext: [UInt8], _ keyring: RawAESKeyring) throws -> [UInt8] {
        var context = context
        let signer = try suite.signatureCurve.map { try backend.makeSigner($0) }
        if let signer { context["aws-crypto-public-key"] = Data(signer.compressedPublicKey).base64EncodedString() }
        let dataKey = try backend.randomSecret(dataKeyBytes ?? suite.dataKeyBytes)
        let messageID = try backend.randomBytes(isVersion1 ? 16 : 32)
        let (key, commitment) = try derive(dataKey, messageID)
        let cipher = try key.withUnsafeBytes { try backend.makeCipher(key: $0) }

        var body: [UInt8] = isVersion1 ? [1, type] : [2]
        body += big(suite.rawValue) + messageID
        var pairs: [UInt8] = context.isEmpty ? [] : big(UInt16(context.count))
        for (name, value) in context.sorted(by: { $0.key < $1.key }) {
            pairs += big(UInt16(name.utf8.count)) + Array(name.utf8) + big(UInt16(value.utf8.count)) + Array(value.utf8)
        }
        body += big(UInt16(pairs.count)) + pairs
        let wrapped = try keyring.wrapKey(dataKey, context: context)
        body += big(UInt16(1))
        for part in [Array(wrapped.providerID.utf8), wrapped.providerInfo, wrapped.ciphertext] {
            body += big(UInt16(part.count)) + part
        }
        body.append(frameBytes == 0 ? 1 : 2)
        if isVersion1 { body += reserved }
        body += big(UInt32(frameBytes)) + commitment
        var message = body
        if isVersion1 { message += nonce(0) }
        let headerNonce = isVersion1 ? nonce(0) : [UInt8](repeating: 0, count: 12)
        message += try seal([], cipher, nonce: headerNonce, associated: body)
        message += try content(plaintext, cipher, messageID)
        if let signer, let curve = suite.signatureCurve {
            let digest = try backend.makeDigest(curve.hash)
            try message.withUnsafeBytes { try digest.update($0) }
            let signature = try signer.sign(digest: try digest.finish())
            message += big(UInt16(signature.count)) + signature
        }
        return message
    }

    private func content(_ plaintext: [UInt8], _ cipher: any FrameCipher, _ messageID: [UInt8]) throws -> [UInt8] {
        func associated(_ text: String, _ number: Int, _ count: Int) -> [UInt8] {
            messageID + Array(text.utf8) + big(UInt32(number)) + big(UInt64(count))
        }
        guard frameBytes > 0 else {
            let sealed = try seal(
                plaintext, cipher, nonce: nonce(1),
                associated: associated("AWSKMSEncryptionClient Single Block", 1, plaintext.count))
            return nonce(1) + big(UInt64(plaintext.count)) + sealed
        }
        var (bytes, rest, number): ([UInt8], ArraySlice<UInt8>, Int) = ([], plaintext[...], 1)
        while rest.count >= frameBytes {
            bytes += big(UInt32(number)) + nonce(number)
            bytes += try seal(
                Array(rest.prefix(frameBytes)), cipher, nonce: nonce(number),
                associated: associated("AWSKMSEncryptionClient Frame", number, frameBytes))
            (rest, number) = (rest.dropFirst(frameBytes), number + 1)
        }
        bytes += big(UInt32.max) + big(UInt32(number)) + nonce(number) + big(UInt32(rest.count))
        return try bytes
            + seal(
                Array(rest), cipher, nonce: nonce(number),
                associated: associated("AWSKMSEncryptionClient Final Frame", number, rest.count))
    }

    private func derive(_ dataKey: SharedSecret, _ messageID: [UInt8]) throws -> (key: [UInt8], commitment: [UInt8]) {
        let secret = try dataKey.withUnsafeBytes { Array($0) }
        if isVersion1 {
            guard suite.rawValue > 0x0078 else { return (secret, []) }
            let hash: HashAlgorithm = suite.rawValue >= 0x0346 ? .sha384 : .sha256
            return (try hkdf(hash, secret, [], big(suite.rawValue) + messageID, suite.dataKeyBytes), [])
        }
        return (
            try hkdf(.sha512, secret, messageID, big(suite.rawValue) + Array("DERIVEKEY".utf8), 32),
            try hkdf(.sha512, secret, messageID, Array("COMMITKEY".utf8), 32)
        )
    }

    private func hkdf(
        _ hash: HashAlgorithm, _ secret: [UInt8], _ salt: [UInt8], _ info: [UInt8], _ count: Int
    ) throws -> [UInt8] {
        var output = [UInt8](repeating: 0, count: count)
        try output.withUnsafeMutableBytes { output in
            try secret.withUnsafeBytes { secret in
                try salt.withUnsafeBytes { salt in
                    try backend.deriveHKDF(hash, inputKey: secret, salt: salt, outputs: [(info, output)])
                }
            }
        }
        return output
    }

    private func seal(
        _ plaintext: [UInt8], _ cipher: any FrameCipher, nonce: [UInt8], associated: [UInt8]
    ) throws -> [UInt8] {
        var sealed = [UInt8](repeating: 0, count: plaintext.count + 16)
        try sealed.withUnsafeMutableBytes { sealed in
            try plaintext.withUnsafeBytes { plaintext in
                try nonce.withUnsafeBytes { nonce in
                    try associated.withUnsafeBytes { associated in
                        try cipher.seal(plaintext, nonce: nonce, associatedData: associated, into: sealed)
                    }
                }
            }
        }
        return sealed
    }

    private func big<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }
}
