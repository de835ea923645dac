import AWSProtocol

/// Where and as whom a client calls, and how long it tries.
package struct AWSClientConfiguration: Sendable {
    /// `http://127.0.0.1:8080` or `https://kms.us-west-2.amazonaws.com`, without path.
    package var endpoint: String
    package var region: String
    package var credentials: any AWSCredentialsProvider
    package var userAgent: String
    /// For one attempt, from connecting to the last byte of the answer.
    package var attemptTimeout: Duration
    /// For all attempts and the pauses between them.
    package var totalTimeout: Duration
    package var retries: RetryPolicy

    package init(
        endpoint: String, region: String, credentials: any AWSCredentialsProvider, userAgent: String = "forecastle",
        attemptTimeout: Duration = .seconds(5), totalTimeout: Duration = .seconds(20), retries: RetryPolicy = .init()
    ) {
        self.endpoint = endpoint
        self.region = region
        self.credentials = credentials
        self.userAgent = userAgent
        self.attemptTimeout = attemptTimeout
        self.totalTimeout = totalTimeout
        self.retries = retries
    }
}
