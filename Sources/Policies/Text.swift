// Comparing texts of policies. Swift's `==` and `Dictionary` take canonically equivalent strings for equal, so a
// request could pass for a value it is not; every comparison in this room is one of UTF-8 bytes.

/// Whether two texts have the same bytes.
func sameBytes(_ a: some StringProtocol, _ b: some StringProtocol) -> Bool {
    a.utf8.elementsEqual(b.utf8)
}

extension Unicode.Scalar {
    /// The scalar with A–Z lowered and nothing else touched, so that no other letter turns into an ASCII one.
    var asciiLowercased: Unicode.Scalar {
        ("A"..."Z").contains(self) ? Unicode.Scalar(UInt8(ascii: self) | 0x20) : self
    }
}

extension String {
    /// The letters that a policy can be written in, ASCII's and Latin-1's, in lower case; nothing else is touched.
    var latin1Lowercased: String {
        var lowered = UnicodeScalarView()
        for scalar in unicodeScalars {
            let isUpper = (0xC0...0xDE).contains(scalar.value) && scalar.value != 0xD7
            lowered.append(isUpper ? Unicode.Scalar(UInt8(scalar.value) | 0x20) : scalar.asciiLowercased)
        }
        return String(lowered)
    }
}
