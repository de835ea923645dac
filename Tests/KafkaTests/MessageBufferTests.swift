import Kafka
import Testing

@Test func bufferIsFullAtItsBoundOfMessages() async {
    let buffer = MessageBuffer<Int>()
    for index in 0..<MessageBuffer<Int>.messagesWhenFull - 1 { buffer.push(index, bytes: 1) }
    #expect(!buffer.isFull)
    buffer.push(-1, bytes: 1)
    #expect(buffer.isFull && !buffer.isHalfEmpty)
    buffer.push(-2, bytes: 1)
    #expect(buffer.isFull)
    for index in 0..<MessageBuffer<Int>.messagesWhenFull / 2 + 1 { #expect(await buffer.next() == index) }
    #expect(buffer.isHalfEmpty)
}

@Test func bufferIsFullAtItsBoundOfBytes() async {
    let buffer = MessageBuffer<Int>()
    buffer.push(1, bytes: MessageBuffer<Int>.bytesWhenFull - 1)
    #expect(!buffer.isFull)
    buffer.push(2, bytes: 1)
    #expect(buffer.isFull)
    #expect(await buffer.next() == 1)
    #expect(buffer.isHalfEmpty)
}

@Test func finishedBufferGivesWhatItHasThenEnds() async {
    let buffer = MessageBuffer<Int>()
    buffer.push(1, bytes: 1)
    buffer.finish()
    buffer.push(2, bytes: 1)
    #expect(await buffer.next() == 1)
    #expect(await buffer.next() == nil)
}

@Test func cancelledReaderIsLetGo() async {
    let buffer = MessageBuffer<Int>()
    let reader = Task { await buffer.next() }
    reader.cancel()
    #expect(await reader.value == nil)
    buffer.push(1, bytes: 1)
    #expect(await buffer.next() == 1)
}
