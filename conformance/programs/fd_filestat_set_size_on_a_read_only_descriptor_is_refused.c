// fd_filestat_set_size: a descriptor that cannot write. [POSIX: ftruncate, INVAL or BADF; spec: rights, NOTCAPABLE]
#include "wasi.h"

void test(void) {
    fd file = opened_with("text.txt", 0, FD_READ, 0);
    u32 answer = fd_filestat_set_size(file, 0);
    holds(answer == INVAL || answer == BADF || answer == NOTCAPABLE);
    holds(stat_of("text.txt").size == 13);
}
