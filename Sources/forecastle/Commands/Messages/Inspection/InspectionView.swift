import AWSProtocol
import Envelope
import Foundation

/// An inspection for people and for programs. Whatever comes from the message is made harmless for the terminal.
struct InspectionView {
    private let inspection: MessageInspection
    private let table: FrameTable?

    /// A signature's length stands before it in the footer.
    private static let signatureLengthBytes = 2

    init(_ inspection: MessageInspection, isWhole: Bool) {
        self.inspection = inspection
        table = inspection.layout.map { FrameTable(layout: $0, isWhole: isWhole) }
    }

    /// `{version, suite, messageId, encryptionContext, encryptedDataKeys [{providerId, providerInfo, keyArn, keyName,
    /// ciphertextBytes}], contentType, frameBytes, headerBytes, headerDigest, messageBytes, frames, plaintextBytes, signed,
    /// footerBytes, problems, notices, frameTable [{number, offset, bytes, plaintextOffset, plaintextBytes, final}]}`; hexadecimal where bytes.
    func writeJSON(_ write: (String) -> Void) {
        var object = JSONObject()
        if let header = inspection.header {
            object = header.json
            object["contentType"] = header.contentType == .framed ? "framed" : "unframed"
            object["frameBytes"] = .int(Int64(header.frameBytes))
            object["headerBytes"] = .int(Int64(header.byteCount))
            object["headerDigest"] = .string(Hex.encode(header.digest))
            object["signed"] = .bool(header.suite.isSigned)
        }
        let layout = inspection.layout
        object["messageBytes"] = inspection.messageBytes.map { .int(Int64($0)) } ?? .null
        object["frames"] = layout.map { .int(Int64($0.frameCount)) } ?? .null
        object["plaintextBytes"] = (layout?.plaintextBytes ?? inspection.unframedBytes).map { .int(Int64($0)) } ?? .null
        object["footerBytes"] = inspection.signatureBytes.map { .int(Int64($0 + Self.signatureLengthBytes)) } ?? .null
        object["problems"] = .strings(inspection.problems)
        object["notices"] = .strings(inspection.notices)
        write(String(object.serializedString.dropLast()) + ",\"frameTable\":[")
        var isFirst = true
        if let table {
            for frame in table.frames.joined() {
                write((isFirst ? "" : ",") + table.json(frame).serializedString)
                isFirst = false
            }
        }
        write("]}\n")
    }

    func writeText(_ write: (String) -> Void) {
        var rows = headerRows
        if let layout = inspection.layout {
            rows.append(("frames", "\(layout.frameCount), the final one of \(layout.finalFrameBytes) bytes"))
            rows.append(("plaintext", "\(layout.plaintextBytes) bytes, in a message of \(layout.messageBytes)"))
        } else if let bytes = inspection.messageBytes {
            if let content = inspection.unframedBytes { rows.append(("plaintext", "\(content) bytes in one piece")) }
            rows.append(("message", "\(bytes) bytes"))
        }
        if let bytes = inspection.signatureBytes { rows.append(("signature", "\(bytes) bytes, not verified here")) }
        rows += inspection.notices.map { ("note", $0) }
        rows += inspection.problems.map { ("wrong", $0) }
        let width = rows.map(\.0.count).max() ?? 0
        for (name, value) in rows {
            write(name.padding(toLength: width + 2, withPad: " ", startingAt: 0) + value + "\n")
        }
        guard let table else { return }
        write("\n")
        table.write { write($0 + "\n") }
    }

    private var headerRows: [(String, String)] {
        guard let header = inspection.header else { return [] }
        var rows = [
            ("format", "AWS Encryption SDK message, version \(header.version), suite \(header.suite)\(traits(of: header))"),
            ("message id", Hex.encode(header.messageID)),
        ]
        for (key, value) in header.context.sorted(by: { $0.key < $1.key }) {
            rows.append(("context", "\(TerminalText.printable(key)) = \(TerminalText.printable(value))"))
        }
        for key in header.encryptedDataKeys { rows.append(("data key", "\(key.title) (\(key.ciphertext.count) bytes)")) }
        rows.append(("header", "\(header.byteCount) bytes, SHA-256 \(Hex.encode(header.digest))"))
        if header.contentType == .framed { rows.append(("frame length", "\(header.frameBytes) bytes")) }
        return rows
    }

    private func traits(of header: MessageHeader) -> String {
        (header.suite.isCommitting ? ", commits to its key" : ", no key commitment")
            + (header.suite.isSigned ? ", signed" : "") + (header.contentType == .unframed ? ", unframed" : "")
    }
}
