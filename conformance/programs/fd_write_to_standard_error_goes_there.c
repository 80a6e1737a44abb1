// fd_write: standard output and standard error are two streams. [POSIX: stdio]
#include "wasi.h"

void test(void) {
    write_text(STDERR, "to error\n");
    write_text(STDOUT, "to output\n");
}
