// fd_write, fd_read: as many buffers as POSIX systems take, all of them. [POSIX: IOV_MAX on Linux]
#include "wasi.h"

void test(void) {
    static ciovec out[1024];
    static iovec in[1024];
    static char bytes[1024];
    u64 at;
    u32 n;
    fd file = opened("new", CREAT | EXCL);
    for (u32 i = 0; i < 1024; i++) {
        bytes[i] = (char)(i * 7);
        out[i] = (ciovec){bytes + i, 1};
        in[i] = (iovec){bytes + i, 1};
    }
    expect(SUCCESS, fd_write(file, out, 1024, &n));
    holds(n == 1024);
    fill(bytes, 0, 1024);
    expect(SUCCESS, fd_seek(file, 0, SET, &at));
    expect(SUCCESS, fd_read(file, in, 1024, &n));
    holds(n == 1024);
    for (u32 i = 0; i < 1024; i++) holds(bytes[i] == (char)(i * 7));
}
