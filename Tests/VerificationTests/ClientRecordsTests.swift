import AWSProtocol
import Testing
import Verification

@Suite struct ClientRecordsTests {
    @Test func linesAreReadAndEmptyOnesPassedOver() throws {
        let jobs = try ClientRecords.accepted(#"{"arn":"arn:a","time":"t"}"# + "\n\n" + #"{"arn":"arn:b"}"# + "\n")
        #expect(jobs == [AcceptedJob(arn: "arn:a", time: "t"), AcceptedJob(arn: "arn:b", time: "")])
        let errors = try ClientRecords.errors(#"{"operation":"CreateDataset","code":"LimitExceededException","status":400}"#)
        #expect(errors == [ClientError(operation: "CreateDataset", code: "LimitExceededException", status: 400)])
    }

    @Test(arguments: ["{", "[]", #"{"arn":1}"#, #"{"arn":""}"#])
    func aLineThatSaysNothingIsRefusedByItsNumber(line: String) {
        #expect { try ClientRecords.accepted("\n" + line) } throws: { "\($0)".hasPrefix("line 2 ") }
    }

    @Test func whatIsWrittenIsRead() throws {
        let job = AcceptedJob(arn: "arn:a", time: "t")
        #expect(try ClientRecords.accepted(job.json.serializedString) == [job])
        let error = ClientError(operation: "o", code: "c", status: 503)
        #expect(try ClientRecords.errors(error.json.serializedString) == [error])
    }
}
