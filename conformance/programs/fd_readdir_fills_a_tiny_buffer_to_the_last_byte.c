// fd_readdir: an entry that does not fit is cut, so that the buffer is full: there is more. [spec: fd_readdir bufused]
#include "wasi.h"

void test(void) {
    char whole[512], buf[512];
    make_directory("d");
    make_file("d/name", "");
    fd directory = opened_directory("d");
    fill(whole, 0xAA, sizeof whole);
    u32 all = list(directory, whole, sizeof whole, 0);
    for (u32 size = 0; size <= all; size++) {
        fill(buf, 0xAA, sizeof buf);
        holds(list(directory, buf, size, 0) == size);
        holds(same(buf, whole, size) && filled(buf + size, 0xAA, sizeof buf - size));
    }
}
