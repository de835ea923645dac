import Catalog
import Postgres

/// A dataset mirrors the import that runs on it: UPDATE_IN_PROGRESS while one does.
enum DatasetState {
    static func importStarted(_ dataset: String, on connection: PostgresConnection) async throws {
        guard let resource = try await Catalog.lock(dataset, on: connection) else { return }
        try await Catalog.move(
            dataset, incarnation: resource.incarnation, from: [.active], to: .updateInProgress, on: connection)
    }

    /// ACTIVE again, unless another import is still at work.
    static func importEnded(_ dataset: String, on connection: PostgresConnection) async throws {
        guard let resource = try await Catalog.lock(dataset, on: connection) else { return }
        guard try await !Catalog.hasChildInProgress(dataset, on: connection) else { return }
        try await Catalog.move(
            dataset, incarnation: resource.incarnation, from: [.updateInProgress], to: .active, on: connection)
    }
}
