// fd_advise: an advice that is none. [POSIX: posix_fadvise]
#include "wasi.h"

void test(void) {
    fd file = opened("text.txt", 0);
    expect(INVAL, fd_advise(file, 0, 0, 6));
    expect(INVAL, fd_advise(file, 0, 0, 255));
}
