import AuditTrail
import Crypto
import FoundationEssentials
import Testing

/// What the directory of exported heads shows of its own treatment. No database.
@Suite struct HeadsFileTests {
    private let shards = [UUID(), UUID()]

    private func head(_ shard: Int, _ sequence: Int64) -> AuditHead {
        AuditHead(shard: shards[shard], sequence: sequence, hash: Array(SHA256.hash(data: Array("\(shard) \(sequence)".utf8))))
    }

    /// Five lines in one file, or in files of one line each.
    private func write(_ folder: HeadsFolder, fileBytes: Int = HeadsFile.maximumBytes) throws {
        let writer = HeadsWriter(directory: folder.path, signer: folder.signer, fileBytes: fileBytes)
        for number in 1...5 {
            let head = head(0, Int64(number) * 10)
            try writer.write(
                nil, changed: [head], all: [head, self.head(1, 7)], shards: 2,
                time: Date(timeIntervalSince1970: 1_800_000_000 + Double(number)))
        }
    }

    @Test func whatWasWrittenIsReadAgain() async throws {
        try await HeadsFolder.with { folder in
            try write(folder)
            let evidence = try await folder.read()
            #expect(evidence.findings == [] && evidence.lines == 5)
            #expect(evidence.lastTime == Date(timeIntervalSince1970: 1_800_000_005))
            #expect(Set(evidence.newest) == [head(0, 50), head(1, 7)])
            #expect(evidence.points(of: shards[0]).map(\.head.sequence) == [10, 20, 30, 40, 50])
        }
    }

    @Test func filesFollowEachOtherAndEachBeginsWithAllHeads() async throws {
        try await HeadsFolder.with { folder in
            try write(folder, fileBytes: 1)
            #expect(try folder.files.count == 5)
            for file in try folder.files { #expect(try folder.lines(file).count == 1) }
            let evidence = try await folder.read()
            #expect(evidence.findings == [])
            let newest = try await HeadsReader.read(directory: folder.path, verifier: folder.verifier, newestOnly: true)
            #expect(newest.lines == 1 && Set(newest.newest) == Set(evidence.newest) && newest.findings == [])
        }
    }

    @Test func oldFilesMayBePutAwayButNoneInTheMiddle() async throws {
        try await HeadsFolder.with { folder in
            try write(folder, fileBytes: 1)
            let files = try folder.files
            try FileManager.default.removeItem(atPath: "\(folder.path)/\(files[0])")
            #expect(try await folder.read().findings == [])
            try FileManager.default.removeItem(atPath: "\(folder.path)/\(files[2])")
            let findings = try await folder.read().findings
            #expect(findings.map(\.kind) == [.exportAltered, .exportAltered])
            #expect(findings.allSatisfy { $0.file == files[3] })
        }
    }

    @Test(arguments: 0..<5) func aChangedByteOfALineIsFound(line: Int) async throws {
        try await HeadsFolder.with { folder in
            try write(folder)
            let file = try folder.files[0]
            var lines = try folder.lines(file)
            lines[line] = lines[line].replacing("\"shards\":2", with: "\"shards\":3")
            try folder.put(lines: lines, in: file)
            let finding = try #require(try await folder.read().findings.first)
            #expect(finding.kind == .exportAltered && finding.line == line + 1 && finding.file == file)
        }
    }

    @Test func aLineTakenOutOrDoubledOrMovedIsFound() async throws {
        try await HeadsFolder.with { folder in
            try write(folder)
            let file = try folder.files[0]
            let lines = try folder.lines(file)
            let alterations: [([String], Int)] = [
                ([lines[0], lines[2], lines[3], lines[4]], 2), ([lines[0], lines[1], lines[1], lines[2]], 3),
                ([lines[0], lines[2], lines[1], lines[3]], 2), (Array(lines.dropFirst()), 0),
            ]
            for (altered, line) in alterations {
                try folder.put(lines: altered, in: file)
                let findings = try await folder.read().findings
                // A missing beginning looks like files that were put away.
                #expect(findings.first?.line == (line == 0 ? nil : line))
            }
        }
    }

    @Test func whoHasNotTheKeyCannotWriteAnExport() async throws {
        try await HeadsFolder.with { folder in
            let stranger = HeadSigner(privateKey: Curve25519.Signing.PrivateKey())
            let writer = HeadsWriter(directory: folder.path, signer: stranger)
            try writer.write(nil, changed: [head(0, 1)], all: [head(0, 1)], shards: 1, time: Date())
            let evidence = try await folder.read()
            #expect(evidence.findings.map(\.kind) == [.exportAltered] && evidence.newest == [])
        }
    }

    @Test func halfALineAtTheEndIsWhatACrashLeaves() async throws {
        try await HeadsFolder.with { folder in
            try write(folder)
            let file = try folder.files[0]
            let bytes = try folder.contents(file)
            for cut in [1, 2, 40] {
                try folder.put(Array(bytes.dropLast(cut)), in: file)
                let evidence = try await folder.read()
                #expect(evidence.findings == [] && evidence.tornLines == 1 && evidence.lines == 4)
            }
        }
    }

    @Test func oneExportedPlaceWithTwoHashesIsARewrittenDatabase() async throws {
        try await HeadsFolder.with { folder in
            try write(folder)
            var other = head(0, 30)
            other.hash[0] ^= 1
            let writer = HeadsWriter(directory: folder.path, signer: folder.signer)
            try writer.write(nil, changed: [other], all: [other], shards: 1, time: Date(timeIntervalSince1970: 1_800_000_010))
            let findings = try await folder.read().findings
            #expect(findings.map(\.kind) == [.rewritten] && findings.first?.sequence == 30)
        }
    }

    @Test func pointsOfAShardAreThinnedAtTheirBound() {
        var evidence = HeadsEvidence()
        let count = HeadsEvidence.maximumPoints + 1
        for number in 1...count {
            evidence.add(
                HeadsLine(
                    kind: .changes, writer: shards[1], number: Int64(number), time: Date(timeIntervalSince1970: Double(number)),
                    previous: HeadsLine.noPrevious, previousMilliseconds: 0, shards: 1,
                    heads: [AuditHead(shard: shards[0], sequence: Int64(number), hash: HeadsLine.noPrevious)]))
            if number == count - 1 { #expect(evidence.points(of: shards[0]).count == HeadsEvidence.maximumPoints) }
        }
        #expect(evidence.points(of: shards[0]).count <= HeadsEvidence.maximumPoints / 2 + 1)
        #expect(evidence.newest.map(\.sequence) == [Int64(count)])
    }

    @Test func theBookNeverForgetsAHead() {
        var book = HeadBook()
        let first = book.look(at: [head(0, 5), head(1, 2)])
        #expect(first.changed == [head(0, 5), head(1, 2)] && first.lost == [])
        book.took(first.changed)
        #expect(book.look(at: [head(0, 5), head(1, 2)]) == HeadBook.Look())
        let moved = book.look(at: [head(0, 6), head(1, 2)])
        #expect(moved.changed == [head(0, 6)])
        book.took(moved.changed)
        // One went back, one is gone; told once.
        let lost = book.look(at: [head(0, 4)])
        #expect(lost.changed == [] && Set(lost.lost) == [head(0, 6), head(1, 2)])
        #expect(book.look(at: [head(0, 4)]) == HeadBook.Look())
        #expect(book.all == [head(0, 6), head(1, 2)])
    }
}
