import Logging
import ObjectStore

/// Removes, now and then, what writers of the artifact store left behind that died. Several workers may do so at once.
struct AbandonedUploads: Sendable {
    private static let interval: Duration = .seconds(600)

    let store: any ObjectStore
    let logger: Logger

    var service: LoopService {
        LoopService {
            while true {
                do {
                    let removed = try await store.collectAbandonedUploads()
                    if removed > 0 { logger.info("abandoned uploads removed", metadata: ["uploads": "\(removed)"]) }
                } catch let error as ObjectStoreError {
                    logger.warning("abandoned uploads were not looked for", metadata: ["error": "\(error)"])
                }
                try await Task.sleep(for: Self.interval)
            }
        }
    }
}
