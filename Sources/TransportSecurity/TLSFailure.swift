import NIOSSL

/// What a failed handshake means and what to do about it, in words.
package enum TLSFailure {
    /// Nil for an error that has nothing to do with TLS.
    package static func explanation(of error: any Error) -> String? {
        if let error = error as? NIOSSLExtraError, error == .failedToValidateHostname {
            return "the server's certificate is for other names than the one that was called; issue it with --name, or call "
                + "the server by a name that it has"
        }
        if error is NIOSSLError || error is BoringSSLError || error is NIOSSLExtraError {
            return explanation(of: "\(error)")
        }
        return nil
    }

    private static let meanings: [(sign: String, meaning: String)] = [
        (
            "CERTIFICATE_VERIFY_FAILED",
            "the server's certificate has expired, or none of the authorities that are believed here signed it; check the "
                + "file of authorities (tls.ca_file, that of an S3, AWS_CA_BUNDLE) and renew the server's certificate"
        ),
        ("WRONG_VERSION_NUMBER", plain), ("HTTP_REQUEST", plain),
        ("UNSUPPORTED_PROTOCOL", "the other side speaks no TLS 1.2 or newer"),
        ("CERTIFICATE_EXPIRED", "the other side refused our certificate: it has expired; renew it"),
        ("UNKNOWN_CA", "the other side refused our certificate: it believes other authorities (its tls.ca_file)"),
        ("CERTIFICATE_REQUIRED", "the other side wants a certificate, and none is set here"),
        ("ALERT_BAD_CERTIFICATE", "the other side refused our certificate"),
        ("ALERT_CERTIFICATE_UNKNOWN", "the other side refused our certificate"),
    ]

    private static let plain = "the server does not speak TLS; call it by http://, or turn its TLS on"

    private static func explanation(of text: String) -> String {
        // The sign of a refused certificate of the server is part of no other one.
        meanings.first { text.contains($0.sign) }?.meaning ?? "the TLS handshake failed"
    }
}
