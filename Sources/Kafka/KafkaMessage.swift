/// One message as it was read. What is in it, somebody else wrote: it is material to check.
package struct KafkaMessage: Sendable, Hashable {
    package let topic: String
    package let partition: Int32
    package let offset: Int64
    package let key: [UInt8]?
    /// Empty for a message without a value.
    package let value: [UInt8]
    /// The header of that name, as somebody wrote it; nil where it is missing or longer than one can be.
    package let traceparent: String?

    package init(topic: String, partition: Int32, offset: Int64, key: [UInt8]?, value: [UInt8], traceparent: String? = nil) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.key = key
        self.value = value
        self.traceparent = traceparent
    }

    var bytes: Int { value.count + (key?.count ?? 0) }
}
