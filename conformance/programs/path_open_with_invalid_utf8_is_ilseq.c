// path_open: text that is no UTF-8: a lone byte, overlong, a surrogate, cut. [spec: errno ilseq]
#include "wasi.h"

void test(void) {
    fd file;
    expect(ILSEQ, path_open(ROOT, 0, PATH("\xff"), CREAT, FILE_RIGHTS, 0, 0, &file));
    expect(ILSEQ, path_open(ROOT, 0, PATH("\xc0\xae"), CREAT, FILE_RIGHTS, 0, 0, &file));
    expect(ILSEQ, path_open(ROOT, 0, PATH("\xed\xa0\x80"), CREAT, FILE_RIGHTS, 0, 0, &file));
    expect(ILSEQ, path_open(ROOT, 0, PATH("caf\xc3"), CREAT, FILE_RIGHTS, 0, 0, &file));
}
