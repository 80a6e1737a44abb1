// fd_readdir: the padding of each entry is zero or untouched. [ours]
#include "wasi.h"

void test(void) {
    char buf[512];
    for (u32 round = 0; round < 2; round++) {
        u8 pattern = round ? 0x55 : 0xAA;
        fill(buf, pattern, sizeof buf);
        u32 used = list(opened_directory("sub"), buf, sizeof buf, 0);
        for (u32 at = 0; at < used; at += sizeof(dirent) + ((dirent *)(buf + at))->namlen) {
            u8 *padding = ((dirent *)(buf + at))->padding;
            holds(filled(padding, pattern, 3) || filled(padding, 0, 3));
        }
        holds(filled(buf + used, pattern, sizeof buf - used));
    }
}
