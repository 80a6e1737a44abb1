// sock_accept: a socket that does not listen. [POSIX: accept, EINVAL]
#include "wasi.h"

void test(void) {
    fd connection;
    expect(INVAL, sock_accept(3, 0, &connection));
}
