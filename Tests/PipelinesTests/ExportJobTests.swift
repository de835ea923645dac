import Artifacts
import Catalog
import Envelope
import Forecasting
import Foundation
import Jobs
import Pipelines
import PostgresTesting
import Testing
import TimeSeries

@Suite(.enabled(if: TestDatabase.isAvailable))
struct ExportJobTests {
    private static let stamp = "weekly_2020-04-25T22-30-23Z"

    private func lines(_ bytes: [UInt8]?) throws -> [String] {
        String(decoding: try #require(bytes), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test func forecastGoesIntoOneFileAPartEachWithItsHeader() async throws {
        try await ExportWorld.with { world in
            let (resource, _) = try await world.export(.forecastExport)
            #expect(resource.status == .active, "\(resource.message ?? "")")
            let files = try world.files()
            #expect(files.keys.sorted() == ["out/\(Self.stamp)_part0.csv", "out/\(Self.stamp)_part1.csv"])
            for (number, item) in ["a", "b"].enumerated() {
                let lines = try lines(files["out/\(Self.stamp)_part\(number).csv"])
                let forecast = world.trained[number].fitted.forecast(types: ExportWorld.types, grid: world.grid)
                #expect(lines.count == 1 + ExportWorld.horizon)
                #expect(lines[0] == "item_id,date,p10,p50,p90")
                let first = forecast.values.map { "\($0[0])" }.joined(separator: ",")
                #expect(lines[1] == "\(item),\(TimestampStyle.isoZ.string(forecast.timestamps[0])),\(first)")
            }
            #expect(world.world.authority.grants.isEmpty)
        }
    }

    @Test func backtestsGoIntoTwoFolders() async throws {
        try await ExportWorld.with { world in
            let (resource, _) = try await world.export(.backtestExport, to: "s3://data")
            #expect(resource.status == .active, "\(resource.message ?? "")")
            let files = try world.files()
            #expect(
                files.keys.sorted()
                    == ["accuracy-metrics-values", "forecasted-values"].flatMap { folder in
                        [0, 1].map { "\(folder)/\(Self.stamp)_part\($0).csv" }
                    })
            let values = try lines(files["forecasted-values/\(Self.stamp)_part1.csv"])
            #expect(values.count == 1 + 2 * ExportWorld.horizon)
            #expect(values[1].hasPrefix("b,"))
            let metrics = try lines(files["accuracy-metrics-values/\(Self.stamp)_part0.csv"])
            #expect(metrics.map { $0.split(separator: ",")[1] } == ["backtest_window", "Summary", "Computed", "Computed"])
        }
    }

    @Test(arguments: [false, true]) func partThatWasPublishedBeforeItsAttemptEndedIsDone(sealed: Bool) async throws {
        try await ExportWorld.with { world in
            let faults = ExportFaults(2)
            let (resource, key) = try await world.export(
                .backtestExport, sealed: sealed,
                faults: FaultPoints { if $0 == .taskBeforeFinish { try faults.fail() } })
            #expect(resource.status == .active, "\(resource.message ?? "")")
            #expect(faults.left == 0)
            let files = try world.files()
            #expect(files.count == 4)
            guard sealed else { return }
            for (name, message) in files {
                #expect(name.hasSuffix(".csv.encrypted"))
                let (plaintext, header) = try await world.open(message, key)
                #expect(try lines(plaintext)[0].hasPrefix("item_id,"))
                #expect(header.context[ArtifactContextKey.resource] == key.resource)
                #expect(header.context[ArtifactContextKey.kind] == "export")
            }
            let ordinals = try await files.values.asyncMap {
                try await world.open($0, key).header.context[ArtifactContextKey.ordinal]
            }
            #expect(Set(ordinals) == ["0", "1", "2", "3"])
        }
    }

