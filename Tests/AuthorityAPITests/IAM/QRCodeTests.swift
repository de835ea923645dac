import AWSProtocol
import AuthorityAPI
import Crypto
import FoundationEssentials
import Testing

@Suite struct QRCodeTests {
    static let link =
        "otpauth://totp/Forecastle:ann%40123456789012?secret=" + String(repeating: "ABCDEFGH", count: 8)
        + "&issuer=Forecastle"

    /// Made by qrcodegen 1.8, another implementation, with mask 3: SHA-256 of the rows of 0 and 1.
    @Test(arguments: [
        ("HELLO forecastle", 2, "28f3fbf4be022fdbe6db0a24bdb9ac0d034f4c7e6d8a99e56ef30d50f5a3ae97"),
        (link, 8, "f9dd30ef83a1f51673514091aa52b591fb052ab92f76ffa784b67d2290e103b1"),
        (String(repeating: "x", count: 412), 15, "38245aa486329291c6bc45e2ffe630fbd660cebeab4da771385f8c88f2742a84"),
    ])
    func codesAreThoseOfAnotherImplementation(text: String, version: Int, hash: String) throws {
        let code = try #require(QRCode(text, mask: 3))
        #expect(code.version == version && code.size == version * 4 + 17)
        let rows = (0..<code.size).map { y in (0..<code.size).map { code.isDark(x: $0, y: y) ? "1" : "0" }.joined() }
        let digest = SHA256.hash(data: Array(rows.joined(separator: "\n").utf8))
        #expect(Hex.encode(digest) == hash)
    }

    @Test func aTextThatIsTooLongHasNone() {
        #expect(QRCode(String(repeating: "x", count: 413)) == nil)
    }

    @Test func theImageSaysItsSize() throws {
        let code = try #require(QRCode(Self.link))
        let image = PNGImage.encode(code)
        let side = (code.size + 2 * PNGImage.quietModules) * PNGImage.pixelsPerModule
        #expect(Array(image.prefix(8)) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
        #expect(image[16..<24].reduce(0) { $0 << 8 | Int($1) } == side << 32 | side)
        #expect(Array(image.suffix(12)) == [0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82])
    }
}
