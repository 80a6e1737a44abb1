// fd_read: at the end of a file, again and again, 0 bytes and no error. [POSIX: read]
#include "wasi.h"

void test(void) {
    char buf[16];
    fd file = opened("text.txt", 0);
    holds(read_up_to(file, buf, 16) == 13);
    holds(read_up_to(file, buf, 16) == 0);
    holds(read_up_to(file, buf, 16) == 0);
}
