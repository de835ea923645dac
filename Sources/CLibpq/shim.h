#ifndef FORECASTLE_CLIBPQ_SHIM_H
#define FORECASTLE_CLIBPQ_SHIM_H

#include <libpq-fe.h>
#include <sys/eventfd.h>

// Swift's own import of the C library leaves eventfd out. A connection's thread sleeps on one, beside its socket.
static inline int clibpq_eventfd(void) { return eventfd(0, EFD_CLOEXEC); }

#endif
