import AWSProtocol
import AuditTrail
import Crypto
import Foundation

/// Gathers one account's events into log files in CloudTrail's layout: a file holds events of one region and five minutes, and
/// no more than its bounds.
struct LogFileWriter {
    static let recordsMax = 5000
    static let bytesMax = 8 << 20
    static let secondsPerFile = 300.0

    private struct Batch {
        let region: String
        let start: Date
        var texts: [String] = []
        var bytes = 0
    }

    let folder: String
    let account: String
    private(set) var files = 0
    private var batch: Batch?

    init(folder: String, account: String) {
        self.folder = folder
        self.account = account
    }

    /// Events come by time.
    mutating func add(_ entry: TrailEntry) throws {
        // It becomes the name of a folder.
        guard !entry.region.isEmpty, entry.region.utf8.allSatisfy({ $0.isRegionCharacter }) else {
            throw CommandFailure("An event has a region that is none; see forecastle audit verify.", AuditExit.altered)
        }
        let seconds = entry.stored.eventTime.timeIntervalSince1970
        let start = Date(timeIntervalSince1970: (seconds / Self.secondsPerFile).rounded(.down) * Self.secondsPerFile)
        if let batch,
            batch.region != entry.region || batch.start != start || batch.texts.count == Self.recordsMax
                || batch.bytes >= Self.bytesMax
        {
            try finish()
        }
        var batch = self.batch ?? Batch(region: entry.region, start: start)
        batch.texts.append(entry.stored.text)
        batch.bytes += entry.stored.text.utf8.count
        self.batch = batch
    }

    mutating func finish() throws {
        guard let batch else { return }
        self.batch = nil
        let content = Array(#"{"Records":[\#(batch.texts.joined(separator: ","))]}"#.utf8)
        let stamp = AWSTimestamp.basic(batch.start)
        let day = "\(stamp.prefix(4))/\(stamp.dropFirst(4).prefix(2))/\(stamp.dropFirst(6).prefix(2))"
        let directory = "\(folder)/AWSLogs/\(account)/CloudTrail/\(batch.region)/\(day)"
        // 16 letters and digits as CloudTrail has them, of the content here: the same events have the same name.
        let unique = Hex.encode(SHA256.hash(data: content).prefix(8))
        let name = "\(account)_CloudTrail_\(batch.region)_\(stamp.prefix(13))Z_\(unique).json.gz"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try DataFolder(folder).write(Data(try GzipFile.compress(content)), to: "\(directory)/\(name)", mode: 0o640)
        files += 1
    }
}

extension UInt8 {
    fileprivate var isRegionCharacter: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
            || self == UInt8(ascii: "-")
    }
}
