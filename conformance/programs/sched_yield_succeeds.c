// sched_yield: it gives way and comes back. [official: sched_yield]
#include "wasi.h"

void test(void) {
    for (u32 i = 0; i < 10; i++) expect(SUCCESS, sched_yield());
}
