import Envelope

/// `inspect` looks at anything without failing, and agrees with itself between a file and a pipe.
enum InspectionCheck {
    static func run(_ input: ArraySlice<UInt8>) async throws {
        let bytes = Array(input)
        let whole = try await inspect(bytes, .positional)
        let piped = try await inspect(bytes, .sequential)
        guard whole.header == piped.header else { throw FuzzFinding("a pipe's header differs from the file's") }
        guard whole.header != nil || !whole.problems.isEmpty else { throw FuzzFinding("no header, and nothing wrong with it") }
        guard whole.problems.count <= MessageInspection.maximumProblems else { throw FuzzFinding("too many problems") }
        // What looks sound to the eye is sound for whoever believes every tag, and the other way round.
        guard whole.header?.commitment.allSatisfy({ $0 == 0 }) == true else { return }
        let opening = MessageOpening(provider: CredulousProvider(), backend: TransparentBackend())
        let outcome = try await opening.inMemory(bytes)
        let opens = if case .opened = outcome { true } else { false }
        guard opens == (whole.problems + whole.notices).isEmpty else {
            throw FuzzFinding("inspection finds \(whole.problems + whole.notices), opening ends in \(outcome)")
        }
    }

    private static func inspect(_ bytes: [UInt8], _ access: MemoryFile.Access) async throws -> MessageInspection {
        let file = try MemoryFile(bytes)
        return try await MessageInspection.inspect(try file.channel(access))
    }
}
