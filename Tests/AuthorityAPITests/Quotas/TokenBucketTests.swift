import AuthorityAPI
import Synchronization
import Testing

@Suite struct TokenBucketTests {
    /// Calls of one moment that the bucket lets through.
    private func burst(_ bucket: inout TokenBucket, now: Duration) -> Int {
        var count = 0
        while count < 1_000, bucket.has(now: now) {
            bucket.take(now: now)
            count += 1
        }
        return count
    }

    @Test(arguments: [(0.25, 1), (1, 1), (5, 5), (50, 50)])
    func itHoldsTheCallsOfASecondAndAtLeastOne(rate: Double, calls: Int) {
        var bucket = TokenBucket(tokensPerSecond: rate, now: .seconds(7))
        #expect(burst(&bucket, now: .seconds(7)) == calls)
    }

    @Test func itFillsAtItsRateAndNoFurther() {
        var bucket = TokenBucket(tokensPerSecond: 5, now: .zero)
        #expect(burst(&bucket, now: .zero) == 5)
        #expect(burst(&bucket, now: .milliseconds(199)) == 0)
        #expect(burst(&bucket, now: .milliseconds(200)) == 1)
        #expect(burst(&bucket, now: .milliseconds(1000)) == 4)
        #expect(burst(&bucket, now: .seconds(3600)) == 5)
    }

    @Test func aQuarterOfACallASecondIsACallInFour() {
        var bucket = TokenBucket(tokensPerSecond: 0.25, now: .zero)
        #expect(burst(&bucket, now: .zero) == 1)
        #expect(burst(&bucket, now: .milliseconds(3999)) == 0)
        #expect(burst(&bucket, now: .seconds(4)) == 1)
    }

    @Test func aTimeBeforeTheLastAddsNothing() {
        var bucket = TokenBucket(tokensPerSecond: 1, now: .seconds(10))
        bucket.take(now: .seconds(10))
        #expect(!bucket.has(now: .zero))
        bucket.take(now: .zero)
        #expect(!bucket.has(now: .seconds(10)) && bucket.has(now: .seconds(11)))
    }

    @Test func itIsFullAgainOnceAllHasComeBack() {
        var bucket = TokenBucket(tokensPerSecond: 2, now: .zero)
        #expect(bucket.isFull(now: .zero))
        bucket.take(now: .zero)
        #expect(!bucket.isFull(now: .milliseconds(499)) && bucket.isFull(now: .milliseconds(500)))
    }
}

@Suite struct RequestQuotasTests {
    /// A clock that a test moves on.
    private final class Hands: Sendable {
        let time = Mutex(Duration.zero)
        var clock: @Sendable () -> Duration { { self.time.withLock { $0 } } }
        func pass(_ duration: Duration) { time.withLock { $0 += duration } }
    }

    private func admitted(_ quotas: RequestQuotas, _ calls: Int, account: String, _ operation: String) -> Int {
        (0..<calls).count { _ in quotas.admit([(account, RequestQuota.of(operation, service: "kms"))]) }
    }

    @Test(arguments: [
        ("kms", "CreateKey", 5.0), ("kms", "CreateGrant", 50), ("kms", "RetireGrant", 30), ("kms", "ListGrants", 100),
        ("kms", "DescribeKey", 2000), ("kms", "GetKeyPolicy", 1000), ("kms", "ListKeys", 500), ("kms", "PutKeyPolicy", 15),
        ("kms", "TagResource", 10), ("kms", "Decrypt", 10_000), ("kms", "GetParametersForImport", 0.25),
        ("cloudtrail", "LookupEvents", 2), ("sts", "AssumeRole", 600),
    ])
    func theQuotasAreThoseOfAWS(service: String, operation: String, callsPerSecond: Double) {
        #expect(RequestQuota.of(operation, service: service).callsPerSecond == callsPerSecond)
    }

    @Test func cryptographyOfAnAccountSharesOneQuotaAndOtherOperationsHaveTheirOwn() {
        #expect(RequestQuota.of("Encrypt", service: "kms") == RequestQuota.of("GenerateRandom", service: "kms"))
        #expect(RequestQuota.of("EnableKey", service: "kms") != RequestQuota.of("DisableKey", service: "kms"))
        // Names that the caller invents share one, so that there are no more buckets than the table has names.
        #expect(RequestQuota.of("Nobody1", service: "kms") == RequestQuota.of("Nobody2", service: "kms"))
    }

    @Test func anAccountIsChargedForItself() {
        let hands = Hands()
        let quotas = RequestQuotas(clock: hands.clock)
        #expect(admitted(quotas, 4, account: "a", "CreateKey") == 4)
        #expect(admitted(quotas, 2, account: "a", "CreateKey") == 1)
        #expect(admitted(quotas, 5, account: "b", "CreateKey") == 5)
        #expect(admitted(quotas, 5, account: "a", "CreateAlias") == 5)
        hands.pass(.milliseconds(400))
        #expect(admitted(quotas, 5, account: "a", "CreateKey") == 2)
    }

    @Test(arguments: [(20, 1), (100, 5), (200, 10)]) func thePercentageScalesThem(percent: Int, calls: Int) {
        let quotas = RequestQuotas(percent: percent, clock: Hands().clock)
        #expect(admitted(quotas, 50, account: "a", "CreateKey") == calls)
    }

    @Test func aCallThatOneQuotaRefusesCostsTheOtherNothing() {
        let quotas = RequestQuotas(clock: Hands().clock)
        let small = RequestQuota.of("GetParametersForImport", service: "kms")
        let large = RequestQuota.of("CreateKey", service: "kms")
        #expect(quotas.admit([("a", large), ("a", small)]))
        for _ in 0..<20 { #expect(!quotas.admit([("a", large), ("a", small)])) }
        #expect(admitted(quotas, 20, account: "a", "CreateKey") == 4)
    }

    @Test func bucketsAreBounded() {
        let hands = Hands()
        let quotas = RequestQuotas(maximumBuckets: 3, clock: hands.clock)
        for (index, account) in ["a", "b", "c"].enumerated() {
            #expect(admitted(quotas, 5, account: account, "CreateKey") == 5)
            #expect(quotas.count == index + 1)
            hands.pass(.milliseconds(1))
        }
        // A fourth pushes out the one used longest ago; the others are as empty as before.
        #expect(admitted(quotas, 1, account: "d", "CreateKey") == 1)
        #expect(quotas.count == 3)
        #expect(admitted(quotas, 1, account: "b", "CreateKey") == 0)
        // Full ones go first, and all at once: they say nothing.
        hands.pass(.seconds(60))
        #expect(admitted(quotas, 1, account: "e", "CreateKey") == 1)
        #expect(quotas.count == 1)
    }
}
