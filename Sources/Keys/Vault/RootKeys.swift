import Crypto
import Secrets
import Synchronization

/// The versions of the root key that this process has open, and the one it seals under.
///
/// A version that turns up in sealed bytes and is not known yet is looked for at its source: another process may have rotated.
/// What was opened once stays open until the process ends.
final class RootKeys: Sendable {
    private struct State {
        var open: [Int: Secrets.SharedSecret]
        var sealing: Int
    }

    let source: any RootKeySource
    private let state: Mutex<State>

    /// Opens every version that can be read; throws the first fault where none can.
    static func open(_ source: any RootKeySource) async throws -> RootKeys {
        var open: [Int: Secrets.SharedSecret] = [:]
        var failure: any Error = VaultError(.absent, "There is no root key.")
        for version in try await source.versions() {
            do {
                open[version] = try await source.read(version)
            } catch {
                if open.isEmpty { failure = error }
            }
        }
        // Until the database says which is the current one.
        guard let first = open.keys.min() else { throw failure }
        return RootKeys(source: source, State(open: open, sealing: first))
    }

    private init(source: any RootKeySource, _ state: State) {
        self.source = source
        self.state = Mutex(state)
    }

    var sealingVersion: Int { state.withLock { $0.sealing } }
    var openVersions: [Int] { state.withLock { $0.open.keys.sorted() } }
    var openSecrets: [Secrets.SharedSecret] { state.withLock { Array($0.open.values) } }

    /// Seals under this version from now on; throws where this host does not have it.
    func seal(under version: Int) async throws {
        guard version != sealingVersion else { return }
        _ = try await secret(version)
        state.withLock { $0.sealing = version }
    }

    func secret(_ version: Int) async throws -> Secrets.SharedSecret {
        if let known = state.withLock({ $0.open[version] }) { return known }
        let secret: Secrets.SharedSecret
        do {
            secret = try await source.read(version)
        } catch let error as VaultError where error.code == .absent {
            throw VaultError(.unknownRootKey, "Version \(version) of the root key is not on this host.")
        }
        return state.withLock { state in
            if let other = state.open[version] {
                secret.wipe()
                return other
            }
            state.open[version] = secret
            return secret
        }
    }

    /// 16 bytes that tell root keys apart and say nothing of them.
    func fingerprint(_ version: Int) async throws -> [UInt8] {
        try await secret(version).withUnsafeBytes { root in
            HKDF<SHA512>.deriveKey(
                inputKeyMaterial: SymmetricKey(data: root), info: Array("forecastle root key fingerprint".utf8),
                outputByteCount: 16
            ).withUnsafeBytes { Array($0) }
        }
    }
}
