// fd_tell, fd_write: a write with APPEND leaves the position at the end. [POSIX: write, O_APPEND]
#include "wasi.h"

void test(void) {
    fd file = opened_with("text.txt", 0, FILE_RIGHTS, APPEND);
    holds(position(file) == 0);
    write_text(file, "!");
    holds(position(file) == 14);
}
