#ifndef CLINUX_H
#define CLINUX_H

// What Swift cannot call itself: variadic functions, raw system calls, and memory for secrets whose
// wiping no optimiser may remove. Every wrapper answers as the call below it does (-1 and errno).

// _GNU_SOURCE stays undefined: with it the C library's types would differ from those Swift already imported.

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/// Asks the kernel to send `signal` to this process when the thread that spawned it ends.
/// Returns 1 when the parent is no longer `expected_parent` (it died before the request), else 0 or -1.
static inline int clinux_die_with_parent(int signal, pid_t expected_parent) {
    if (prctl(PR_SET_PDEATHSIG, (unsigned long)signal, 0UL, 0UL, 0UL) != 0) return -1;
    return getppid() == expected_parent ? 0 : 1;
}

/// Non-dumpable: no core, no ptrace and no /proc/<pid>/mem for processes of the same user.
static inline int clinux_set_dumpable(int dumpable) {
    return prctl(PR_SET_DUMPABLE, (unsigned long)dumpable, 0UL, 0UL, 0UL);
}

static inline int clinux_is_dumpable(void) {
    return prctl(PR_GET_DUMPABLE, 0UL, 0UL, 0UL, 0UL);
}

/// Soft and hard limit of core files to zero.
static inline int clinux_forbid_core_files(void) {
    const struct rlimit none = {0, 0};
    return setrlimit(RLIMIT_CORE, &none);
}

/// Soft limit of locked memory in bytes; UINT64_MAX where unlimited or unknown.
static inline uint64_t clinux_locked_memory_limit_bytes(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return UINT64_MAX;
    return (uint64_t)limit.rlim_cur;
}

/// Opens `path` below `directory`: no absolute path, no `..` out of it, no symbolic link anywhere.
/// O_CLOEXEC is always added. A result of -1 with EXDEV or ELOOP means that the path tried to leave.
static inline int clinux_openat_beneath(int directory, const char *path, int flags, unsigned int mode) {
    struct open_how how;
    memset(&how, 0, sizeof how);
    how.flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC);
    // openat2 refuses a mode unless a file may be made (__O_TMPFILE is the bit beside O_DIRECTORY in O_TMPFILE).
    how.mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? (uint64_t)mode : 0;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

/// Anonymous pages of their own for a secret: excluded from core files, wiped in a forked child, and locked
/// where the limit allows (`*locked` says so). Returns NULL when there is no memory.
static inline void *clinux_secret_map(size_t bytes, int *locked) {
    void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) return NULL;
    (void)madvise(base, bytes, MADV_DONTDUMP);
    (void)madvise(base, bytes, MADV_WIPEONFORK);
    *locked = mlock(base, bytes) == 0;
    return base;
}

static inline void clinux_secret_unmap(void *base, size_t bytes) {
    explicit_bzero(base, bytes);
    (void)munlock(base, bytes);
    (void)munmap(base, bytes);
}

/// Fills a region from the kernel's random source, without a copy elsewhere. Returns 0, or -1 and errno.
static inline int clinux_random(void *base, size_t bytes) {
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

/// Zeroes memory in a way that no optimiser removes.
static inline void clinux_wipe(void *base, size_t bytes) {
    if (bytes != 0) explicit_bzero(base, bytes);
}

/// 1 when the two regions are equal. Time depends on `bytes` alone.
static inline int clinux_constant_time_equal(const void *a, const void *b, size_t bytes) {
    const volatile unsigned char *left = (const volatile unsigned char *)a;
    const volatile unsigned char *right = (const volatile unsigned char *)b;
    volatile unsigned char difference = 0;
    for (size_t i = 0; i < bytes; i++) difference = (unsigned char)(difference | (left[i] ^ right[i]));
    return difference == 0;
}

/// Keeps the allocator from mapping and unmapping pages for every large buffer: blocks up to 32 MiB come from the
/// heap, and the heap's end is given back only above 64 MiB. For processes that seal and open long frames.
static inline void clinux_keep_large_allocations(void) {
    (void)mallopt(M_MMAP_THRESHOLD, 32 << 20);
    (void)mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

#endif
