import AWSProtocol
import Accounts

/// What authenticator apps read: the seed of a device in a link of the scheme `otpauth`, and that link as a QR code.
enum OTPAuth {
    static let issuer = "Forecastle"
    /// Characters of a device's name that are shown: with all of them escaped, the link still fits the largest code.
    static let maximumNameCharacters = 64

    /// Source: the key URI format of Google Authenticator, which the other apps read too.
    static func link(seed: String, device: MFADeviceEntity) -> String {
        let name = String(device.name.prefix(maximumNameCharacters))
        return "otpauth://totp/\(issuer):\(PercentEncoding.encode("\(name)@\(device.account)"))?secret=\(seed)&issuer=\(issuer)"
    }

    /// A PNG image of the link.
    static func picture(seed: String, device: MFADeviceEntity) throws -> [UInt8] {
        guard let code = QRCode(link(seed: seed, device: device)) else {
            throw AWSError.internalFailure()
        }
        return PNGImage.encode(code)
    }
}
