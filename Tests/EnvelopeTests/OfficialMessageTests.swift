import Envelope
import Secrets
import Testing

/// A message that the AWS Encryption SDK for Python (4.0.7) sealed: three data keys (of another name, of the right name under
/// another key, ours); 256 bytes in frames of 128, which it ends in an empty final frame.
private let officialMessage = """
    0204780a49e87084dff6bba7ddac070d890a6ca416eaed4873acb89e7227c0ca1cf69b000f00020001610002c3a4000162000132000300
    0a666f7265636173746c6500196f74686572000000800000000cf07bafc4825329bfdb568efc0030a79c5f79c25fd7245b47d1d215568c
    320ab3c4e2fd9dc8f2d28deb2129f791d11d11a362adeca570cac7e147ee774c10000a666f7265636173746c65001b7261772d6b657900
    0000800000000c10e8a94d62d8fd8cb5c594f30030ab21db7adc1d193a714ca4a1f7e2bbb966eb55d8a00540de7e49c9798b0e1d797b13
    0a4d5ef02d104930a1da95fc1fab000a666f7265636173746c65001b7261772d6b6579000000800000000c3b6d3e729303b644a73a07ff
    003075e17125dacf1b346263c3f5edd7c30bdbdf4165eaa25755534e21f5de3aee2613f426ca8a240019d4976aa9b79141f00200000080
    fc5365017422ef99fa4188f7941e2d2c18aaae78c6902e4bf6bc96db0a42e2925d20faa2d62272ef798d40c93c0378d900000001000000
    000000000000000001335fe0026e249b82ed06fdf9dc58f70332ed8261af38cd984648e7ec9810a458f8e82b57d8a132cc4e0b6385bd1a
    22d928d60b0df8687934a27cc62d7af700e496d7a895d27395ce62546defa5acea5a544e41a22c95e43860b0187bfa29b1c908d49c9b6d
    5271f6ea9ab4d9ec8b7b65a91c578fe5143a6cd13c833872319ec79f1e04556a308986307b5be6ccc6d71b000000020000000000000000
    000000029f656b989ba8dda303d8044c2d400aab9704c1d6fca1180fd61602bc2d9a7e0130c66240b07800976fb075a582b05eb7f62ccb
    72c19afd9efd3d815b5ccf19a0c7c7d49c43ee9a0989f3728aff6c2c886fc8396d81f6846a771c5fd50517e7fce8cb35bc9a866773d3a0
    dfc8926669181d2e2fdce23738316070beabcabebb7af86e86d69f1351ff54a3a2d34a3fc914ffffffff00000003000000000000000000
    000003000000007f58e95c6b15ec139b2af146f6c0b716
    """

@Suite struct OfficialMessageTests {
    private var message: [UInt8] {
        let digits = Array(officialMessage.utf8.filter { $0 > 0x20 })
        return stride(from: 0, to: digits.count, by: 2).map {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)!
        }
    }

    private func provider() throws -> RawAESKeyring {
        let key = SharedSecret(SecretBytes(count: 32) { $0.copyBytes(from: 0..<32) })
        return try RawAESKeyring(namespace: "forecastle", name: "raw-key", wrappingKey: key)
    }

    @Test func messageOfTheOfficialSDKOpens() async throws {
        let opened = try await MessageOpener.openMessage(message, provider: try provider())
        #expect(opened.plaintext == (0..<256).map { UInt8($0 % 251) })
        #expect(opened.header.context == ["a": "ä", "b": "2"])
        #expect(opened.header.encryptedDataKeys.count == 3)
        #expect(opened.header.frameBytes == 128)
    }

    @Test func itsEmptyFinalFrameIsVerifiedToo() async throws {
        for index in message.indices.suffix(40) {
            var altered = message
            altered[index] ^= 1
            #expect(await openingError(altered, try provider()) == .authentication)
        }
    }
}
