// path_filestat_get: the size after each write, without closing. [POSIX: write, fstatat]
#include "wasi.h"

void test(void) {
    fd file = opened("new", CREAT | EXCL);
    for (u32 i = 1; i <= 3; i++) {
        write_text(file, "ab");
        holds(stat_of("new").size == 2 * i);
    }
}
