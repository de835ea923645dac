// swift-tools-version: 6.2
import PackageDescription

// The rooms of the house, lowest level first. `docs/architecture.md` says what lives in each and
// `ArchitectureTests` refuses an import that this table does not name.

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let asn1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioHPACK = Target.Dependency.product(name: "NIOHPACK", package: "swift-nio-http2")
let nioHTTP2 = Target.Dependency.product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let x509 = Target.Dependency.product(name: "X509", package: "swift-certificates")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
    name: "forecastle",
    products: [
        .executable(name: "forecastle", targets: ["forecastle"]),
        .executable(name: "forecastle-broker", targets: ["forecastle-broker"]),
        .library(name: "Envelope", targets: ["Envelope"]),
    ],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1.git", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates.git", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2.git", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
    ],
    targets: [
        // Level 0
        .systemLibrary(name: "CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CLibrdkafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
        .target(name: "CLinux"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        room("Secrets", ["CLinux"]),
        room("Telemetry", [logging, metrics]),

        // Level 1
        room("AWSProtocol", ["Secrets", crypto]),
        room(
            "AWSClients",
            [
                "AWSProtocol", "Secrets", "Telemetry", "TransportSecurity", asyncHTTPClient, logging, nioCore, nioHTTP1, nioSSL,
            ]),
        room(
            "AWSServer",
            [
                "AWSProtocol", "Secrets", "TransportSecurity", hummingbirdCore, logging, nioCore, nioHPACK, nioHTTP1, nioHTTP2,
                nioPosix, nioTLS, serviceLifecycle,
            ]),
        room("Certificates", ["AWSProtocol", "CLinux", asn1, crypto, x509]),
        room("Envelope", ["CLinux", "COpenSSL", "Secrets", crypto]),
        room("FaultInjection", [logging, nioCore, nioPosix, serviceLifecycle]),
        room("Freshness", ["Postgres", logging, serviceLifecycle]),
        room("Kafka", ["CLibrdkafka", "Telemetry", logging, serviceLifecycle]),
        room("ObjectStore", ["AWSClients", "AWSProtocol", "CLinux", crypto]),
        room("Outbox", ["Kafka", "Postgres", "Telemetry", logging, serviceLifecycle]),
        room("Policies", ["AWSProtocol"]),
        room("Postgres", ["CLibpq", "Secrets", "Telemetry", crypto, logging, serviceLifecycle]),
        room("TimeSeries"),
        room("TransportSecurity", ["AWSProtocol", "Certificates", logging, nioCore, nioPosix, nioSSL]),

        // Level 2
        room("Accounts", ["AWSProtocol", "AuditTrail", "Freshness", "Policies", "Postgres", "Secrets", crypto, logging]),
        room(
            "Artifacts",
            ["AWSProtocol", "Envelope", "EnvelopeKMS", "ObjectStore", "Secrets", "Telemetry", crypto, logging, serviceLifecycle]),
        room(
            "AuditTrail",
            ["AWSProtocol", "Freshness", "Postgres", "Telemetry", crypto, logging, serviceLifecycle]),
        room("Catalog", ["AWSProtocol", "Postgres"]),
        room("Dials", ["AWSProtocol", "AWSServer", "Telemetry", logging, serviceLifecycle]),
        room("EnvelopeKMS", ["AWSClients", "AWSProtocol", "Envelope", "Secrets"]),
        room("Forecasting", ["TimeSeries"]),
        room("Jobs", ["Outbox", "Postgres", "Telemetry", crypto, logging, serviceLifecycle]),
        room(
            "Keys",
            [
                "AWSProtocol", "Accounts", "AuditTrail", "Freshness", "Policies", "Postgres", "Secrets", "CLinux", crypto,
                logging,
            ]),

        // Level 3
        room(
            "Pipelines",
            [
                "AWSClients", "AWSProtocol", "Artifacts", "Catalog", "Envelope", "EnvelopeKMS", "Forecasting", "Jobs",
                "ObjectStore", "Postgres", "Secrets", "Telemetry", "TimeSeries", crypto, logging,
            ]),

        room("JobsSimulation", ["Artifacts", "Jobs", "Outbox"]),

        // Level 4
        room(
            "AuthorityAPI",
            [
                "AWSProtocol", "AWSServer", "Accounts", "AuditTrail", "Freshness", "Keys", "Policies", "Postgres", "Secrets",
                "Telemetry", crypto, logging, serviceLifecycle,
            ]),
        room(
            "ForecastAPI",
            [
                "AWSClients", "AWSProtocol", "AWSServer", "Artifacts", "Catalog", "Forecasting", "Jobs", "Outbox",
                "Pipelines", "Policies", "Postgres", "Secrets", "Telemetry", "TimeSeries", crypto, logging,
                serviceLifecycle,
            ]),

        room("Verification", ["AWSProtocol", "AuditTrail", "CLinux", "ObjectStore", "Postgres", crypto]),

        // Level 5
        .executableTarget(
            name: "forecastle",
            dependencies: [
                "AWSClients", "AWSProtocol", "AWSServer", "Accounts", "Artifacts", "AuditTrail", "AuthorityAPI", "CLinux",
                "CZlib", "Catalog", "Certificates", "Dials", "Envelope", "EnvelopeKMS", "FaultInjection", "ForecastAPI",
                "Forecasting",
                "Freshness",
                "Jobs",
                "JobsSimulation", "Kafka", "Keys",
                "ObjectStore", "Outbox", "Pipelines", "Policies", "Postgres", "Secrets", "Telemetry", "TimeSeries",
                "TransportSecurity", "Verification", argumentParser, crypto, logging, metrics, serviceLifecycle, unixSignals,
                yams,
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "forecastle-broker", dependencies: ["CLinux", "Kafka", argumentParser, logging],
            swiftSettings: settings),

        // Tests
        room("ArtifactsTesting", ["AWSProtocol", "Envelope", "EnvelopeKMS", "Secrets"]),
        room("EnvelopeFuzzing", ["Envelope", "Secrets"]),
        room("PostgresTesting", ["Postgres", logging]),
        room("ServiceTesting", [serviceLifecycle]),
        tests("ArchitectureTests", []),
        tests("DialsTests", ["AWSProtocol", "AWSServer", "Dials", "Telemetry", metrics]),
        tests("TelemetryTests", ["Telemetry", logging, metrics]),
        tests(
            "ObjectStoreTests",
            ["AWSClients", "AWSProtocol", "FaultInjection", "ObjectStore", "Secrets", "ServiceTesting", crypto, logging]),
        tests("KafkaTests", ["Kafka", "ServiceTesting", logging]),
        tests("OutboxTests", ["Kafka", "Outbox", "Postgres", "PostgresTesting", "ServiceTesting", "Telemetry", logging]),
        tests("AWSProtocolTests", ["AWSProtocol", "Secrets"]),
        tests("AWSClientsTests", ["AWSClients", "AWSProtocol", "AWSServer", "Secrets", logging]),
        tests("CertificatesTests", ["AWSProtocol", "Certificates"]),
        tests(
            "TransportSecurityTests",
            [
                "AWSClients", "AWSProtocol", "AWSServer", "Certificates", "Kafka", "Secrets", "TransportSecurity", logging,
                nioCore, nioPosix, nioSSL, nioTLS, serviceLifecycle,
            ]),
        tests(
            "ArtifactsTests",
            ["AWSProtocol", "Artifacts", "ArtifactsTesting", "Envelope", "EnvelopeKMS", "ObjectStore", "Secrets", logging]),
        tests("EnvelopeKMSTests", ["AWSProtocol", "ArtifactsTesting", "Envelope", "EnvelopeKMS", "Secrets"]),
        tests("EnvelopeTests", ["Envelope", "EnvelopeFuzzing", "Secrets"]),
        tests(
            "AWSServerTests",
            [
                "AWSProtocol", "AWSServer", "Certificates", "Secrets", "TransportSecurity", logging, nioCore, nioHPACK, nioHTTP2,
                nioPosix, nioSSL, serviceLifecycle,
            ]),
        tests("MessageCommandTests", ["forecastle"]),
        tests("SecretsTests", ["Secrets"]),
        tests(
            "AccountsTests",
            [
                "AWSProtocol", "Accounts", "AuditTrail", "Policies", "Postgres", "PostgresTesting", "Secrets", crypto, logging,
            ]),
        tests(
            "AuthorityAPITests",
            [
                "AWSProtocol", "AWSServer", "Accounts", "AuditTrail", "AuthorityAPI", "Freshness", "Keys", "Policies", "Postgres",
                "PostgresTesting", "Secrets", crypto, logging,
            ]),
        tests("PoliciesTests", ["AWSProtocol", "Policies"]),
        tests("PostgresTests", ["Postgres", "PostgresTesting", "Secrets", crypto, logging]),
        tests("FreshnessTests", ["Freshness", "Postgres", "PostgresTesting", "ServiceTesting", logging]),
        tests(
            "KeysTests",
            [
                "AWSProtocol", "Accounts", "AuditTrail", "Freshness", "Keys", "Policies", "Postgres", "PostgresTesting",
                "Secrets",
                "ServiceTesting", logging,
            ]),
        tests("JobsTests", ["Jobs", "Postgres", "PostgresTesting", "Telemetry", crypto, logging]),
        tests("JobsSimulationTests", ["Jobs", "JobsSimulation"]),
        tests(
            "AuditTrailTests",
            ["AWSProtocol", "AuditTrail", "Postgres", "PostgresTesting", "ServiceTesting", crypto, logging, serviceLifecycle]),
        tests("TimeSeriesTests", ["TimeSeries"]),
        tests(
            "PipelinesTests",
            [
                "AWSClients", "AWSProtocol", "Artifacts", "ArtifactsTesting", "Catalog", "Envelope", "Forecasting", "Jobs",
                "ObjectStore", "Pipelines", "Postgres", "PostgresTesting", "Secrets", "TimeSeries", crypto,
            ]),
        tests("ForecastingTests", ["Forecasting", "TimeSeries"]),
        tests(
            "VerificationTests", ["AWSProtocol", "ObjectStore", "Postgres", "PostgresTesting", "Verification", crypto, logging]),
        tests("FaultInjectionTests", ["FaultInjection", "ServiceTesting", logging, nioCore, nioPosix]),
    ]
)

// Linked against libFuzzer, which brings `main`: only `deploy/fuzz` builds it.
if Context.environment["FORECASTLE_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(name: "envelope-fuzz", dependencies: ["EnvelopeFuzzing"], path: "Sources/envelope-fuzz"))
}
