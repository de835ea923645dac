import Kafka
import Testing

private typealias Book = CommitBook<String>
private let a = Book.Partition(topic: "t", number: 0)
private let b = Book.Partition(topic: "t", number: 1)

@Test func firstCommitGoesOutAndOthersGoTogetherInTheNext() {
    var book = Book()
    #expect(book.request(a, next: 5, waiter: "one") == .issue([a: 5]))
    #expect(book.request(a, next: 7, waiter: "two") == .wait)
    #expect(book.request(b, next: 3, waiter: "three") == .wait)
    // An older offset than what is asked for goes with it and does not lower it.
    #expect(book.request(a, next: 6, waiter: "four") == .wait)

    let first = book.completed(successfully: true)
    #expect(first.waiters == ["one"] && first.issue == [a: 7, b: 3])
    let second = book.completed(successfully: true)
    #expect(second.waiters == ["two", "three", "four"] && second.issue == nil)
    #expect(book.request(a, next: 7, waiter: "five") == .done)
    #expect(book.request(a, next: 8, waiter: "six") == .issue([a: 8]))
}

@Test func failedCommitIsNotTakenForDone() {
    var book = Book()
    #expect(book.request(a, next: 5, waiter: "one") == .issue([a: 5]))
    #expect(book.completed(successfully: false).waiters == ["one"])
    #expect(book.request(a, next: 5, waiter: "two") == .issue([a: 5]))
}

@Test func whatWentToOthersIsCommittedAnew() {
    var book = Book()
    _ = book.request(a, next: 5, waiter: "one")
    _ = book.completed(successfully: true)
    book.forget([a])
    #expect(book.request(a, next: 2, waiter: "two") == .issue([a: 2]))
}

@Test func abandonedBookNamesAllWhoWait() {
    var book = Book()
    _ = book.request(a, next: 1, waiter: "one")
    _ = book.request(b, next: 1, waiter: "two")
    #expect(book.abandon() == ["one", "two"])
    #expect(book.completed(successfully: true).waiters.isEmpty)
    #expect(book.request(a, next: 1, waiter: "three") == .issue([a: 1]))
}
