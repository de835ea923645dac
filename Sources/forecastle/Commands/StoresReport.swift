import AWSClients
import AWSProtocol
import Foundation
import ObjectStore

/// Artifact store and customers' buckets as `doctor` prints them. Writes and removes an object of its own in an S3 for artifacts.
struct StoresReport {
    /// A clock that is further off will soon be refused.
    private static let skewSeconds = 60.0

    private(set) var lines: [(name: String, finding: String)] = []
    private(set) var problems: [String] = []

    static func make(_ values: ConfigurationValues) async -> StoresReport {
        var report = StoresReport()
        let settings = StoreSettings(values)
        for place in StoreSettings.Place.allCases {
            guard settings.isS3(place) else {
                let directory = values.string("\(place.rawValue).directory")
                report.lines.append((place.rawValue, directory.isEmpty ? "not configured" : directory))
                continue
            }
            let endpoint = settings.endpoint(place)
            let addressing = "\(endpoint.addressing.rawValue) addressing, region \(endpoint.region)"
            switch place {
            case .artifacts:
                let name = "s3://\(values.string("artifacts.s3.bucket"))/\(values.string("artifacts.s3.prefix"))"
                report.lines.append(("artifacts", "\(name) at \(endpoint.endpoint), \(addressing)"))
                await report.look(at: settings)
            case .buckets:
                let identity = values.string("buckets.s3.credentials") == "role" ? "customers' roles" : "one access key"
                report.lines.append(("buckets", "\(endpoint.endpoint), \(addressing), as \(identity)"))
                if identity == "one access key", values.string("buckets.s3.credentials_file").isEmpty {
                    report.problems.append("buckets.s3.credentials_file: must be set, because buckets.s3.credentials is file")
                }
                do {
                    try await endpoint.refuseLinkLocal()
                } catch {
                    report.problems.append("buckets.s3.endpoint: \(error)")
                }
            }
        }
        return report
    }

    private mutating func look(at settings: StoreSettings) async {
        do {
            guard let store = try settings.artifacts() as? S3ObjectStore else { return }
            if let seconds = try await store.checkReachable() {
                lines.append(("its clock", abs(seconds) < 2 ? "as ours" : "\(Int(seconds)) s from ours"))
                if abs(seconds) > Self.skewSeconds {
                    problems.append(
                        "artifacts.s3.endpoint: its clock is \(Int(seconds)) s from ours; beyond 900 s it refuses everything")
                }
            }
            try await store.checkWriteOnce()
            lines.append(
                ("written once", store.writeOnce == .conditional ? "the store sees to it" : "unchecked: the writer looks first"))
        } catch {
            problems.append("artifacts.s3: \(error)")
        }
    }
}
