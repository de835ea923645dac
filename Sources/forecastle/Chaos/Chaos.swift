import ArgumentParser

/// `forecastle chaos`: faults on purpose, and whether the cluster keeps what it promises.
struct Chaos: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Do harm to a cluster of its own and check that nothing is lost, doubled or leaked.",
        discussion: "docs/chaos.md has the table of cases, the invariants, and what is needed for which.",
        subcommands: [
            ChaosCases.self, ChaosList.self, ChaosStorm.self, ChaosSoak.self, ChaosRevoke.self, ChaosScenario.self,
            ChaosInject.self, ChaosHeal.self, ChaosStatus.self,
        ], defaultSubcommand: ChaosCases.self)
}

/// Which cases.
enum ChaosSelection: ExpressibleByArgument {
    case all, quick
    case numbers([Int])

    init?(argument: String) {
        switch argument {
        case "all": self = .all
        case "quick": self = .quick
        default:
            let numbers = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
            guard !numbers.isEmpty, numbers.allSatisfy({ $0 != nil }) else { return nil }
            self = .numbers(numbers.compactMap { $0 })
        }
    }
}
