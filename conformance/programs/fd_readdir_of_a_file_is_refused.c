// fd_readdir: what is no directory. [POSIX: readdir, BADF; getdents, NOTDIR]
#include "wasi.h"

void test(void) {
    char buf[64];
    u32 used;
    fd file = opened("text.txt", 0);
    u32 answer = fd_readdir(file, buf, sizeof buf, 0, &used);
    holds(answer == BADF || answer == NOTDIR || answer == NOTCAPABLE);
}
