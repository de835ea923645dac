import AWSProtocol
import Accounts
import Secrets

extension IAMOperation {
    static let mfaDevices = [
        createVirtualMFADevice, deleteVirtualMFADevice, listVirtualMFADevices, enableMFADevice, resyncMFADevice,
        deactivateMFADevice, listMFADevices, getMFADevice,
    ]

    private static let createVirtualMFADevice = IAMOperation(
        "CreateVirtualMFADevice", .change, ["VirtualMFADeviceName", "Path", "Tags"]
    ) { call in
        let name = try call.parameters.required("VirtualMFADeviceName", IAMRules.longName)
        let path = try call.path() ?? "/"
        let tags = try call.tags()
        try call.authorizeCreation(
            of: .mfaDevice(account: call.account, path: path, name: name), tags: tags, tagging: "TagMFADevice")
        let prepared = try await call.accounts.prepareMFADevice()
        defer { prepared.seed.wipe() }
        let device = try await call.accounts.insert(
            prepared, name: name, path: path, tags: tags, account: call.account, on: call.connection)
        let seed = try prepared.seed.withUnsafeBytes { Base32.encode($0) }
        let picture = try OTPAuth.picture(seed: seed, device: device)
        return IAMAnswer([
            IAMField(
                "VirtualMFADevice",
                .members([
                    IAMField("SerialNumber", device.arn.description),
                    IAMField("Base32StringSeed", .secret(Base64.encode(Array(seed.utf8)))),
                    IAMField("QRCodePNG", .secret(Base64.encode(picture))), IAMField.tags(device.tags),
                ]))
        ])
    }

    private static let deleteVirtualMFADevice = IAMOperation(
        "DeleteVirtualMFADevice", .change, ["SerialNumber"]
    ) { call in
        let serial = try call.serialNumber()
        try call.authorize(serial)
        try await call.accounts.delete(try await call.device(serial), on: call.connection)
        return .empty
    }

    private static let listVirtualMFADevices = IAMOperation(
        "ListVirtualMFADevices", .read, ["AssignmentStatus"] + paging
    ) { call in
        let page = try call.page()
        let status = try call.optional("AssignmentStatus", oneOf: ["Assigned", "Unassigned", "Any"])
        try call.authorize(.mfaDevice(account: call.account, name: ""))
        let assigned: Bool? = status == nil || status == "Any" ? nil : status == "Assigned"
        let devices = try await call.accounts.devices(
            account: call.account, assigned: assigned, page, on: call.connection)
        var users: [String: UserEntity] = [:]
        for name in devices.elements.compactMap(\.userName) {
            users[name] = try await call.accounts.user(name, account: call.account, on: call.connection)
        }
        return .list("VirtualMFADevices", devices) { device in
            .members([
                IAMField("SerialNumber", device.arn.description),
                IAMField("User", ifPresent: device.userName.flatMap { users[$0]?.shape(full: false) }),
                IAMField("EnableDate", ifPresent: device.enabledAt.map { .date($0) }),
            ])
        }
    }

    private static let enableMFADevice = IAMOperation(
        "EnableMFADevice", .change, ["UserName", "SerialNumber", "AuthenticationCode1", "AuthenticationCode2"]
    ) { call in
        let (serial, codes) = (try call.serialNumber(), try call.codes())
        let user = try await call.identity(.user)
        let device = try await call.device(serial)
        return .codes(
            areRight: try await call.accounts.enable(device, for: user, codes: codes, at: call.now, on: call.connection))
    }

    private static let resyncMFADevice = IAMOperation(
        "ResyncMFADevice", .change, ["UserName", "SerialNumber", "AuthenticationCode1", "AuthenticationCode2"]
    ) { call in
        let (serial, codes) = (try call.serialNumber(), try call.codes())
        let user = try await call.identity(.user)
        let device = try await call.device(serial)
        return .codes(
            areRight: try await call.accounts.resync(device, of: user, codes: codes, at: call.now, on: call.connection))
    }

    private static let deactivateMFADevice = IAMOperation(
        "DeactivateMFADevice", .change, ["UserName", "SerialNumber"]
    ) { call in
        let serial = try call.serialNumber()
        let user = try await call.userOrCaller()
        try await call.accounts.deactivate(try await call.device(serial), of: user, on: call.connection)
        return .empty
    }

    private static let listMFADevices = IAMOperation("ListMFADevices", .read, ["UserName"] + paging) { call in
        let user = try await call.userOrCaller()
        return .list(
            "MFADevices", try await call.accounts.devices(of: user, try call.page(), on: call.connection), value: \.assignedShape)
    }

    private static let getMFADevice = IAMOperation("GetMFADevice", .read, ["SerialNumber", "UserName"]) { call in
        let serial = try call.serialNumber()
        let user = try await call.userOrCaller()
        let device = try await call.device(serial)
        guard device.userName == user.name, case .structure(let fields) = device.assignedShape else {
            throw AccountsError(.noSuchEntity, "MFA Device invalid for user.")
        }
        return IAMAnswer(fields)
    }
}

extension IAMCall {
    fileprivate func serialNumber() throws -> ARN {
        let text = try parameters.required("SerialNumber", IAMRules.serial)
        guard let serial = ARN(text), serial.service == "iam", serial.resourceType == "mfa", serial.account == account else {
            throw AccountsError(.noSuchEntity, "VirtualMFADevice with serial number \(text) does not exist.")
        }
        return serial
    }

    fileprivate func device(_ serial: ARN) async throws -> MFADeviceEntity {
        try await accounts.requiredDevice(serial, on: connection)
    }

    fileprivate func codes() throws -> MFACodePair {
        MFACodePair(
            first: try parameters.required("AuthenticationCode1", SecondFactor.code),
            second: try parameters.required("AuthenticationCode2", SecondFactor.code))
    }
}

extension IAMAnswer {
    /// Wrong codes are refused, and counted all the same.
    fileprivate static func codes(areRight: Bool) -> IAMAnswer {
        var answer = IAMAnswer.empty
        if !areRight {
            answer.refusal = AWSError(
                iam: AccountsError(.invalidAuthenticationCode, "Authentication code for device is not valid"))
        }
        return answer
    }
}
