import COpenSSL
import Secrets

/// One `EVP_CIPHER_CTX` with its key schedule. Freed contexts are cleansed by OpenSSL.
final class OpenSSLCipherContext: @unchecked Sendable {
    // Sendable: used by one thread at a time, the one that took it out of its cipher's pool.
    private let handle: OpaquePointer

    /// `EVP_…Update` counts in `Int32`; longer content is given in several parts, each a multiple of a block.
    private static let maximumUpdateBytes = 1 << 30

    init(algorithm: OpaquePointer, key: UnsafeRawBufferPointer) throws {
        guard let handle = EVP_CIPHER_CTX_new() else { throw EnvelopeError.openSSL("making a cipher context") }
        self.handle = handle
        // AES-GCM runs the block cipher forwards both ways: one key schedule serves to seal and to open.
        guard EVP_EncryptInit_ex2(handle, algorithm, key.baseAddress, nil, nil) == 1 else {
            throw EnvelopeError.openSSL("setting a key")
        }
    }

    deinit { EVP_CIPHER_CTX_free(handle) }

    func seal(
        _ plaintext: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer, associatedData: UnsafeRawBufferPointer,
        into sealed: UnsafeMutableRawBufferPointer
    ) throws {
        var last: Int32 = 0
        let tag = sealed.baseAddress! + plaintext.count
        let done =
            EVP_EncryptInit_ex2(handle, nil, nil, nonce.baseAddress, nil) == 1
            && update(associatedData, into: nil, EVP_EncryptUpdate)
            && update(plaintext, into: sealed.baseAddress, EVP_EncryptUpdate)
            && EVP_EncryptFinal_ex(handle, tag, &last) == 1
            && EVP_CIPHER_CTX_ctrl(handle, EVP_CTRL_AEAD_GET_TAG, Int32(AlgorithmSuite.tagBytes), tag) == 1
        guard done else { throw EnvelopeError.openSSL("sealing a frame") }
    }

    func open(
        _ sealed: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer, associatedData: UnsafeRawBufferPointer,
        into plaintext: UnsafeMutableRawBufferPointer
    ) throws {
        let content = UnsafeRawBufferPointer(rebasing: sealed[..<plaintext.count])
        let tag = UnsafeMutableRawPointer(mutating: sealed.baseAddress! + plaintext.count)
        // Where there is no plaintext, the last step still wants a place to write nothing to.
        var (last, nothing): (Int32, UInt8) = (0, 0)
        let verified =
            EVP_DecryptInit_ex2(handle, nil, nil, nonce.baseAddress, nil) == 1
            && EVP_CIPHER_CTX_ctrl(handle, EVP_CTRL_AEAD_SET_TAG, Int32(AlgorithmSuite.tagBytes), tag) == 1
            && update(associatedData, into: nil, EVP_DecryptUpdate)
            && update(content, into: plaintext.baseAddress, EVP_DecryptUpdate)
            && EVP_DecryptFinal_ex(handle, &nothing, &last) == 1
        guard verified else {
            // OpenSSL decrypts before it verifies: nobody may see what an altered frame decrypts to.
            Secrets.wipe(plaintext)
            OpenSSLErrors.clear()
            throw EnvelopeError.authentication
        }
    }

    private typealias Update = (
        OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<Int32>?, UnsafePointer<UInt8>?, Int32
    ) -> Int32

    /// Associated data where `output` is `nil`.
    private func update(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer?, _ call: Update) -> Bool {
        var taken = 0
        while taken < input.count {
            let count = min(input.count - taken, Self.maximumUpdateBytes)
            var written: Int32 = 0
            let from = input.baseAddress! + taken
            let done = call(
                handle, (output.map { $0 + taken })?.assumingMemoryBound(to: UInt8.self), &written,
                from.assumingMemoryBound(to: UInt8.self), Int32(count))
            guard done == 1, Int(written) == count else { return false }
            taken += count
        }
        return true
    }
}
