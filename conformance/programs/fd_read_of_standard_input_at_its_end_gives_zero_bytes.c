// fd_read: an empty standard input is at its end at once. [POSIX: read]
#include "wasi.h"

void test(void) {
    char buf[8];
    holds(read_up_to(STDIN, buf, 8) == 0);
    holds(read_up_to(STDIN, buf, 8) == 0);
}
