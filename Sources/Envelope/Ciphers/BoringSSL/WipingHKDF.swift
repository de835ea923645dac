import Crypto
import FoundationEssentials
import Secrets

/// HKDF (RFC 5869) over swift-crypto's hash functions.
///
/// swift-crypto has an HKDF, but its HMAC leaves the pseudorandom key, from which every key of the message follows, in
/// freed arrays. Here it stays on the stack, which is overwritten; the hash functions wipe their own state.
enum WipingHKDF<Hash: HashFunction> {
    static func derive(
        inputKey: UnsafeRawBufferPointer, salt: UnsafeRawBufferPointer,
        outputs: [(info: [UInt8], bytes: UnsafeMutableRawBufferPointer)]
    ) {
        withScratch(Hash.Digest.byteCount) { pseudorandomKey in
            authenticate([inputKey], key: salt, into: pseudorandomKey)
            for output in outputs {
                output.info.withUnsafeBytes { expand(UnsafeRawBufferPointer(pseudorandomKey), info: $0, into: output.bytes) }
            }
        }
    }

    /// T(i) = HMAC(key, T(i−1) · info · i), one after the other, cut to length.
    private static func expand(
        _ key: UnsafeRawBufferPointer, info: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) {
        withScratch(Hash.Digest.byteCount) { block in
            var written = 0
            var counter: UInt8 = 1
            while written < output.count {
                let previous = UnsafeRawBufferPointer(rebasing: block[..<(written == 0 ? 0 : block.count)])
                withUnsafeBytes(of: counter) { authenticate([previous, info, $0], key: key, into: block) }
                let taken = min(block.count, output.count - written)
                UnsafeMutableRawBufferPointer(rebasing: output[written..<written + taken])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: block[..<taken]))
                written += taken
                counter &+= 1
            }
        }
    }

    /// HMAC (RFC 2104). `code` may lie over one of `parts`.
    private static func authenticate(
        _ parts: [UnsafeRawBufferPointer], key: UnsafeRawBufferPointer, into code: UnsafeMutableRawBufferPointer
    ) {
        withScratch(Hash.blockByteCount) { pad in
            if key.count > pad.count {
                var hash = Hash()
                hash.update(bufferPointer: key)
                write(hash.finalize(), to: pad)
            } else {
                pad.copyMemory(from: key)
            }
            for index in pad.indices { pad[index] ^= 0x36 }
            var inner = Hash()
            inner.update(bufferPointer: UnsafeRawBufferPointer(pad))
            for part in parts { inner.update(bufferPointer: part) }
            // From the inner pad straight to the outer one.
            for index in pad.indices { pad[index] ^= 0x36 ^ 0x5C }
            var outer = Hash()
            outer.update(bufferPointer: UnsafeRawBufferPointer(pad))
            write(inner.finalize(), to: code)
            outer.update(bufferPointer: UnsafeRawBufferPointer(rebasing: code[..<Hash.Digest.byteCount]))
            write(outer.finalize(), to: code)
        }
    }

    private static func write(_ digest: consuming Hash.Digest, to target: UnsafeMutableRawBufferPointer) {
        digest.withUnsafeBytes { target.copyMemory(from: $0) }
    }

    /// Zeroes on the stack, overwritten at the end.
    private static func withScratch(_ count: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void) {
        withUnsafeTemporaryAllocation(byteCount: count, alignment: 16) { scratch in
            scratch.initializeMemory(as: UInt8.self, repeating: 0)
            body(scratch)
            Secrets.wipe(scratch)
        }
    }
}
