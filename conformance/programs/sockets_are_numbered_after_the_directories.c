// fd_prestat_get, fd_fdstat_get: a scan for preopens that ends at the first BADF finds every directory. [wasi-libc]
#include "wasi.h"

void test(void) {
    prestat pre;
    fdstat stat;
    expect(SUCCESS, fd_prestat_get(3, &pre));
    expect(BADF, fd_prestat_get(4, &pre));
    expect(SUCCESS, fd_fdstat_get(4, &stat));
    holds(stat.filetype == SOCKET_STREAM || stat.filetype == SOCKET_DGRAM);
}
