import Envelope
import Testing

/// Streams seal and open frames where they stand.
@Suite struct InPlaceCipherTests {
    @Test(arguments: everyBackend) func sealingAndOpeningInPlaceAreTheSame(backend: any CipherBackend) throws {
        let cipher = try pattern(32, seed: 5).withUnsafeBytes { try backend.makeCipher(key: $0) }
        let (nonce, associated) = ([UInt8](1...12), [UInt8](1...40))
        for count in [0, 1, 15, 16, 17, 255, 4096, 65_537] {
            let plaintext = pattern(count)
            var apart = [UInt8](repeating: 0, count: count + 16)
            var inPlace = plaintext + [UInt8](repeating: 0, count: 16)
            try nonce.withUnsafeBytes { nonce in
                try associated.withUnsafeBytes { associated in
                    func open() throws {
                        try inPlace.withUnsafeMutableBytes { bytes in
                            try cipher.open(
                                UnsafeRawBufferPointer(bytes), nonce: nonce, associatedData: associated,
                                into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<count]))
                        }
                    }
                    try apart.withUnsafeMutableBytes { sealed in
                        try plaintext.withUnsafeBytes {
                            try cipher.seal($0, nonce: nonce, associatedData: associated, into: sealed)
                        }
                    }
                    try inPlace.withUnsafeMutableBytes { bytes in
                        try cipher.seal(
                            UnsafeRawBufferPointer(rebasing: bytes[..<count]), nonce: nonce, associatedData: associated,
                            into: bytes)
                    }
                    #expect(inPlace == apart, "\(count) bytes")
                    let sealed = inPlace
                    try open()
                    #expect(Array(inPlace[..<count]) == plaintext)
                    inPlace = sealed
                    inPlace[count] ^= 1
                    #expect(throws: EnvelopeError.authentication) { try open() }
                    if count >= 16 { #expect(Array(inPlace[..<count]) != plaintext) }
                }
            }
        }
    }
}
