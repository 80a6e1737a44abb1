// path_open: dot-dot and doubled slashes that stay inside. [official: interesting_paths]
#include "wasi.h"

void test(void) {
    opened("sub/../text.txt", 0);
    opened("./sub/.././sub//inside.txt", 0);
    make_directory("sub/deep");
    opened("sub/deep/../../text.txt", 0);
}
