import AWSProtocol
import FoundationEssentials
import Testing

@Test func randomUUIDsAreOfVersion4AndDiffer() {
    let ids = (0..<1000).map { _ in UUID.random() }
    #expect(Set(ids).count == ids.count)
    for id in ids {
        #expect(id.uuid.6 >> 4 == 4 && id.uuid.8 >> 6 == 2)
    }
    // Each of the other bits is seen both ways: a shift gone wrong would leave some at zero.
    let bytes = ids.map { id in withUnsafeBytes(of: id.uuid) { Array($0) } }
    for index in 0..<16 {
        let fixed: UInt8 = index == 6 ? 0xF0 : index == 8 ? 0xC0 : 0
        #expect(bytes.reduce(0) { $0 | $1[index] } | fixed == 0xFF)
        #expect(bytes.reduce(0xFF) { $0 & $1[index] } & ~fixed == 0)
    }
}
