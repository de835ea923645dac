import AWSClients
import AWSProtocol
package import FoundationEssentials

extension S3ObjectStore {
    /// A writer gives an upload up after so long. No lease holds that long without its worker, so that nothing is begun anew meanwhile.
    static let longestUpload: Duration = .seconds(3600)
    /// How far the store's clock may be from ours: beyond it S3 takes no request.
    static let longestSkew: Duration = .seconds(900)
    /// Pages of one collection; the next goes on.
    private static let pagesMax = 100

    package func collectAbandonedUploads() async throws -> Int {
        try await collectAbandonedUploads(now: Date())
    }

    /// Removes uploads in this folder whose writers must have given up; returns how many.
    package func collectAbandonedUploads(now: Date) async throws -> Int {
        let age = Self.longestUpload + Self.longestSkew
        let before = now.addingTimeInterval(-Double(age.components.seconds))
        var marker: S3UploadPage.Marker?
        var removed = 0
        for _ in 0..<Self.pagesMax {
            let page = try await ask(.listUploads) { [marker] () async throws(AWSError) in
                try await client.listUploads(bucket: bucket.name, prefix: folder.text, after: marker)
            }
            for upload in page.uploads where upload.begun < before && upload.key.utf8.starts(with: folder.text.utf8) {
                try await ask(.abort) { () async throws(AWSError) in
                    try await client.abortUpload(bucket: bucket.name, key: upload.key, upload: upload.id)
                }
                removed += 1
            }
            guard let next = page.next, next != marker else { break }
            marker = next
        }
        return removed
    }
}
