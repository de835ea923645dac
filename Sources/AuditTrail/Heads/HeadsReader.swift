import FoundationEssentials

/// Reads the directory of exported heads. Its call blocks.
package enum HeadsReader {
    /// A file and what its name says.
    private struct File {
        let name: String
        let writer: String
        let number: Int

        init?(name: String) {
            guard name.hasSuffix(HeadsFile.suffix) else { return nil }
            let stem = name.dropLast(HeadsFile.suffix.count)
            // 16 characters of time, a dash, 36 of the writer, a dash, the number.
            guard stem.utf8.count >= 60, let number = Int(stem.dropFirst(54)) else { return nil }
            self.name = name
            self.number = number
            writer = String(stem.dropFirst(17).prefix(36))
        }
    }

    /// Reads all files, or with `newestOnly` the last of each writer, which is enough to know the newest heads.
    package static func read(
        directory: String, verifier: HeadVerifier, newestOnly: Bool = false
    ) async throws -> HeadsEvidence {
        try await HeadsQueue.run { try readNow(directory, verifier, newestOnly) }
    }

    private static func readNow(_ directory: String, _ verifier: HeadVerifier, _ newestOnly: Bool) throws -> HeadsEvidence {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
        } catch {
            throw AuditError(.headsUnusable, "The directory of exported heads cannot be read.")
        }
        var writers: [String: [File]] = [:]
        for file in names.compactMap({ File(name: $0) }) { writers[file.writer, default: []].append(file) }
        var evidence = HeadsEvidence()
        var lines: [HeadsLine] = []
        for files in writers.values {
            let files = files.sorted { $0.number < $1.number }
            lines += read(newestOnly ? Array(files.suffix(1)) : files, directory, verifier, &evidence)
        }
        // Those of one writer keep their order where times are equal.
        lines.sort { ($0.time, $0.number) < ($1.time, $1.number) }
        for line in lines { evidence.add(line) }
        return evidence
    }

    /// One writer's files: numbered without gaps, each line with the digest of the one before.
    private static func read(
        _ files: [File], _ directory: String, _ verifier: HeadVerifier, _ evidence: inout HeadsEvidence
    ) -> [HeadsLine] {
        var lines: [HeadsLine] = []
        var previous: (file: Int, number: Int64, digest: [UInt8])?
        for file in files {
            guard let data = FileManager.default.contents(atPath: "\(directory)/\(file.name)") else {
                evidence.findings.append(.file(file.name, nil, "cannot be read"))
                continue
            }
            if let previous, previous.file + 1 != file.number {
                evidence.findings.append(.file(file.name, nil, "does not follow the writer's file before it: one is missing"))
            }
            var texts = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            if let last = texts.popLast(), !last.isEmpty { evidence.tornLines += 1 }
            for (index, bytes) in texts.enumerated() {
                let text = String(decoding: bytes, as: UTF8.self)
                guard let line = HeadsLine(text, verifiedBy: verifier), line.writer.uuidString.lowercased() == file.writer
                else {
                    evidence.findings.append(.file(file.name, index + 1, "is not a line that a known key signed"))
                    continue
                }
                // The first file that is there may follow others that were put away; the first line ever follows none.
                let follows =
                    previous.map { line.number == $0.number + 1 && line.previous == $0.digest }
                    ?? (line.number > 1 || line.previous == HeadsLine.noPrevious)
                if !follows {
                    evidence.findings.append(.file(file.name, index + 1, "does not follow the line before it"))
                }
                previous = (file.number, line.number, HeadsLine.digest(of: text))
                lines.append(line)
            }
        }
        return lines
    }
}
