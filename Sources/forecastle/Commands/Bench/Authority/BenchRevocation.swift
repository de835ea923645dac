import ArgumentParser
struct BenchRevocation: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "revocation", abstract: "x")
}
