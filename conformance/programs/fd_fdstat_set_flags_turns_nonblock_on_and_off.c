// fd_fdstat_set_flags: NONBLOCK is shown while it is set. [official: fd_flags_set]
#include "wasi.h"

void test(void) {
    fdstat stat;
    fd file = opened("text.txt", 0);
    expect(SUCCESS, fd_fdstat_set_flags(file, NONBLOCK));
    expect(SUCCESS, fd_fdstat_get(file, &stat));
    holds(stat.flags == NONBLOCK);
    expect(SUCCESS, fd_fdstat_set_flags(file, 0));
    expect(SUCCESS, fd_fdstat_get(file, &stat));
    holds(stat.flags == 0);
}
