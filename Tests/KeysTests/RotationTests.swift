import AWSProtocol
import FoundationEssentials
import Keys
import Postgres
import PostgresTesting
import Testing

private let day = 86_400.0

@Suite struct RotationScheduleTests {
    private let start = Date(timeIntervalSince1970: 1_700_000_000)

    @Test func thePeriodBeginsWhenItIsSetAndNotWhenItIsSetAgain() {
        let first = RotationSchedule.enabled(nil, periodDays: 365, now: start)
        #expect(first.next == start.addingTimeInterval(365 * day))
        let later = start.addingTimeInterval(100 * day)
        #expect(RotationSchedule.enabled(first, periodDays: 365, now: later) == first)
        #expect(RotationSchedule.enabled(first, periodDays: 90, now: later).next == later.addingTimeInterval(90 * day))
    }

    @Test func theNextRotationCountsFromTheLastOneThatWasDue() {
        let schedule = RotationSchedule(periodDays: 90, next: start)
        #expect(schedule.following(start).next == start.addingTimeInterval(90 * day))
        #expect(schedule.following(start.addingTimeInterval(day)).next == start.addingTimeInterval(90 * day))
        // Disabled for longer than a period: at once, and a whole period from then.
        let late = start.addingTimeInterval(90 * day)
        #expect(schedule.following(late).next == late.addingTimeInterval(90 * day))
    }
}

