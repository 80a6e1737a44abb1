// fd_fdstat_set_flags: bits that are no flags. [ours]
#include "wasi.h"

void test(void) {
    fd file = opened("text.txt", 0);
    expect(INVAL, fd_fdstat_set_flags(file, 1 << 5));
    expect(INVAL, fd_fdstat_set_flags(file, 1 << 15));
}
