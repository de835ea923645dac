import AWSProtocol
import Foundation
import Testing

@Suite struct AuthorizeActionsTests {
    /// A row as `docs/forecastapi.md` has it.
    private func line(_ row: AuthorizeActions.Row) -> String {
        let own =
            switch row.own {
            case .made: "the new resource"
            case .named: "the named one"
            case .all: "`*`"
            }
        let asks = row.asks.map { "`\($0.right.rawValue)` \($0.of)" }.joined(separator: ", ")
        return "| \(row.operation) | \(own) | \(asks.isEmpty ? "–" : asks) |"
    }

    @Test func theDocumentedTableIsTheOneInForce() throws {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/forecastapi.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        let section = try #require(text.components(separatedBy: "\n## What is asked\n").dropFirst().first)
        let documented = section.components(separatedBy: "\n## ")[0].split(separator: "\n").map(String.init)
            .filter { $0.hasPrefix("| ") && !$0.hasPrefix("| operation") && !$0.hasPrefix("| ---") && !$0.hasPrefix("| right") }
            .filter { !$0.hasPrefix("| `") }
        #expect(documented == AuthorizeActions.rows.map(line))
    }

    @Test func aRowAllowsItsOwnOperationAndWhatItAsks() throws {
        let row = try #require(AuthorizeActions.byOperation["CreateForecastExportJob"])
        #expect(
            row.actions == [
                "forecast:CreateForecastExportJob", "iam:PassRole", "s3:PutObject", "kms:Decrypt", "kms:GenerateDataKey",
            ])
        #expect(AuthorizeActions.byOperation["StopResource"]?.actions == ["forecast:StopResource"])
        #expect(AuthorizeActions.byOperation.count == AuthorizeActions.rows.count)
    }
}
