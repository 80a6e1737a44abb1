// fd_read: bytes of the buffer behind those read stay. [POSIX: read]
#include "wasi.h"

void test(void) {
    char buf[20];
    fill(buf, 0xAA, 20);
    fd file = opened("text.txt", 0);
    holds(read_up_to(file, buf, 20) == 13);
    holds(filled(buf + 13, 0xAA, 7));
}
