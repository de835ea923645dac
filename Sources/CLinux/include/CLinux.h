#ifndef CLINUX_H
#define CLINUX_H

// What Swift cannot call itself: variadic functions, raw system calls, and memory for secrets whose
// wiping no optimiser may remove. Every function answers as the call below it does (-1 and errno).
//
// No header of the C library's is included here but these two: Swift would otherwise take this module for the
// owner of `struct stat` and its like, and ask everybody who uses them to import it.

#include <stddef.h>
#include <stdint.h>

/// Asks the kernel to send `signal` to this process when the thread that spawned it ends.
/// Returns 1 when the parent is no longer `expected_parent` (it died before the request), else 0 or -1.
int clinux_die_with_parent(int signal, int expected_parent);

/// Non-dumpable: no core, no ptrace and no /proc/<pid>/mem for processes of the same user.
int clinux_set_dumpable(int dumpable);

int clinux_is_dumpable(void);

/// Soft and hard limit of core files to zero.
int clinux_forbid_core_files(void);

/// Soft limit of locked memory in bytes; UINT64_MAX where unlimited or unknown.
uint64_t clinux_locked_memory_limit_bytes(void);

/// Opens `path` below `directory`: no absolute path, no `..` out of it, no symbolic link anywhere.
/// O_CLOEXEC is always added. A result of -1 with EXDEV or ELOOP means that the path tried to leave.
int clinux_openat_beneath(int directory, const char *path, int flags, unsigned int mode);

/// Soft limit of core files in bytes; UINT64_MAX where unlimited or unknown.
uint64_t clinux_core_limit_bytes(void);

/// Crashes end the process without a report of it: reports of the language's runtime show memory beside registers.
void clinux_forbid_crash_reports(void);

/// Anonymous pages of their own for secrets, `bytes` a multiple of the page: excluded from core files, wiped in a
/// forked child, between two pages that nobody may touch, and locked where the limit allows (`*locked` says so).
/// Returns NULL when there is no memory.
void *clinux_secret_map(size_t bytes, int *locked);

/// Overwrites and gives back what `clinux_secret_map` made with the same `bytes`.
void clinux_secret_unmap(void *base, size_t bytes);

/// Fills a region from the kernel's random source, without a copy elsewhere. Returns 0, or -1 and errno.
int clinux_random(void *base, size_t bytes);

/// Zeroes memory in a way that no optimiser removes.
void clinux_wipe(void *base, size_t bytes);

/// 1 when the two regions are equal. Time depends on `bytes` alone.
int clinux_constant_time_equal(const void *a, const void *b, size_t bytes);

/// Keeps the allocator from mapping and unmapping pages for every large buffer: blocks up to 32 MiB come from the
/// heap, and the heap's end is given back only above 64 MiB. For processes that seal and open long frames.
void clinux_keep_large_allocations(void);

/// Moves up to `bytes` from one descriptor to the other, one of which is a pipe, without a copy through this process
/// (splice). Returns how many, 0 at the end, or -1 and errno.
long clinux_splice(int from, int to, size_t bytes);

/// Sets blocks aside for the first `bytes` of a file, whose length stays as it is. Returns 0, or -1 and errno; the C
/// library does not write zeroes instead where the file system cannot do it.
int clinux_reserve(int file, int64_t bytes);

/// Whether `bytes` bytes hold the `wanted_bytes` bytes at `wanted` (memmem).
int clinux_contains(const void *base, size_t bytes, const void *wanted, size_t wanted_bytes);

#endif
