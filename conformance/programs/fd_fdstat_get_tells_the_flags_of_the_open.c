// fd_fdstat_get: none, APPEND and NONBLOCK as they were given to path_open. [spec: fdstat]
#include "wasi.h"

void test(void) {
    fdstat stat;
    u32 flags[] = {0, APPEND, NONBLOCK};
    for (u32 i = 0; i < 3; i++) {
        fd file = opened_with("text.txt", 0, FILE_RIGHTS, flags[i]);
        expect(SUCCESS, fd_fdstat_get(file, &stat));
        holds(stat.flags == flags[i]);
    }
}
