import Postgres

/// What somebody wants of a database, which says whose connection string is taken.
enum DatabaseUse: String {
    /// What a process serves with.
    case process = ""
    /// Migrations.
    case owner
    /// Tools that change nothing.
    case reader
}

extension ConfigurationValues {
    /// The setting that is in effect for it: the general one where no special one is given, or where it comes from a later place:
    /// who names a database by flag means that one, whatever the file says.
    func connectionKey(_ set: Migrations.Set, for use: DatabaseUse) -> String {
        let general = "\(set.rawValue).postgres"
        guard use != .process else { return general }
        let special = "\(general)_\(use.rawValue)"
        return string(special).isEmpty || origin(of: general) > origin(of: special) ? general : special
    }

    /// The connection string; empty where the database is not configured.
    func connection(_ set: Migrations.Set, for use: DatabaseUse) -> String { string(connectionKey(set, for: use)) }

    func requiredConnection(_ set: Migrations.Set, for use: DatabaseUse) throws -> String {
        try required(connectionKey(set, for: use))
    }
}
