// fd_filestat_set_size: a size from 2^63 up is negative to POSIX. [POSIX: ftruncate]
#include "wasi.h"

void test(void) {
    fd file = opened("text.txt", 0);
    expect(INVAL, fd_filestat_set_size(file, 1ull << 63));
    expect(INVAL, fd_filestat_set_size(file, ~0ull));
    holds(stat_of("text.txt").size == 13);
}
