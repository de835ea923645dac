import AuditTrail
import Crypto
import FoundationEssentials
import Logging
import Postgres

/// A directory of exported heads for one test, with its keys.
struct HeadsFolder {
    let path = FileManager.default.temporaryDirectory.path + "/forecastle-heads-\(UUID().uuidString)"
    let signer: HeadSigner
    let verifier: HeadVerifier

    static func with<R>(_ body: (HeadsFolder) async throws -> R) async throws -> R {
        let folder = try HeadsFolder()
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        return try await body(folder)
    }

    private init() throws {
        let key = Curve25519.Signing.PrivateKey()
        signer = HeadSigner(privateKey: key)
        verifier = try HeadVerifier(publicKeys: [Array(key.publicKey.rawRepresentation)])
    }

    func exporter(_ pool: PostgresPool, pace: ExportPace = ExportPace(), interval: Duration = .seconds(3600)) -> HeadsExporter {
        HeadsExporter(
            pool: pool, pace: pace, directory: path, signer: signer, interval: interval,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    func read() async throws -> HeadsEvidence { try await HeadsReader.read(directory: path, verifier: verifier) }

    var files: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    }

    func contents(_ file: String) throws -> [UInt8] { Array(FileManager.default.contents(atPath: "\(path)/\(file)") ?? Data()) }

    func put(_ bytes: [UInt8], in file: String) throws { try Data(bytes).write(to: URL(filePath: "\(path)/\(file)")) }

    /// Lines without their ends.
    func lines(_ file: String) throws -> [String] {
        String(decoding: try contents(file), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    func put(lines: [String], in file: String) throws { try put(Array(lines.map { $0 + "\n" }.joined().utf8), in: file) }
}
