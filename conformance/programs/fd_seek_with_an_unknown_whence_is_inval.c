// fd_seek: a whence that is none. [POSIX: lseek]
#include "wasi.h"

void test(void) {
    u64 at;
    fd file = opened("text.txt", 0);
    expect(INVAL, fd_seek(file, 0, 3, &at));
    expect(INVAL, fd_seek(file, 0, 255, &at));
}
