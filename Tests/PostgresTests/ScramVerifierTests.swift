import Crypto
import Foundation
import Postgres
import PostgresTesting
import Testing

struct ScramVerifierTests {
    @Test(arguments: ["", "seven77", String(repeating: "a", count: 257), "with a blank", "ümlaut_äöü", "line\nend_"])
    func passwordsThatWouldNeedNormalisingAreRefused(_ password: String) {
        #expect(throws: PostgresError.self) { try ScramVerifier(password: Array(password.utf8)) }
    }

    @Test(arguments: [8, 256]) func lengthsAtTheBoundsAreTaken(_ length: Int) throws {
        let text = try ScramVerifier(password: Array(repeating: UInt8(ascii: "x"), count: length)).text
        #expect(text.wholeMatch(of: /SCRAM-SHA-256\$4096:[A-Za-z0-9+\/]{22}==\$[A-Za-z0-9+\/]{43}=:[A-Za-z0-9+\/]{43}=/) != nil)
    }

    /// RFC 7677, section 3: both keys have to fit the exchange that it shows.
    @Test func itFitsTheExchangeOfTheRFC() throws {
        let salt = try #require(Data(base64Encoded: "W22ZaJ0SNY7soEsUEjb6gQ=="))
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
        let message = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=\(nonce),s=\(salt.base64EncodedString()),i=4096,c=biws,r=\(nonce)"
        let keys = ScramVerifier(password: Array("pencil".utf8), salt: Array(salt)).text.split(separator: "$")[2].split(
            separator: ":")
        let stored = try #require(Data(base64Encoded: String(keys[0])))
        let server = try #require(Data(base64Encoded: String(keys[1])))
        func code(_ key: Data) -> Data { Data(HMAC<SHA256>.authenticationCode(for: Data(message.utf8), using: .init(data: key))) }
        #expect(code(server).base64EncodedString() == "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
        // The client's proof is its key, covered with the code of the stored one.
        let proof = try #require(Data(base64Encoded: "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="))
        let clientKey = Data(zip(proof, code(stored)).map { $0 ^ $1 })
        #expect(Data(SHA256.hash(data: clientKey)) == stored)
    }

    /// PostgreSQL stores what it is given: a text that it did not know for one would be hashed as a password.
    @Test(.enabled(if: TestDatabase.isAvailable)) func theServerTakesItAsItsOwn() async throws {
        try await TestDatabase.with(migrations: nil) { pool in
            let role = "t_scram_\(UUID().uuidString.prefix(8).lowercased())"
            let verifier = try ScramVerifier(password: Array("correct-horse".utf8))
            try await pool.execute("CREATE ROLE \(raw: role) LOGIN PASSWORD '\(raw: verifier.text)'")
            let stored = try await pool.query("SELECT rolpassword FROM pg_authid WHERE rolname = \(role)::name")
            #expect(try stored[0].get(0, as: String.self) == verifier.text)
            try await pool.execute("DROP ROLE \(raw: role)")
        }
    }
}
