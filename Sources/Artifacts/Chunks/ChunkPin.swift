package import AWSProtocol
package import Envelope
package import ObjectStore

/// All that fixes one chunk: whoever holds it in an authentic manifest cannot be given another object.
package struct ChunkPin: Sendable, Equatable {
    package let objectName: String
    package let context: EncryptionContext
    package let keyARN: String
    package let frameBytes: Int
    package let headerBytes: Int
    /// SHA-256 of header body and tag: fixes message id and key.
    package let headerDigest: [UInt8]
    package let messageBytes: Int
    package let plaintextBytes: Int
    package let frames: Int
    /// SHA-256 of the whole object.
    package let sha256: [UInt8]

    package var expectation: MessageExpectation {
        MessageExpectation(
            suite: .committed, context: context, frameBytes: frameBytes, kmsKeyARN: keyARN, headerDigest: headerDigest)
    }

    /// Throws `malformedManifest` where the lengths contradict each other.
    package func layout() throws -> FrameLayout {
        let layout = try FrameLayout(headerBytes: headerBytes, frameBytes: frameBytes, messageBytes: messageBytes)
        guard layout.frameCount == frames, layout.plaintextBytes == plaintextBytes else {
            throw ArtifactError.malformedManifest("a chunk's lengths contradict each other")
        }
        return layout
    }

    package func key() throws -> ObjectKey { try ObjectKey(objectName) }
}

extension ChunkPin {
    private enum Name {
        static let object = "object"
        static let context = "context"
        static let keyARN = "keyArn"
        static let frameBytes = "frameBytes"
        static let headerBytes = "headerBytes"
        static let headerDigest = "headerDigest"
        static let messageBytes = "messageBytes"
        static let plaintextBytes = "plaintextBytes"
        static let frames = "frames"
        static let sha256 = "sha256"
    }

    /// For manifests and for the row of a finished chunk.
    package var json: JSONValue {
        [
            Name.object: .string(objectName),
            Name.context: .stringMap(context),
            Name.keyARN: .string(keyARN),
            Name.frameBytes: .int(Int64(frameBytes)),
            Name.headerBytes: .int(Int64(headerBytes)),
            Name.headerDigest: .string(Hex.encode(headerDigest)),
            Name.messageBytes: .int(Int64(messageBytes)),
            Name.plaintextBytes: .int(Int64(plaintextBytes)),
            Name.frames: .int(Int64(frames)),
            Name.sha256: .string(Hex.encode(sha256)),
        ]
    }

    /// Throws `malformedManifest` for a missing member, a value of another kind, or lengths that no message has.
    package init(json: JSONValue) throws {
        guard let object = json.objectValue else { throw ArtifactError.malformedManifest("a chunk is not an object") }
        do {
            objectName = try object.requiredString(Name.object)
            context = try object.optionalStringMap(Name.context) ?? [:]
            keyARN = try object.requiredString(Name.keyARN)
            frameBytes = try object.requiredInt(Name.frameBytes, range: 1...MessageLimits.standard.maximumFrameBytes)
            headerBytes = try object.requiredInt(Name.headerBytes, range: 1...MessageLimits.standard.maximumHeaderBytes)
            messageBytes = try object.requiredInt(Name.messageBytes, range: 1...Int.max)
            plaintextBytes = try object.requiredInt(Name.plaintextBytes, range: 0...Int.max)
            frames = try object.requiredInt(Name.frames, range: 1...FrameLayout.maximumFrames)
            guard let header = Hex.decode(try object.requiredString(Name.headerDigest)), header.count == 32,
                let whole = Hex.decode(try object.requiredString(Name.sha256)), whole.count == 32
            else { throw ArtifactError.malformedManifest("a digest is not 64 hexadecimal digits") }
            headerDigest = header
            sha256 = whole
        } catch let error as AWSError {
            throw ArtifactError.malformedManifest(error.message)
        }
        do {
            _ = try layout()
            _ = try key()
        } catch {
            throw ArtifactError.malformedManifest("a chunk's name or lengths are impossible")
        }
    }
}
