// libFuzzer has `main`; the entry that it calls is EnvelopeFuzzing's.

const char *__lsan_default_suppressions(void);

// What a thread's end frees, a leak check in between takes for lost: the sanitizer ends its own account of a thread first.
const char *__lsan_default_suppressions(void) {
    return "leak:CCryptoBoringSSL_CRYPTO_set_thread_local\n"
           "leak:err_get_state\n";
}
