// fd_allocate: a descriptor that cannot write. [POSIX: posix_fallocate, BADF; spec: rights, NOTCAPABLE]
#include "wasi.h"

void test(void) {
    fd file = opened_with("text.txt", 0, FD_READ, 0);
    u32 answer = fd_allocate(file, 0, 100);
    holds(answer == BADF || answer == NOTCAPABLE || answer == NOTSUP);
    holds(stat_of("text.txt").size == 13);
}
