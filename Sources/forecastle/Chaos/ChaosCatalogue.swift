/// Every case, in the order of its number.
enum ChaosCatalogue {
    static let all: [any ChaosCase] = [
        WorkerKilledAnywhere(), WorkerPausedPastItsLease(), WorkerPausedBeforeItsCommit(), APIKilledAfterCommit(),
        APIKilledBeforeCommit(), RelayKilledBeforeMarking(), WorkerDrained(), WorkerOutOfMemory(), WorkerClockAhead(),
        DatabaseClockBack(), CoresBusy(), PoisonJob(), UnknownKinds(), TwoSweepers(),
        PostgresKilled(), SessionsTerminated(), CommitAnswersLost(), PostgresPaused(), PostgresDiskFull(), FsyncFails(),
        ConnectionsExhausted(), DeadlockStorm(), AuditPageFlipped(), AuditRowsEdited(), LongTransaction(), MigrationsKilled(),
        BrokersDown(), ProduceErrors(), MessagesRepeated(), BrokerLost(), RebalanceStorm(), WorkerOutOfItsGroup(),
        GarbageMessages(),
        WorkerPartitioned(), StoreAway(), BadNetwork(), SlowClients(), BitsFlipped(), MessagesCutAndSpliced(), SealedAgain(),
        KeyWithdrawn(), GrantsMisused(), ShreddedKeyRestored(), HostileSignatures(), HostileBodies(), HostilePaths(),
        DisksFail(), CrashWithKeysLoaded(), PausedInAnUpload(), CrashAroundCreateGrant(), DatabaseRestored(),
        ChunksSubstituted(), SpecificationsEdited(), OtherKeyRevoked(),
    ]

    static func select(_ selection: ChaosSelection) -> [any ChaosCase] {
        switch selection {
        case .all: all
        case .quick: all.filter(\.isQuick)
        case .numbers(let numbers): all.filter { numbers.contains($0.number) }
        }
    }
}
