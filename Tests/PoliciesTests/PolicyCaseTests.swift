import Policies
import Testing

/// The tables of `Cases`: what AWS's pages say of policies, row by row.
@Suite struct PolicyCaseTests {
    @Test(
        arguments: ConditionCase.strings + ConditionCase.blocks + ConditionCase.scalars + ConditionCase.addresses
            + ConditionCase.arns)
    func operators(row: ConditionCase) throws { try check(row) }

    @Test(arguments: ConditionCase.missingKeys + ConditionCase.sets) func missingKeysAndSets(row: ConditionCase) throws {
        try check(row)
    }

    @Test(arguments: ConditionCase.variables) func variables(row: ConditionCase) throws { try check(row) }
    @Test(arguments: ConditionCase.kms) func conditionsOfKeys(row: ConditionCase) throws { try check(row) }

    @Test(arguments: PolicyCase.elements + PolicyCase.owners) func elements(row: PolicyCase) throws { try check(row) }
    @Test(arguments: PolicyCase.delegation) func delegation(row: PolicyCase) throws { try check(row) }
    @Test(arguments: PolicyCase.principals) func principals(row: PolicyCase) throws { try check(row) }
    @Test(arguments: PolicyCase.boundaries) func boundaries(row: PolicyCase) throws { try check(row) }
    @Test(arguments: PolicyCase.sessions) func sessions(row: PolicyCase) throws { try check(row) }
    @Test(arguments: PolicyCase.grants) func grants(row: PolicyCase) throws { try check(row) }
    @Test(arguments: PolicyCase.trust) func trust(row: PolicyCase) throws { try check(row) }
    @Test(arguments: PolicyCase.acrossAccounts) func acrossAccounts(row: PolicyCase) throws { try check(row) }

    @Test func rowsAreAllDifferent() {
        let conditions =
            ConditionCase.strings + ConditionCase.blocks + ConditionCase.scalars + ConditionCase.addresses + ConditionCase.arns
            + ConditionCase.missingKeys + ConditionCase.sets + ConditionCase.variables + ConditionCase.kms
        let texts = conditions.map { "\($0.condition) \($0.context)".unicodeScalars.map(\.value) }
        #expect(Set(texts).count == texts.count)
    }

    private func check(_ row: ConditionCase) throws {
        #expect(try holds(row.json, row.values) == (row.outcome == .holds), "in an Allow")
        #expect(try holds(row.json, row.values, effect: "Deny") == (row.outcome != .fails), "in a Deny")
    }

    /// What decides, and that the parts of the decision say nothing else.
    private func check(_ row: PolicyCase) throws {
        let decision = try row.decide()
        #expect(PolicyCase.text(decision) == row.outcome)
        #expect(decision.message.isEmpty == decision.isAllowed)
        let verdicts = decision.sides.map(\.verdict)
        switch decision.outcome {
        case .denied(.explicit(let statement)):
            #expect(verdicts.contains(.denies(statement)))
        case .allowed(.statement(let statement)):
            #expect(verdicts.contains(.allows(statement)) || verdicts.contains(.delegates(statement)))
        case .allowed(.grant(let id)):
            #expect(verdicts.contains(.grants(id: id)))
        case .allowed(.root), .denied:
            break
        }
    }
}
