import Foundation
import ObjectStore

/// The customer's bucket, wherever the cluster's settings say that buckets are: a folder, or one in an S3 that is there already.
struct DemoBucket: Sendable {
    let client: EnvironmentClient
    let stores: StoreSettings

    /// A writer in an S3 holds so much at once.
    private static let pieceBytes = 8 << 20

    /// Puts a file there; gives its bytes.
    func put(_ file: String, as key: String) async throws -> Int64 {
        if stores.isS3(.buckets) { try await upload(file, as: key) } else { try copy(file, to: key) }
        return try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int64 ?? 0
    }

    private func copy(_ file: String, to key: String) throws {
        let target = try client.variable("FORECASTLE_BUCKETS") + "/\(DemoCustomer.bucket)/\(key)"
        try FileManager.default.createDirectory(
            atPath: URL(fileURLWithPath: target).deletingLastPathComponent().path, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: file, toPath: target)
    }

    private func upload(_ file: String, as key: String) async throws {
        guard let handle = FileHandle(forReadingAtPath: file) else { throw DemoFailure(description: "\(file) cannot be read") }
        defer { try? handle.close() }
        let writer = try await stores.bucket(BucketName(DemoCustomer.bucket)).writer(ObjectKey(key))
        do {
            while let piece = try handle.read(upToCount: Self.pieceBytes), !piece.isEmpty {
                try await writer.append([UInt8](piece))
            }
            _ = try await writer.publish()
        } catch {
            await writer.abort()
            throw error
        }
    }
}
