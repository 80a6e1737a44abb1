// fd_readdir: fewer bytes than the buffer holds: the end; the last cookie gives nothing more. [spec: fd_readdir bufused]
#include "wasi.h"

void test(void) {
    char buf[512];
    u64 last = 0;
    make_directory("d");
    fd directory = opened_directory("d");
    u32 used = list(directory, buf, sizeof buf, 0);
    holds(used < sizeof buf);
    for (u32 at = 0; at < used; at += sizeof(dirent) + ((dirent *)(buf + at))->namlen)
        last = ((dirent *)(buf + at))->next;
    holds(list(directory, buf, sizeof buf, last) == 0);
}
