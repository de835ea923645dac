import Foundation
import Glibc

/// The tools that are measured beside ours, where they are installed.
struct SealingPeers: Sendable {
    let cp: String?
    let cat: String?
    let openssl: String?
    let age: String?
    let ageKeygen: String?
    /// An interpreter that can import the AWS Encryption SDK.
    let python: String?
    /// By name, for the record.
    let versions: [String: String]

    static func find(python: String?, folder: BenchFolder) async throws -> SealingPeers {
        let (openssl, age, keygen) = (onPath("openssl"), onPath("age"), onPath("age-keygen"))
        var versions: [String: String] = [:]
        let asked: [(name: String, program: String?, arguments: [String])] = [
            ("cp", onPath("cp"), ["--version"]), ("openssl", openssl, ["version"]),
            ("age", keygen == nil ? nil : age, ["--version"]), ("aws-encryption-sdk", python, ["-c", EncryptionSDKPeer.version]),
        ]
        for (name, program, arguments) in asked {
            guard let program else { continue }
            guard let line = await firstLine(program, arguments, folder) else { continue }
            // `OpenSSL 3.0.22 25 Aug 2026 (Library: …)`; age prints its number alone.
            let version = line.prefix { $0 != "(" || name == "cp" }.trimmingCharacters(in: .whitespaces)
            versions[name] = version.first?.isNumber == true ? "\(name) \(version)" : version
        }
        if let python, versions["aws-encryption-sdk"] == nil {
            throw CommandFailure("\(python) cannot import the AWS Encryption SDK.", MessageExit.noInput)
        }
        return SealingPeers(
            cp: onPath("cp"), cat: onPath("cat"), openssl: versions["openssl"] == nil ? nil : openssl,
            age: versions["age"] == nil ? nil : age, ageKeygen: keygen, python: python, versions: versions)
    }

    private static func onPath(_ program: String) -> String? {
        let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
        return folders.map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
    }

    private static func firstLine(_ program: String, _ arguments: [String], _ folder: BenchFolder) async -> String? {
        let output = folder.file("version")
        let process = MeasuredProcess(
            executable: program, arguments: arguments, output: .file(output), log: folder.file("log"))
        guard (try? await process.run()) != nil, let text = try? String(contentsOfFile: output, encoding: .utf8) else {
            return nil
        }
        return text.split(separator: "\n").first.map(String.init)
    }
}

/// The official SDK, driven by a program of a few lines. It measures itself behind its imports, which take longer than
/// most messages.
enum EncryptionSDKPeer {
    static let version = """
        from importlib.metadata import version
        import aws_cryptographic_material_providers
        print("aws-encryption-sdk", version("aws-encryption-sdk"))
        """

    /// Arguments: seal or open, key file, input, output, frame length, suite. Prints wall and CPU seconds.
    static let program = """
        import resource, sys, time
        import aws_encryption_sdk as sdk
        from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
        from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
        from aws_cryptographic_material_providers.mpl.models import AesWrappingAlg, CreateRawAesKeyringInput
        what, key, source, target, frame, suite = sys.argv[1:]
        keyring = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig()).create_raw_aes_keyring(
            CreateRawAesKeyringInput(key_namespace="forecastle", key_name="raw-key", wrapping_key=open(key, "rb").read(),
                                     wrapping_alg=AesWrappingAlg.ALG_AES256_GCM_IV12_TAG16))
        client = sdk.EncryptionSDKClient(commitment_policy=sdk.CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
        options = {"algorithm": getattr(sdk.Algorithm, suite), "frame_length": int(frame)} if what == "seal" else {}
        used = lambda: sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
        wall, cpu = time.monotonic(), used()
        with open(source, "rb") as plain, open(target, "wb") as out:
            with client.stream(mode="e" if what == "seal" else "d", source=plain, keyring=keyring, **options) as stream:
                while chunk := stream.read(int(frame)):
                    out.write(chunk)
        print(time.monotonic() - wall, used() - cpu)
        """

    static let committed = "AES_256_GCM_HKDF_SHA512_COMMIT_KEY"
    static let committedAndSigned = "AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384"
}
