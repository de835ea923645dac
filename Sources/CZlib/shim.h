#ifndef FORECASTLE_CZLIB_SHIM_H
#define FORECASTLE_CZLIB_SHIM_H

#include <zlib.h>

// deflateInit2 is a macro, which Swift does not see.

/// Prepares a stream whose output is a gzip file. Answers Z_OK or zlib's error.
static inline int czlib_begin_gzip(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}

#endif
