import AWSProtocol
import ArgumentParser
import Foundation

/// Which running cluster.
struct FaultCommandOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Folder of a cluster that was started with forecastle up --fault-proxies.", valueName: "folder"))
    var data: String

    func ask(_ request: JSONObject) throws -> JSONObject {
        do {
            return try FaultControlSocket(folder: DataFolder(data)).ask(request)
        } catch let failure as ChaosFailure {
            FileHandle.standardError.write(Data("Error: \(TerminalText.printable(failure.description))\n".utf8))
            throw ExitCode.failure
        }
    }

    func inject(_ fields: JSONObject) throws {
        do {
            _ = try FaultRequest(fields)
        } catch {
            throw ValidationError(error.description)
        }
        _ = try ask(["do": "inject", "fault": .object(fields)])
    }
}

/// `forecastle chaos inject`
struct ChaosInject: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inject", abstract: "Inject a fault into a running cluster.",
        discussion: "forecastle chaos status names its proxies and processes; forecastle chaos heal takes faults away again.",
        subcommands: [Proxy.self, Process.self, Points.self, Broker.self])

    struct Proxy: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Do something to the connections through a proxy.")
        @OptionGroup var options: FaultCommandOptions
        @Argument(help: "The proxy, worker-postgres for instance.") var name: String
        @Flag(help: "Refuse new connections and reset those that are open.") var down = false
        @Option(help: "up (from who connects), down, or both (the default).") var direction: String?
        @Option(help: "Every piece is late by so many ms.") var latencyMs: Int?
        @Option(help: "Give or take so many ms.") var jitterMs: Int?
        @Option(help: "A slow link.") var bytesPerSecond: Int?
        @Option(help: "Pieces of at most so many bytes.") var sliceBytes: Int?
        @Option(help: "The end of a stream comes so many ms later.") var closeDelayMs: Int?
        @Option(help: "stall, black-hole, reset or close.") var ending: String?
        @Option(help: "So many bytes of a connection are let through before the ending.") var endingAfterBytes: Int?

        func run() throws {
            var fields: JSONObject = ["proxy": .string(name)]
            if down { fields["down"] = true }
            fields["direction"] = direction.map { .string($0) }
            for (key, value) in [
                ("latency_ms", latencyMs), ("jitter_ms", jitterMs), ("bytes_per_second", bytesPerSecond),
                ("slice_bytes", sliceBytes), ("close_delay_ms", closeDelayMs), ("ending_after_bytes", endingAfterBytes),
            ] {
                fields[key] = value.map { .int(Int64($0)) }
            }
            fields["ending"] = ending.map { .string($0) }
            try options.inject(fields)
        }
    }

    struct Process: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "kill, terminate or stop a process; ended ones are started again by the cluster.")
        @OptionGroup var options: FaultCommandOptions
        @Argument(help: "The process, worker-1 for instance.") var name: String
        @Argument(help: "kill, terminate or stop.") var action: String

        func run() throws { try options.inject(["process": .string(name), "action": .string(action)]) }
    }

    struct Points: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Set fault points of a worker.")
        @OptionGroup var options: FaultCommandOptions
        @Argument(help: "The worker, worker-1 for instance.") var worker: String
        @Argument(help: "point[:count]=kill|stop|fail, separated by commas.") var points: String

        func run() throws { try options.inject(["worker": .string(worker), "points": .string(points)]) }
    }

    struct Broker: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give the development broker an order: down, up, rtt MS, answer REQUEST ANSWER…")
        @OptionGroup var options: FaultCommandOptions
        @Argument(parsing: .remaining, help: "The order.") var order: [String]

        func run() throws { try options.inject(["broker": .string(order.joined(separator: " "))]) }
    }
}

/// `forecastle chaos heal`
struct ChaosHeal: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "heal", abstract: "Take injected faults away again.")
    @OptionGroup var options: FaultCommandOptions
    @Argument(help: "Of this proxy or process only.") var name: String?

    func run() throws {
        var request: JSONObject = ["do": "heal"]
        request["name"] = name.map { .string($0) }
        _ = try options.ask(request)
    }
}

/// `forecastle chaos status`
struct ChaosStatus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show a cluster's proxies and processes and what is injected.")
    @OptionGroup var options: FaultCommandOptions
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        let status = try options.ask(["do": "status"])
        guard !json else { return print(JSONValue.object(status).serializedString) }
        let faults = status["injected"]?.arrayValue ?? []
        func fault(of name: String?) -> String {
            faults.first { $0["name"]?.stringValue == name }.flatMap { $0["fault"] }?.serializedString ?? ""
        }
        var proxies = TextTable(.text("proxy"), .text("listens"), .number("connections"), .text("injected"))
        for proxy in status["proxies"]?.arrayValue ?? [] {
            let name = proxy["name"]?.stringValue
            proxies.add(
                name ?? "", proxy["listens"]?.stringValue ?? "", "\(proxy["connections"]?.intValue ?? 0)", fault(of: name))
        }
        var processes = TextTable(.text("process"), .number("pid"), .text("state"), .text("injected"))
        for process in status["processes"]?.arrayValue ?? [] {
            let name = process["name"]?.stringValue
            processes.add(
                name ?? "", process["pid"]?.intValue.map { "\($0)" } ?? "–", process["state"]?.stringValue ?? "", fault(of: name))
        }
        print((proxies.lines + [""] + processes.lines).map(TerminalText.printable).joined(separator: "\n"))
    }
}
