// fd_renumber: the target must be open, and so must the source. [official: renumber]
#include "wasi.h"

void test(void) {
    fd file = opened("text.txt", 0);
    expect(BADF, fd_renumber(file, 1000));
    expect(BADF, fd_renumber(1000, file));
    holds(position(file) == 0);
}
