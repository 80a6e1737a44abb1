// fd_readdir: each cookie leads to the entry behind its own, as often as it is given. [official: fd_readdir]
#include "wasi.h"

void test(void) {
    char whole[512], rest[512];
    make_directory("d");
    make_file("d/a", "");
    make_file("d/b", "");
    fd directory = opened_directory("d");
    u32 used = list(directory, whole, sizeof whole, 0);
    for (u32 round = 0; round < 2; round++)
        for (u32 at = 0; at < used;) {
            dirent *head = (dirent *)(whole + at);
            at += sizeof *head + head->namlen;
            holds(list(directory, rest, sizeof rest, head->next) == used - at);
            holds(same(rest, whole + at, used - at));
        }
}
