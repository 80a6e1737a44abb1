// sock_send: there are no flags. [spec: siflags]
#include "wasi.h"

void test(void) {
    ciovec iov = {"x", 1};
    u32 n;
    expect(INVAL, sock_send(3, &iov, 1, 1, &n));
}
