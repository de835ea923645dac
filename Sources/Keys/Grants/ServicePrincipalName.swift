/// The name under which a service acts, such as `forecast.amazonaws.com`; never an ARN.
///
/// Source: KMS's model, ServicePrincipalType.
package enum ServicePrincipalName {
    package static let characters = 1...128
    package static let pattern = #"^([A-Za-z0-9\-]+)\.([A-Za-z0-9\-]+)(\.[A-Za-z0-9\-]+)+$"#

    /// Three labels or more, of letters, digits and hyphens.
    package static func isValid(_ text: String) -> Bool {
        let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return characters.contains(text.utf8.count) && labels.count >= 3
            && labels.allSatisfy { label in
                !label.isEmpty
                    && label.allSatisfy {
                        (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D
                    }
            }
    }

    static func invalid(_ member: String) -> KeyError {
        KeyError(.validation, "\(member) does not name a service.")
    }
}
