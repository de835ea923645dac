extension MetricName {
    static let platform: [MetricName] = [
        outboxRows, outboxOldestSeconds, outboxPublished, outboxFailures, kafkaLag, kafkaProduceErrors, kafkaClientsRebuilt,
        poolConnections, poolWaiting, poolAcquireSeconds, poolConnectFailures, dependencyUp, metricSeriesDropped,
        processCPU, processResidentBytes, processOpenFiles, processMaxFiles, processStart,
    ]

    package static let outboxRows = gauge("forecastle_outbox_rows", "Messages that wait to be published; only the leader says.")
    package static let outboxOldestSeconds = gauge(
        "forecastle_outbox_oldest_seconds", "Age of the oldest message in the outbox; only the leader says.")
    package static let outboxPublished = counter(
        "forecastle_outbox_published", "Messages of the outbox that Kafka acknowledged.")
    package static let outboxFailures = counter(
        "forecastle_outbox_failures", "Messages of the outbox that did not get through: they go back, or wait longer.", "outcome")

    package static let kafkaLag = gauge(
        "forecastle_kafka_lag_messages", "Messages of this process's partitions that it has not read yet.", "topic")
    package static let kafkaProduceErrors = counter(
        "forecastle_kafka_produce_errors", "Messages that this process could not publish, by the reason.", "code")
    package static let kafkaClientsRebuilt = counter(
        "forecastle_kafka_clients_rebuilt", "Kafka clients that ended and were built anew.", "client")

    package static let poolConnections = gauge(
        "forecastle_postgres_connections", "Connections of a pool: leased, idle or opening.", "pool", "state")
    package static let poolWaiting = gauge("forecastle_postgres_waiting", "Tasks in line for a connection of a pool.", "pool")
    package static let poolAcquireSeconds = histogram(
        "forecastle_postgres_acquire_seconds", callBuckets, "Time until a pool lent a connection.", "pool")
    package static let poolConnectFailures = counter(
        "forecastle_postgres_connect_failures", "Connections that could not be made.", "pool")

    package static let dependencyUp = gauge(
        "forecastle_dependency_up", "1 where what this process depends on answered when it was last asked.", "dependency")
    package static let metricSeriesDropped = gauge(
        "forecastle_metric_series_dropped", "Series beyond the bound of a process, which are counted nowhere.")

    // As every client of Prometheus names them.
    package static let processCPU = counter("process_cpu_seconds", "User and system time spent.")
    package static let processResidentBytes = gauge("process_resident_memory_bytes", "Resident memory.")
    package static let processOpenFiles = gauge("process_open_fds", "Open file descriptors.")
    package static let processMaxFiles = gauge("process_max_fds", "The limit of open file descriptors.")
    package static let processStart = gauge("process_start_time_seconds", "When the process began, as Unix time.")
}
