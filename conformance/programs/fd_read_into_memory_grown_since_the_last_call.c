// fd_read: memory that the program has just grown is memory. [core spec: memory.grow]
#include "wasi.h"

void test(void) {
    fd file = opened("text.txt", 0);
    char *grown = MEMORY_END;
    iovec iov = {grown + 65536 - 13, 13};
    holds(position(file) == 0);
    holds(__builtin_wasm_memory_grow(0, 1) != (__SIZE_TYPE__)-1);
    expect(SUCCESS, fd_read(file, &iov, 1, (u32 *)grown));
    holds(*(u32 *)grown == 13 && same(iov.buf, "hello, world\n", 13));
}
