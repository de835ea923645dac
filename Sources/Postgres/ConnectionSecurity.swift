/// Whether a connection may be made over the network that it would go over, and what libpq's complaints about TLS mean. Pure.
enum ConnectionSecurity {
    static let required = "verify-full"

    /// Why a connection with these options, as libpq has them in effect, must not be made: it would leave this machine without knowing
    /// whom it reaches. Nil where it may.
    static func objection(to options: [String: String]) -> String? {
        let mode = options["sslmode"] ?? ""
        guard mode != required, !hosts(options).allSatisfy(isHere) else { return nil }
        return "The server is on another machine and sslmode is \(mode.isEmpty ? "not set" : mode): set sslmode=verify-full, and "
            + "sslrootcert to the file of its authority."
    }

    /// An address wins over a name; both may be lists.
    private static func hosts(_ options: [String: String]) -> [Substring] {
        let lists = [options["hostaddr"], options["host"]].compactMap { $0 }.filter { !$0.isEmpty }
        return lists.first?.split(separator: ",", omittingEmptySubsequences: false) ?? [""]
    }

    /// A Unix socket, or loopback. libpq takes an empty entry for its default socket.
    private static func isHere(_ host: Substring) -> Bool {
        if host.isEmpty || host.hasPrefix("/") || host.hasPrefix("@") || host == "localhost" || host == "::1" { return true }
        let octets = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return octets.count == 4 && octets[0] == 127 && octets.allSatisfy { $0 != nil }
    }

    private static let meanings: [(sign: String, meaning: String)] = [
        (
            "certificate verify failed",
            "the server's certificate has expired, or the authority in sslrootcert did not sign it"
        ),
        ("does not match host name", "the server's certificate is for other names than host; issue it with that one"),
        ("server does not support SSL", "the server speaks no TLS; turn ssl on there"),
        ("root certificate file", "sslrootcert names no file; sslmode=verify-full needs the authority's certificate"),
        ("private key file", "sslkey can't be used: it must be there, with mode 0600"),
        ("certificate file", "sslcert can't be used"),
        ("alert certificate expired", "the server refused our certificate (sslcert): it has expired"),
        ("alert unknown ca", "the server refused our certificate (sslcert): another authority signed it"),
    ]

    /// What went wrong with TLS, in words that quote nothing; nil where it was something else.
    static func explanation(of text: String) -> String? {
        meanings.first { text.contains($0.sign) }?.meaning
    }
}
