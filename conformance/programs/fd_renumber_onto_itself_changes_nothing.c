// fd_renumber: source and target the same. [POSIX: dup2]
#include "wasi.h"

void test(void) {
    fd file = opened("text.txt", 0);
    expect(SUCCESS, fd_renumber(file, file));
    holds(position(file) == 0);
}
