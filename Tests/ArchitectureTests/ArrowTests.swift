import Foundation
import Testing

/// The plan of the house as a table: each room, its level, and the rooms and packages it may import.
/// `Secrets`, `Telemetry` and `CLinux` may be imported wherever they are needed.
private let plan: [String: (level: Int, rooms: Set<String>, packages: Set<String>)] = [
    "CLibpq": (0, [], []),
    "CLibrdkafka": (0, [], []),
    "CLinux": (0, [], []),
    "COpenSSL": (0, [], []),
    "CZlib": (0, [], []),
    "Secrets": (0, [], []),
    "Telemetry": (0, [], ["Logging", "Metrics", "CoreMetrics"]),

    "AWSProtocol": (1, [], ["Crypto"]),
    "AWSClients": (
        1, ["AWSProtocol", "TransportSecurity"],
        ["AsyncHTTPClient", "Logging", "NIOCore", "NIOHTTP1", "NIOFoundationCompat", "NIOSSL"]
    ),
    "AWSServer": (
        1, ["AWSProtocol", "TransportSecurity"],
        [
            "Hummingbird", "HummingbirdCore", "HTTPTypes", "Logging", "NIOCore", "NIOHPACK", "NIOHTTP1", "NIOHTTP2", "NIOPosix",
            "NIOHTTPTypes", "NIOHTTPTypesHTTP1", "NIOTLS", "ServiceLifecycle", "NIOExtras",
        ]
    ),
    "Certificates": (1, ["AWSProtocol"], ["Crypto", "SwiftASN1", "X509"]),
    "Envelope": (1, ["COpenSSL"], ["Crypto"]),
    "FaultInjection": (1, [], ["Logging", "NIOCore", "NIOPosix", "ServiceLifecycle"]),
    "Freshness": (1, ["Postgres"], ["Logging", "ServiceLifecycle"]),
    "Kafka": (1, ["CLibrdkafka"], ["Logging", "ServiceLifecycle"]),
    "ObjectStore": (1, ["AWSClients", "AWSProtocol"], ["Crypto", "Logging"]),
    "Outbox": (1, ["Postgres", "Kafka"], ["Logging", "ServiceLifecycle", "Metrics"]),
    "Policies": (1, ["AWSProtocol"], []),
    "Postgres": (1, ["CLibpq"], ["Crypto", "Logging", "ServiceLifecycle"]),
    "PostgresTesting": (1, ["Postgres"], ["Logging", "Crypto", "ServiceLifecycle"]),
    "ServiceTesting": (1, [], ["ServiceLifecycle"]),
    "TimeSeries": (1, [], []),
    "TransportSecurity": (1, ["AWSProtocol", "Certificates"], ["Logging", "NIOCore", "NIOPosix", "NIOSSL"]),

    "Accounts": (2, ["AWSProtocol", "AuditTrail", "Freshness", "Policies", "Postgres"], ["Crypto", "Logging"]),
    "ArtifactsTesting": (2, ["AWSProtocol", "Envelope", "EnvelopeKMS"], []),
    "Artifacts": (
        2, ["AWSProtocol", "AWSClients", "Envelope", "EnvelopeKMS", "ObjectStore"], ["Crypto", "Logging", "ServiceLifecycle"]
    ),
    "AuditTrail": (2, ["AWSProtocol", "Freshness", "Postgres"], ["Crypto", "Logging", "Metrics", "ServiceLifecycle"]),
    "Catalog": (2, ["AWSProtocol", "Postgres"], []),
    "Dials": (2, ["AWSProtocol", "AWSServer"], ["Logging", "ServiceLifecycle"]),
    "EnvelopeFuzzing": (2, ["Envelope"], []),
    "EnvelopeKMS": (2, ["AWSClients", "AWSProtocol", "Envelope"], []),
    "Forecasting": (2, ["TimeSeries"], []),
    "Jobs": (2, ["Outbox", "Postgres"], ["Crypto", "Logging", "Metrics", "ServiceLifecycle"]),
    "Keys": (2, ["AWSProtocol", "Accounts", "AuditTrail", "Freshness", "Policies", "Postgres"], ["Crypto", "Logging"]),

    "JobsSimulation": (3, ["Artifacts", "Jobs", "Outbox"], []),
    "Pipelines": (
        3,
        [
            "AWSClients", "AWSProtocol", "Artifacts", "Catalog", "Envelope", "EnvelopeKMS", "Forecasting", "Jobs",
            "ObjectStore", "Outbox", "Postgres", "TimeSeries",
        ], ["Crypto", "Logging", "Metrics"]
    ),

    "AuthorityAPI": (
        4, ["AWSProtocol", "AWSServer", "Accounts", "AuditTrail", "Freshness", "Keys", "Policies", "Postgres"],
        ["Crypto", "Logging", "Metrics", "ServiceLifecycle"]
    ),
    "Verification": (4, ["AWSProtocol", "AuditTrail", "ObjectStore", "Postgres"], ["Crypto"]),
    "ForecastAPI": (
        4,
        [
            "AWSClients", "AWSProtocol", "AWSServer", "Artifacts", "Catalog", "Envelope", "EnvelopeKMS", "Forecasting", "Jobs",
            "ObjectStore", "Outbox", "Pipelines", "Policies", "Postgres", "TimeSeries",
        ], ["Crypto", "Logging", "Metrics", "ServiceLifecycle"]
    ),
]

