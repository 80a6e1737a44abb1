// fd_pread: each call sees the memory as it is by then. [core spec: memory.grow]
#define OWN_START
#include "wasi.h"

__attribute__((export_name("grow"))) void grow(void) {
    holds(__builtin_wasm_memory_grow(0, 16) != (__SIZE_TYPE__)-1);
}

__attribute__((export_name("use"))) void use(void) {
    u32 nread;
    iovec iov = {MEMORY_END - 13, 13};
    fd file = opened("text.txt", 0);
    expect(SUCCESS, fd_pread(file, &iov, 1, 0, &nread));
    holds(nread == 13 && same(iov.buf, "hello, world\n", 13));
    expect(SUCCESS, fd_close(file));
}
