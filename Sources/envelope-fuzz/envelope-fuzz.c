// libFuzzer has `main`; the entry that it calls is EnvelopeFuzzing's.