private let everywhere: Set<String> = ["Secrets", "Telemetry", "CLinux"]
private let standardLibrary: Set<String> = [
    "Foundation", "FoundationEssentials", "Synchronization", "Dispatch", "Glibc", "Musl", "_Concurrency", "Swift",
]
private let executables: Set<String> = ["forecastle", "forecastle-broker"]

private let packageRoot = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

/// The modules that the Swift files of a room import, each with the file that does.
private func imports(of room: String) throws -> [(module: String, file: String)] {
    let folder = packageRoot.appending(path: "Sources/\(room)")
    guard let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil) else { return [] }
    var found: [(String, String)] = []
    for case let file as URL in files where file.pathExtension == "swift" {
        let text = try String(contentsOf: file, encoding: .utf8)
        for match in text.matches(
            of:
                /(?m)^\s*(?:@\w+\s+)*(?:(?:public|package|internal|private)\s+)?import\s+(?:struct |class |enum |func |protocol )?(\w+)/
        ) {
            found.append((String(match.output.1), file.lastPathComponent))
        }
    }
    return found
}

@Test func everyRoomOfThePackageIsInThePlan() throws {
    let manifest = try String(contentsOf: packageRoot.appending(path: "Package.swift"), encoding: .utf8)
    let rooms = Set(manifest.matches(of: /room\(\s*"(\w+)"/).map { String($0.output.1) })
    #expect(rooms.count > 10, "the manifest's form has changed: this test reads no rooms from it")
    #expect(rooms.subtracting(plan.keys).isEmpty, "rooms that the plan does not name")
    for room in rooms {
        #expect(FileManager.default.fileExists(atPath: packageRoot.appending(path: "Sources/\(room)").path), "\(room)")
    }
}

@Test func theManifestDeclaresNoArrowThatThePlanLacks() throws {
    let manifest = try String(contentsOf: packageRoot.appending(path: "Package.swift"), encoding: .utf8)
    for match in manifest.matches(of: /room\(\s*"(\w+)",\s*\[([^\]]*)\]/) {
        let room = String(match.output.1)
        guard let allowed = plan[room] else { continue }
        for dependency in String(match.output.2).matches(of: /"(\w+)"/).map({ String($0.output.1) }) {
            #expect(
                allowed.rooms.contains(dependency) || everywhere.contains(dependency),
                "\(room) declares a dependency on \(dependency), which its row of the plan does not name")
        }
    }
}

@Test func noRoomImportsWhatItsRowDoesNotName() throws {
    for (room, allowed) in plan {
        for (module, file) in try imports(of: room) {
            let fine =
                allowed.rooms.contains(module) || allowed.packages.contains(module) || everywhere.contains(module)
                || standardLibrary.contains(module) || module == room
            #expect(fine, "\(room)/\(file) imports \(module)")
        }
    }
}

@Test func noArrowPointsUpwardsOrMakesACycle() {
    for (room, row) in plan {
        for target in row.rooms {
            guard let below = plan[target] else {
                Issue.record("\(room) names \(target), which the plan lacks")
                continue
            }
            #expect(below.level <= row.level, "\(room) (level \(row.level)) points up to \(target)")
        }
    }
    // Kahn's algorithm: whatever can't be removed leaf by leaf is part of a cycle.
    var open = plan.mapValues(\.rooms)
    while let leaf = open.first(where: { $0.value.isEmpty })?.key {
        open[leaf] = nil
        for room in open.keys { open[room]?.remove(leaf) }
    }
    #expect(open.isEmpty, "cycle among \(open.keys.sorted())")
}

@Test func executablesHaveNoRoomBehindThem() throws {
    for room in plan.keys {
        for (module, file) in try imports(of: room) {
            #expect(!executables.contains(module), "\(room)/\(file) imports an executable")
        }
    }
}
