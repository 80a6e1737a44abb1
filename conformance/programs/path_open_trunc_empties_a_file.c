// path_open: TRUNC cuts what is there to 0 bytes. [POSIX: open]
#include "wasi.h"

void test(void) {
    opened("text.txt", TRUNC);
    holds(stat_of("text.txt").size == 0);
}
