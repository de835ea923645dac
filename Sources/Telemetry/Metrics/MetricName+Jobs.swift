extension MetricName {
    static let jobs: [MetricName] = [
        jobsAccepted, jobsFinished, jobSeconds, jobsFailing, jobsDead, jobsRedriven, jobsArchived, jobStops,
        specificationsRefused, tasksClaimed, tasksFinished, taskSeconds, taskRetries, tasksRunning, tasksUnserved,
        tasksRungAgain, leasesExpired, leasesLost, fencedWrites, chunks, chunkInputBytes, chunkRows, objectsCollected,
        sweeperLeads, tasksReady, tasksDelayed, oldestDueTaskSeconds, deadLettersWaiting,
    ]

    package static let jobsAccepted = counter("forecastle_jobs_accepted", "Jobs that the API accepted.", "kind")
    package static let jobsFinished = counter("forecastle_jobs_finished", "Jobs that reached their end.", "kind", "outcome")
    package static let jobSeconds = histogram(
        "forecastle_job_seconds", workBuckets, "Time from a job's acceptance to its end.", "kind", "outcome")
    package static let jobsFailing = counter(
        "forecastle_jobs_failing", "Jobs whose failure was decided; clean-up follows.", "kind")
    package static let jobsDead = counter("forecastle_jobs_dead", "Jobs that became dead letters.", "kind", "reason")
    package static let jobsRedriven = counter("forecastle_jobs_redriven", "Failed jobs that were made to run again.", "kind")
    package static let jobsArchived = counter("forecastle_jobs_archived", "Ended jobs that were moved to the history.")
    package static let jobStops = counter("forecastle_job_stops", "Requests to stop a job.", "outcome")
    package static let specificationsRefused = counter(
        "forecastle_job_specifications_refused",
        "Jobs whose specification did not match its signature: somebody wrote into the tables.", "kind")

    package static let tasksClaimed = counter("forecastle_tasks_claimed", "Tasks that this worker claimed.", "kind")
    package static let tasksFinished = counter(
        "forecastle_tasks_finished", "Attempts of tasks that ended: done or error.", "kind", "outcome")
    package static let taskSeconds = histogram(
        "forecastle_task_seconds", workBuckets, "Time of one attempt of a task.", "kind", "outcome")
    package static let taskRetries = counter(
        "forecastle_task_retries", "Attempts that were put off after a fault that may pass.", "kind")
    package static let tasksRunning = gauge("forecastle_tasks_running", "Tasks at work in this process.")
    package static let tasksUnserved = gauge(
        "forecastle_tasks_unserved", "Ready tasks whose kind or version no running worker serves.", "kind")
    package static let tasksRungAgain = counter(
        "forecastle_tasks_rung_again", "Kinds that were rung for again because nobody took their tasks.")
    package static let leasesExpired = counter(
        "forecastle_leases_expired", "Leases of other workers that ran out and whose tasks this process took over.")
    package static let leasesLost = counter(
        "forecastle_leases_lost", "Leases that this worker lost before its task ended.", "reason")
    /// Their fence or epoch was no longer the one of the row.
    package static let fencedWrites = counter("forecastle_fenced_writes", "Writes that came too late and changed nothing.")

    package static let chunks = counter("forecastle_chunks", "Chunks that were recorded.", "kind")
    package static let chunkInputBytes = counter(
        "forecastle_chunk_input_bytes", "Bytes of input behind recorded chunks.", "kind")
    package static let chunkRows = counter("forecastle_chunk_rows", "Rows or items behind recorded chunks.", "kind")
    package static let objectsCollected = counter(
        "forecastle_objects_collected", "Objects that nothing names any more and the collector removed.")

    package static let sweeperLeads = gauge("forecastle_sweeper_leads", "1 in the process that leads the sweeping.")
    package static let tasksReady = gauge(
        "forecastle_tasks_ready", "Tasks that are due and that nobody has claimed; only the leader says.", "kind")
    package static let tasksDelayed = gauge(
        "forecastle_tasks_delayed", "Tasks that wait for their next attempt's time; only the leader says.", "kind")
    package static let oldestDueTaskSeconds = gauge(
        "forecastle_oldest_due_task_seconds", "How long the oldest task that is due has waited; only the leader says.", "kind")
    package static let deadLettersWaiting = gauge(
        "forecastle_dead_letters_waiting", "Dead letters that nobody redrove; only the leader says.")
}
