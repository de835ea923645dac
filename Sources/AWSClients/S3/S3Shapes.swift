import AWSProtocol

package import struct FoundationEssentials.Date

/// What S3 says of an object without its content.
package struct S3ObjectHead: Sendable, Equatable {
    /// Bytes.
    package let length: Int
    /// ETag with its quotes: other content has another one.
    package let tag: String
    /// Names in lower case.
    package let metadata: [String: String]
}

/// A piece of an object.
package struct S3ObjectPiece: Sendable, Equatable {
    package let bytes: [UInt8]
    /// ETag of the whole object; nil where the piece lies behind its end.
    package let tag: String?
    /// Bytes of the whole object; nil where the piece lies behind its end.
    package let length: Int?

    init(bytes: [UInt8], tag: String?, length: Int?) {
        self.bytes = bytes
        self.tag = tag
        self.length = length
    }

    /// Of an answer, which must be the range that was asked for: a server may ignore `Range`.
    init(bytes: [UInt8], of range: Range<Int>, _ answer: AWSTransportAnswer) throws(AWSError) {
        guard let tag = answer.header("etag"), !tag.isEmpty else { throw .malformedAnswer() }
        if answer.status == 200 {
            guard range.lowerBound == 0, bytes.count <= range.count else { throw .malformedAnswer() }
            self.init(bytes: bytes, tag: tag, length: bytes.count)
            return
        }
        // bytes 10-19/100
        guard let text = answer.header("content-range"), text.hasPrefix("bytes ") else { throw .malformedAnswer() }
        let numbers = text.dropFirst("bytes ".count).split(whereSeparator: { $0 == "-" || $0 == "/" }).map { Int($0) }
        guard numbers.count == 3, let first = numbers[0], let last = numbers[1], let length = numbers[2],
            first == range.lowerBound, last == min(range.upperBound, length) - 1, bytes.count == last - first + 1
        else { throw .malformedAnswer() }
        self.init(bytes: bytes, tag: tag, length: length)
    }
}

/// Part of a listing of objects.
package struct S3ObjectPage: Sendable, Equatable {
    package struct Entry: Sendable, Equatable {
        package let key: String
        /// Bytes.
        package let length: Int
        package let tag: String
    }

    package let entries: [Entry]
    /// Whether there are more.
    package let isTruncated: Bool

    init(_ root: XMLElement) throws(AWSError) {
        var entries: [Entry] = []
        for element in root.children where element.name == "Contents" {
            guard let key = S3Answer.decoded(element["Key"]?.text, in: root), !key.isEmpty,
                let length = element["Size"].flatMap({ Int($0.text) }), length >= 0,
                let tag = element["ETag"]?.text, !tag.isEmpty
            else { throw .malformedAnswer() }
            entries.append(Entry(key: key, length: length, tag: tag))
        }
        self.entries = entries
        isTruncated = root["IsTruncated"]?.text == "true"
    }
}

/// Part of a listing of uploads.
package struct S3UploadPage: Sendable, Equatable {
    package struct Marker: Sendable, Equatable {
        package let key: String
        package let upload: String
    }

    package struct Upload: Sendable, Equatable {
        package let key: String
        package let id: String
        package let begun: Date
    }

    package let uploads: [Upload]
    /// Where the next page begins; nil where there is none.
    package let next: Marker?

    init(_ root: XMLElement) throws(AWSError) {
        var uploads: [Upload] = []
        for element in root.children where element.name == "Upload" {
            guard let key = S3Answer.decoded(element["Key"]?.text, in: root), !key.isEmpty,
                let id = element["UploadId"]?.text, !id.isEmpty,
                let begun = element["Initiated"].flatMap({ AWSTimestamp.parseExtended($0.text) })
            else { throw .malformedAnswer() }
            uploads.append(Upload(key: key, id: id, begun: begun))
        }
        self.uploads = uploads
        if root["IsTruncated"]?.text == "true" {
            guard let key = S3Answer.decoded(root["NextKeyMarker"]?.text, in: root),
                let upload = root["NextUploadIdMarker"]?.text
            else { throw .malformedAnswer() }
            next = Marker(key: key, upload: upload)
        } else {
            next = nil
        }
    }
}
