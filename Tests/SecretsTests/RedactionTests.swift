import Secrets
import Testing

@Suite struct RedactionTests {
    private let canary = "canary-5f1c"

    @Test func redactedValueShowsItselfNowhere() {
        let value = Redacted(canary)
        var dumped = ""
        dump(value, to: &dumped)
        for text in ["\(value)", String(describing: value), String(reflecting: value), dumped] {
            #expect(text.contains("<redacted>"))
            #expect(!text.contains(canary))
        }
        #expect(value.revealed == canary)
    }

    @Test func redactedInsideAnotherValueStaysHidden() {
        struct Settings { let password: Redacted<String> }
        let text = String(reflecting: Settings(password: Redacted(canary)))
        #expect(!text.contains(canary))
    }

    @Test func sharedSecretIsHiddenAndWipedForAllHolders() throws {
        let secret = SharedSecret(SecretBytes.random(count: 16))
        let other = secret
        #expect("\(secret)" == "<redacted>")
        #expect(try other.withUnsafeBytes { $0.count } == 16)
        secret.wipe()
        secret.wipe()
        #expect(other.isWiped)
        #expect(throws: SecretError.wiped) { try other.withUnsafeBytes { $0.count } }
    }
}
