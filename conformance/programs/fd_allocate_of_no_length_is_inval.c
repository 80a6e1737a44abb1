// fd_allocate: a length of 0. [POSIX: posix_fallocate]
#include "wasi.h"

void test(void) {
    fd file = opened("new", CREAT | EXCL);
    expect_either(INVAL, NOTSUP, fd_allocate(file, 0, 0));
    holds(stat_of("new").size == 0);
}
