// _GNU_SOURCE is defined for this file alone, never for what Swift imports.
#define _GNU_SOURCE 1

#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int clinux_die_with_parent(int signal, int expected_parent) {
    if (prctl(PR_SET_PDEATHSIG, (unsigned long)signal, 0UL, 0UL, 0UL) != 0) return -1;
    return getppid() == expected_parent ? 0 : 1;
}

int clinux_set_dumpable(int dumpable) {
    return prctl(PR_SET_DUMPABLE, (unsigned long)dumpable, 0UL, 0UL, 0UL);
}

int clinux_is_dumpable(void) {
    return prctl(PR_GET_DUMPABLE, 0UL, 0UL, 0UL, 0UL);
}

int clinux_forbid_core_files(void) {
    const struct rlimit none = {0, 0};
    return setrlimit(RLIMIT_CORE, &none);
}

uint64_t clinux_locked_memory_limit_bytes(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return UINT64_MAX;
    return (uint64_t)limit.rlim_cur;
}

int clinux_openat_beneath(int directory, const char *path, int flags, unsigned int mode) {
    struct open_how how;
    memset(&how, 0, sizeof how);
    how.flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC);
    // openat2 refuses a mode unless a file may be made.
    how.mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? (uint64_t)mode : 0;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

uint64_t clinux_core_limit_bytes(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return UINT64_MAX;
    return (uint64_t)limit.rlim_cur;
}

void clinux_forbid_crash_reports(void) {
    static const int crashes[] = {SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP};
    for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++) (void)signal(crashes[i], SIG_DFL);
}

static size_t page_bytes(void) {
    long bytes = sysconf(_SC_PAGESIZE);
    return bytes > 0 ? (size_t)bytes : 4096;
}

void *clinux_secret_map(size_t bytes, int *locked) {
    // Reserved whole without access, then opened in the middle: what reads or writes past a secret's pages faults.
    const size_t guard = page_bytes();
    char *reserved = mmap(NULL, bytes + 2 * guard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED) return NULL;
    char *base = reserved + guard;
    if (mprotect(base, bytes, PROT_READ | PROT_WRITE) != 0) {
        (void)munmap(reserved, bytes + 2 * guard);
        return NULL;
    }
    (void)madvise(base, bytes, MADV_DONTDUMP);
    (void)madvise(base, bytes, MADV_WIPEONFORK);
    *locked = mlock(base, bytes) == 0;
    return base;
}

void clinux_secret_unmap(void *base, size_t bytes) {
    const size_t guard = page_bytes();
    explicit_bzero(base, bytes);
    (void)munlock(base, bytes);
    (void)munmap((char *)base - guard, bytes + 2 * guard);
}

int clinux_random(void *base, size_t bytes) {
    unsigned char *next = (unsigned char *)base;
    while (bytes > 0) {
        ssize_t got = getrandom(next, bytes, 0);
        if (got < 0) {
            if (errno == EINTR) continue;
            return -1;
        }
        next += got;
        bytes -= (size_t)got;
    }
    return 0;
}

void clinux_wipe(void *base, size_t bytes) {
    if (bytes != 0) explicit_bzero(base, bytes);
}

int clinux_constant_time_equal(const void *a, const void *b, size_t bytes) {
    const volatile unsigned char *left = (const volatile unsigned char *)a;
    const volatile unsigned char *right = (const volatile unsigned char *)b;
    volatile unsigned char difference = 0;
    for (size_t i = 0; i < bytes; i++) difference = (unsigned char)(difference | (left[i] ^ right[i]));
    return difference == 0;
}

void clinux_keep_large_allocations(void) {
    (void)mallopt(M_MMAP_THRESHOLD, 32 << 20);
    (void)mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

long clinux_splice(int from, int to, size_t bytes) {
    return splice(from, NULL, to, NULL, bytes, SPLICE_F_MOVE);
}

int clinux_reserve(int file, int64_t bytes) {
    return fallocate(file, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes);
}

int clinux_contains(const void *base, size_t bytes, const void *wanted, size_t wanted_bytes) {
    return memmem(base, bytes, wanted, wanted_bytes) != NULL;
}
