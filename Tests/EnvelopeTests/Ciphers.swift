import Envelope

/// What every test of ciphers runs over.
let everyBackend: [any CipherBackend] = [BoringSSLBackend(), try! OpenSSLBackend()]

/// Every backend with every other, and with itself.
let backendPairs: [(any CipherBackend, any CipherBackend)] = everyBackend.flatMap { one in everyBackend.map { (one, $0) } }

extension FrameCipher {
    func seal(_ plaintext: [UInt8], nonce: [UInt8], associatedData: [UInt8] = []) throws -> [UInt8] {
        var sealed = [UInt8](repeating: 0, count: plaintext.count + 16)
        try plaintext.withUnsafeBytes { plaintext in
            try nonce.withUnsafeBytes { nonce in
                try associatedData.withUnsafeBytes { associatedData in
                    try sealed.withUnsafeMutableBytes {
                        try seal(plaintext, nonce: nonce, associatedData: associatedData, into: $0)
                    }
                }
            }
        }
        return sealed
    }

    /// Also answers what the buffer holds where opening throws.
    func open(
        _ sealed: [UInt8], nonce: [UInt8], associatedData: [UInt8] = []
    ) -> (plaintext: [UInt8], error: (any Error)?) {
        var plaintext = [UInt8](repeating: 0, count: sealed.count - 16)
        do {
            try sealed.withUnsafeBytes { sealed in
                try nonce.withUnsafeBytes { nonce in
                    try associatedData.withUnsafeBytes { associatedData in
                        try plaintext.withUnsafeMutableBytes {
                            try open(sealed, nonce: nonce, associatedData: associatedData, into: $0)
                        }
                    }
                }
            }
        } catch {
            return (plaintext, error)
        }
        return (plaintext, nil)
    }
}

extension CipherBackend {
    func cipher(key: [UInt8]) throws -> any FrameCipher { try key.withUnsafeBytes { try makeCipher(key: $0) } }

    func derive(
        _ hash: HashAlgorithm, key: [UInt8], salt: [UInt8], info: [UInt8], count: Int
    ) throws -> [UInt8] {
        var output = [UInt8](repeating: 0, count: count)
        try key.withUnsafeBytes { key in
            try salt.withUnsafeBytes { salt in
                try output.withUnsafeMutableBytes {
                    try deriveHKDF(hash, inputKey: key, salt: salt, outputs: [(info, $0)])
                }
            }
        }
        return output
    }

    func digest(_ hash: HashAlgorithm, of parts: [[UInt8]]) throws -> [UInt8] {
        let digest = try makeDigest(hash)
        for part in parts { try part.withUnsafeBytes { try digest.update($0) } }
        return try digest.finish()
    }
}
