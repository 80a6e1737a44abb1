// fd_advise: each of the six advices, also beyond the end. [official: fd_advise]
#include "wasi.h"

void test(void) {
    fd file = opened("text.txt", 0);
    for (u32 advice = NORMAL; advice <= NOREUSE; advice++) {
        expect(SUCCESS, fd_advise(file, 0, 13, advice));
        expect(SUCCESS, fd_advise(file, 1000, 0, advice));
    }
}