@Suite(.enabled(if: TestDatabase.isAvailable)) struct RotationTests {
    private func status(_ house: House, _ key: KeyReference) async throws -> RotationSchedule? {
        try await house.keys.keyRotationStatus(house.call(house.admin, .getKeyRotationStatus), key: key).schedule
    }

    private func enable(_ house: House, _ key: KeyReference, days: Int = 365, at time: Date = Date()) async throws {
        try await house.keys.enableKeyRotation(
            house.call(house.admin, .enableKeyRotation, at: time), key: key, periodDays: days)
    }

    private func rotateNow(_ house: House, _ key: KeyReference) async throws {
        _ = try await house.keys.rotateKeyOnDemand(house.call(house.admin, .rotateKeyOnDemand), key: key)
    }

    private func rotations(_ house: House, _ key: KeyReference, all: Bool = true) async throws -> [KeyRotation] {
        try await house.keys.listKeyRotations(
            house.call(house.admin, .listKeyRotations), key: key, includesFirst: all, limit: 1000, marker: nil
        ).items
    }

    @Test func rotationIsOffUntilItIsTurnedOn() async throws {
        try await House.with { house in
            let key = try await house.createKey()
            #expect(try await status(house, key) == nil)
            try await enable(house, key)
            let yearly = try await status(house, key)
            #expect(yearly?.periodDays == 365)
            try await enable(house, key, days: 90)
            #expect(try await status(house, key)?.periodDays == 90)
            for days in [89, 2561] { #expect(await refusal { try await enable(house, key, days: days) } == .validation) }
            for days in [90, 2560] { try await enable(house, key, days: days) }
            try await house.keys.disableKeyRotation(house.call(house.admin, .disableKeyRotation), key: key)
            try await house.keys.disableKeyRotation(house.call(house.admin, .disableKeyRotation), key: key)
            #expect(try await status(house, key) == nil)
        }
    }

    @Test func whatWasSealedBeforeARotationStillOpensAndNewWorkUsesTheNewMaterial() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            var blobs = [try await house.encrypt(admin, key, "0")]
            for number in 1...3 {
                try await rotateNow(house, key)
                blobs.append(try await house.encrypt(admin, key, "\(number)"))
            }
            for (number, blob) in blobs.enumerated() { #expect(try await house.decrypt(admin, blob) == "\(number)") }
            let materials = try await rotations(house, key)
            #expect(materials.map(\.version) == [1, 2, 3, 4] && materials.map(\.isCurrent) == [false, false, false, true])
            #expect(Set(materials.map(\.materialID)).count == 4)
            #expect(materials[0].rotatedAt == nil && materials[0].type == nil)
            #expect(materials.dropFirst().allSatisfy { $0.type == .onDemand && $0.rotatedAt != nil })
            #expect(try await rotations(house, key, all: false) == Array(materials.dropFirst()))
            let made = try await house.keys.generateDataKey(
                house.call(admin, .generateDataKey), key: key, bytes: 32, use: KeyUse())
            #expect(made.materialID == materials[3].materialID)
            let described = try await house.keys.describeKey(house.call(admin, .describeKey), key: key, grantTokens: [])
            #expect(described.currentMaterialID == materials[3].materialID)
        }
    }

    @Test func dueKeysAreRotatedOnceAPeriodByWhoeverComesFirst() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            let blob = try await house.encrypt(admin, key)
            let start = Date()
            try await enable(house, key, days: 90, at: start)
            let due = start.addingTimeInterval(90 * day + 60)
            #expect(try await house.keys.rotateDueKeys(now: start.addingTimeInterval(89 * day)) == 0)
            let rotated = try await withThrowingTaskGroup(of: Int.self) { tasks in
                for _ in 0..<4 { tasks.addTask { try await house.keys.rotateDueKeys(now: due) } }
                return try await tasks.reduce(0, +)
            }
            #expect(rotated == 1)
            #expect(try await house.keys.rotateDueKeys(now: due) == 0)
            #expect(try await rotations(house, key).map(\.type) == [nil, .automatic])
            #expect(try await house.decrypt(admin, blob) == "secret")
            let next = try #require(try await status(house, key)).next
            #expect(abs(next.timeIntervalSince(start) - 180 * day) < 1)
            // A rotation on demand leaves the schedule alone.
            try await rotateNow(house, key)
            #expect(try await status(house, key)?.next == next)

            // The automatic one was in the future, so it comes first.
            let events = try await house.events(named: "RotateKey")
            #expect(events.map { $0["additionalEventData"]?["rotationType"] } == ["AUTOMATIC", "ON_DEMAND"])
            for event in events {
                #expect(event["eventType"] == "AwsServiceEvent" && event["readOnly"] == false)
                #expect(event["resources"]?.arrayValue?.first?["ARN"]?.stringValue == house.arn(key).description)
            }
            let materials = try await rotations(house, key)
            #expect(events[0]["additionalEventData"]?["previousKeyMaterialId"]?.stringValue == materials[0].materialID)
            #expect(events[0]["additionalEventData"]?["currentKeyMaterialId"]?.stringValue == materials[1].materialID)
        }
    }

    @Test func aKeyThatIsDisabledOrGoesAwayWaitsAndIsRotatedOnceItIsBack() async throws {
        try await House.with { house in
            let admin = try await house.admin
            let key = try await house.createKey()
            let start = Date()
            try await enable(house, key, days: 90, at: start)
            let due = start.addingTimeInterval(200 * day)
            try await house.keys.disableKey(house.call(admin, .disableKey), key: key)
            #expect(try await house.keys.rotateDueKeys(now: due) == 0)
            #expect(try await status(house, key) != nil)
            _ = try await house.keys.scheduleKeyDeletion(house.call(admin, .scheduleKeyDeletion), key: key, windowDays: 7)
            #expect(try await house.keys.rotateDueKeys(now: due) == 0)
            #expect(try await status(house, key) == nil)
            _ = try await house.keys.cancelKeyDeletion(house.call(admin, .cancelKeyDeletion), key: key)
            #expect(try await status(house, key)?.periodDays == 90)
            try await house.keys.enableKey(house.call(admin, .enableKey), key: key)
            #expect(try await house.keys.rotateDueKeys(now: due) == 1)
            let next = try #require(try await status(house, key)).next
            #expect(abs(next.timeIntervalSince(due) - 90 * day) < 1)
        }
    }

    @Test func aKeyIsRotatedOnDemandABoundedNumberOfTimes() async throws {
        var limits = KeyService.Limits()
        #expect(limits.rotationsOnDemandPerKey == 25)
        limits.rotationsOnDemandPerKey = 2
        try await House.with(limits: limits) { house in
            let key = try await house.createKey()
            for _ in 0..<2 { try await rotateNow(house, key) }
            #expect(await refusal { try await rotateNow(house, key) } == .limitExceeded)
            // Automatic rotation has no such bound.
            try await enable(house, key, days: 90)
            #expect(try await house.keys.rotateDueKeys(now: Date().addingTimeInterval(91 * day)) == 1)
            #expect(try await rotations(house, key).count == 4)
        }
    }

    @Test func aKeyWithoutItsShredSecretHoldsUpNoOther() async throws {
        try await House.with { house in
            let lost = try await house.createKey()
            let other = try await house.createKey()
            for key in [lost, other] { try await enable(house, key, days: 90) }
            let file = house.folder.path + "/vault/\(house.arn(lost).resourceName).shred"
            try FileManager.default.removeItem(atPath: file)
            #expect(try await house.keys.rotateDueKeys(now: Date().addingTimeInterval(91 * day)) == 1)
            #expect(await refusal { try await rotateNow(house, lost) } == .invalidState)
        }
    }

    @Test func rotationsAreListedByPages() async throws {
        try await House.with { house in
            let key = try await house.createKey()
            for _ in 0..<3 { try await rotateNow(house, key) }
            var found: [KeyRotation] = []
            var marker: String?
            var pages = 0
            repeat {
                let page = try await house.keys.listKeyRotations(
                    house.call(house.admin, .listKeyRotations), key: key, includesFirst: true, limit: 3, marker: marker)
                found += page.items
                marker = page.nextMarker
                pages += 1
            } while marker != nil
            #expect(pages == 2)
            #expect(try await rotations(house, key) == found)
            let first = try await house.keys.listKeyRotations(
                house.call(house.admin, .listKeyRotations), key: key, includesFirst: true, limit: 1, marker: nil)
            for wrong in [first.nextMarker ?? "", "x", ListMarker.text(after: "z", parameters: ["ListKeyRotations"])] {
                let code = await refusal {
                    // The first is of a listing with other parameters.
                    _ = try await house.keys.listKeyRotations(
                        house.call(house.admin, .listKeyRotations), key: key, includesFirst: false, limit: 1, marker: wrong)
                }
                #expect(code == .invalidMarker)
            }
        }
    }
}
