import AWSProtocol
package import Policies

package import struct FoundationEssentials.Date

/// How a request came in, apart from who signed it.
package struct RequestCircumstances: Sendable, Hashable {
    package var time: Date
    /// Address of the peer, as text.
    package var sourceIP: String
    package var isSecureTransport: Bool
    package var region: String
    /// As the client sent it, which no signature covers; empty where it sent none.
    package var userAgent: String
    /// Set where a service asks on the principal's behalf (forward access session), such as `forecast.us-west-2.amazonaws.com` with
    /// `forecast.amazonaws.com`.
    package var forwarded: Forwarded?

    package struct Forwarded: Sendable, Hashable {
        package let viaService: String
        package let servicePrincipal: String

        package init(viaService: String, servicePrincipal: String) {
            self.viaService = viaService
            self.servicePrincipal = servicePrincipal
        }
    }

    package init(
        time: Date, sourceIP: String, isSecureTransport: Bool, region: String, userAgent: String = "",
        forwarded: Forwarded? = nil
    ) {
        self.time = time
        self.sourceIP = sourceIP
        self.isSecureTransport = isSecureTransport
        self.region = region
        self.userAgent = userAgent
        self.forwarded = forwarded
    }
}

extension Principal {
    /// The condition keys that every request of this principal has, and for KMS `kms:CallerAccount`, `kms:ViaService` and
    /// `kms:GrantIsForAWSResource`; of a session that the service made, `aws:SourceArn` and `aws:SourceAccount` too. The service's own keys (encryption context, grant constraints) are added by whoever decides.
    package func conditionContext(_ circumstances: RequestCircumstances) -> ConditionContext {
        var context = ConditionContext()
        context.set("aws:PrincipalArn", identityARN.description)
        context.set("aws:PrincipalAccount", account)
        context.set("aws:userid", userID)
        context.set("aws:PrincipalIsAWSService", false)
        context.setCircumstances(circumstances)
        setKind(in: &context)
        for tag in tags.list { context.set("aws:PrincipalTag/\(tag.key)", tag.value) }
        setSecondFactor(in: &context, at: circumstances.time)
        setService(in: &context, circumstances.forwarded)
        return context
    }

    private func setKind(in context: inout ConditionContext) {
        switch kind {
        case .root:
            context.set("aws:PrincipalType", "Account")
        case .user(let user):
            context.set("aws:PrincipalType", "User")
            context.set("aws:username", user.name)
            if let session = user.session { context.set("aws:TokenIssueTime", AWSTimestamp.extended(session.createdAt)) }
        case .assumedRole(let session):
            context.set("aws:PrincipalType", "AssumedRole")
            context.set("aws:TokenIssueTime", AWSTimestamp.extended(session.createdAt))
            if let identity = session.sourceIdentity { context.set("aws:SourceIdentity", identity) }
        }
    }

    /// Temporary credentials have `aws:MultiFactorAuthPresent`, long-term keys have not: absent is not the same as false.
    private func setSecondFactor(in context: inout ConditionContext, at time: Date) {
        guard session != nil || userSession != nil else { return }
        context.set("aws:MultiFactorAuthPresent", mfaAt != nil)
        if let mfaAt { context.setMFAAge(since: mfaAt, at: time) }
    }

    private func setService(in context: inout ConditionContext, _ forwarded: RequestCircumstances.Forwarded?) {
        context.set("aws:ViaAWSService", forwarded != nil)
        context.set("kms:CallerAccount", record?.callerAccount ?? account)
        context.set("kms:GrantIsForAWSResource", record?.grantIsForAWSResource ?? false)
        if let forwarded {
            context.set("kms:ViaService", forwarded.viaService)
            context["aws:CalledVia"] = [forwarded.servicePrincipal]
            context.set("aws:CalledViaFirst", forwarded.servicePrincipal)
            context.set("aws:CalledViaLast", forwarded.servicePrincipal)
        } else if let record {
            context.set("kms:ViaService", record.viaService)
            context.set("aws:SourceArn", record.sourceARN)
            context.set("aws:SourceAccount", record.sourceAccount)
        }
    }
}

extension ServiceIdentity {
    /// The condition keys of a call that the service makes in its own name: those of its user play no part.
    package func conditionContext(_ circumstances: RequestCircumstances) -> ConditionContext {
        var context = ConditionContext()
        context.set("aws:PrincipalIsAWSService", true)
        context.set("aws:PrincipalServiceName", servicePrincipal)
        context["aws:PrincipalServiceNamesList"] = [servicePrincipal, viaService]
        context.set("aws:ViaAWSService", false)
        context.setCircumstances(circumstances)
        return context
    }
}

extension ConditionContext {
    /// That a second factor was shown, and how long ago.
    package mutating func setSecondFactor(shownAt shown: Date, at time: Date) {
        set("aws:MultiFactorAuthPresent", true)
        setMFAAge(since: shown, at: time)
    }

    fileprivate mutating func setMFAAge(since shown: Date, at time: Date) {
        set("aws:MultiFactorAuthAge", String(max(0, Int(time.timeIntervalSince(shown)))))
    }

    fileprivate mutating func setCircumstances(_ circumstances: RequestCircumstances) {
        set("aws:CurrentTime", AWSTimestamp.extended(circumstances.time))
        set("aws:EpochTime", String(Int(circumstances.time.timeIntervalSince1970)))
        set("aws:SecureTransport", circumstances.isSecureTransport)
        set("aws:RequestedRegion", circumstances.region)
        if !circumstances.sourceIP.isEmpty { set("aws:SourceIp", circumstances.sourceIP) }
        if !circumstances.userAgent.isEmpty { set("aws:UserAgent", circumstances.userAgent) }
    }
}