    @Test(arguments: [false, true]) func fileOfTheSameNameIsNeverReplaced(sealed: Bool) async throws {
        try await ExportWorld.with { world in
            let name = "\(Self.stamp)_part1.csv" + (sealed ? ".encrypted" : "")
            try world.world.put("somebody else's", name)
            let (resource, _) = try await world.export(.forecastExport, to: "s3://data/", sealed: sealed)
            #expect(resource.status == .createFailed)
            #expect(resource.message?.hasPrefix("Destination: \(name) exists already") == true, "\(resource.message ?? "")")
            #expect(try world.files()[name] == Array("somebody else's".utf8))
            #expect(world.world.authority.grants.isEmpty)
        }
    }

    @Test func messageOfAnotherExportIsNotTakenForOurs() async throws {
        try await ExportWorld.with { world in
            let (first, _) = try await world.export(.forecastExport, sealed: true)
            #expect(first.status == .active, "\(first.message ?? "")")
            let (second, _) = try await world.export(.forecastExport, sealed: true)
            #expect(second.status == .createFailed)
            #expect(second.message?.contains("exists already") == true, "\(second.message ?? "")")
        }
    }

    @Test(arguments: [
        ("s3://nowhere/out", "there is no bucket nowhere"), ("s3://data/a//b", "prefix has an empty segment"),
        ("s3://data/" + String(repeating: "x/", count: 500), "object key is longer than 1024 bytes"),
        ("s3://data/.forecastle-uploads", "this name is the store's own"),
    ])
    func placeThatCanHoldNoFilesIsNamed(path: String, reason: String) async throws {
        try await ExportWorld.with { world in
            let (resource, _) = try await world.export(.forecastExport, to: path)
            #expect(resource.status == .createFailed)
            let message = resource.message ?? ""
            #expect(message.hasPrefix("Destination: \(reason) ("), "\(message.prefix(100))")
            #expect(try world.files().isEmpty)
        }
    }

    @Test func grantThatIsRevokedWhenAllPartsAreWrittenFailsTheExport() async throws {
        try await ExportWorld.with { world in
            let authority = world.world.authority
            let parts = ExportFaults(2)
            let (resource, _) = try await world.export(
                .forecastExport, sealed: true,
                faults: FaultPoints { point in
                    if point == .manifestWritten { authority.revoke(ExportWorld.exportKey) }
                    if point == .taskBeforeFinish { parts.count() }
                })
            #expect(parts.left == 0)
            #expect(resource.status == .createFailed)
            #expect(resource.message?.contains("AccessDenied") == true, "\(resource.message ?? "")")
        }
    }

    @Test func fileThatIsRemovedMeanwhileFailsTheExport() async throws {
        try await ExportWorld.with { world in
            let file = world.world.folder.appending(path: "buckets/data/out/\(Self.stamp)_part0.csv")
            let (resource, _) = try await world.export(
                .forecastExport,
                faults: FaultPoints { point in
                    if point == .taskBeforeFinish { try? FileManager.default.removeItem(at: file) }
                })
            #expect(resource.status == .createFailed)
            #expect(resource.message?.contains("was removed or replaced") == true, "\(resource.message ?? "")")
        }
    }

    /// Also where the right was there when the export was accepted.
    @Test(arguments: [false, true])
    func roleThatMayNotWriteTheFileFailsTheExportAndNothingIsWritten(sealed: Bool) async throws {
        try await ExportWorld.with { world in
            world.world.authority.deny("s3:PutObject", within: "out/")
            let (resource, _) = try await world.export(.forecastExport, sealed: sealed)
            #expect(resource.status == .createFailed)
            #expect(resource.message?.contains("denies s3:PutObject on out/") == true, "\(resource.message ?? "")")
            #expect(try world.files().keys.filter { $0.hasPrefix("out/") }.isEmpty)
        }
    }
}

extension Collection where Self: Sendable {
    fileprivate func asyncMap<R>(_ body: (Element) async throws -> R) async throws -> [R] {
        var results: [R] = []
        for element in self { results.append(try await body(element)) }
        return results
    }
}
