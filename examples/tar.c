/* tar: puts files and directories into an archive, lists it, and takes them out again.
 *
 *   tar -c [-v] [-f FILE] [-C DIR] PATH...     creates an archive
 *   tar -x [-v] [-f FILE] [-C DIR] [NAME]...   extracts it, or only what is named
 *   tar -t [-v] [-f FILE] [NAME]...            lists it
 *
 * FILE may be `-` (and is, without -f): the standard output or input. Archives are ustar, with
 * pax headers for long names; read are also GNU's own format and all of pax but sparse files.
 * Output and exit status (0 or 2) are GNU tar's in the C locale and in UTC, but names that are
 * absolute or contain `..` are refused on extraction.
 *
 * WASI has no owners and modes: 0 and 0644, 0755 or 0777 are stored, and none restored; -p is
 * accepted. Directories are stored in the order of their names.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef unsigned char byte;

static int opt_c, opt_t, opt_v, opt_x;
static const char *archive_name = "-";
static int failed;

/* ---- output ---------------------------------------------------------------------------- */

struct stream { int fd; size_t len; char data[4096]; };
static struct stream out = {.fd = 1}, err = {.fd = 2};

static int write_all(int fd, const void *data, size_t len)
{
    const byte *from = data;
    while (len) {
        ssize_t n = write(fd, from, len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return 0;
        from += n;
        len -= (size_t)n;
    }
    return 1;
}

static void flush(struct stream *to)
{
    if (!write_all(to->fd, to->data, to->len)) _exit(2);
    to->len = 0;
}

static void put(struct stream *to, const char *data, size_t len)
{
    for (; len; len--) {
        if (to->len == sizeof to->data) flush(to);
        to->data[to->len++] = *data++;
    }
}

static void put_text(struct stream *to, const char *text) { put(to, text, strlen(text)); }

static void put_number(struct stream *to, unsigned long long value)
{
    char digits[24], *p = digits + sizeof digits;
    do *--p = (char)('0' + value % 10); while (value /= 10);
    put(to, p, (size_t)(digits + sizeof digits - p));
}

/* A name with all that is not printable ASCII as escapes; it cannot mislead a terminal. */
static void put_name(struct stream *to, const char *name)
{
    for (; *name; name++) {
        byte b = (byte)*name;
        const char *letter = b < 14 && b >= 7 ? &"abtnvfr"[b - 7] : b == '\\' ? "\\" : NULL;
        if (letter) {
            char pair[2] = {'\\', *letter};
            put(to, pair, 2);
        } else if (b >= ' ' && b < 127) {
            put(to, name, 1);
        } else {
            char octal[4] = {'\\', (char)('0' + (b >> 6)), (char)('0' + (b >> 3 & 7)),
                             (char)('0' + (b & 7))};
            put(to, octal, 4);
        }
    }
}

static void warn(const char *name, const char *what, const char *why)
{
    flush(&out);
    put_text(&err, "tar: ");
    if (name) {
        put_name(&err, name);
        put_text(&err, ": ");
    }
    put_text(&err, what);
    if (why) {
        put_text(&err, ": ");
        put_text(&err, why);
    }
    put_text(&err, "\n");
    flush(&err);
}

static void fail(const char *name, const char *what, const char *why)
{
    failed = 2;
    warn(name, what, why);
}

static _Noreturn void die(const char *name, const char *what, const char *why)
{
    warn(name, what, why);
    warn(NULL, "Error is not recoverable: exiting now", NULL);
    _exit(2);
}

static _Noreturn void usage(void)
{
    put_text(&err, "Usage: tar -c|-x|-t [-vp] [-f FILE] [-C DIR] [PATH]...\n");
    flush(&err);
    _exit(2);
}

static void *grow(void *old, size_t size)
{
    void *p = realloc(old, size);
    if (!p) die(NULL, "memory exhausted", NULL);
    return p;
}

/* "DIR/NAME"; DIR may be NULL, and is left out before an absolute name. */
static char *join(const char *dir, const char *name)
{
    if (!dir || *name == '/') dir = "";
    size_t len = strlen(dir);
    char *path = grow(NULL, len + strlen(name) + 2);
    strcpy(path, dir);
    if (len && dir[len - 1] != '/') path[len++] = '/';
    strcpy(path + len, name);
    return path;
}

#include "tar_format.h"
#include "tar_archive.h"
#include "tar_create.h"
#include "tar_extract.h"

/* ---- the command line ------------------------------------------------------------------- */

static const char *base; /* from -C */
static const char **operands, **bases;
static int operand_count;

/* Reads one group of letters such as `-cf`; answers how many further arguments it took. With a
 * dash, the rest of the word may be a letter's value. */
static int options(char **args, int left, int has_dash)
{
    int taken = 0;
    for (const char *p = args[0] + has_dash; *p; p++) {
        if (*p == 'c') opt_c = 1;
        else if (*p == 't') opt_t = 1;
        else if (*p == 'x') opt_x = 1;
        else if (*p == 'v') opt_v = 1;
        else if (*p == 'f' || *p == 'C') {
            int here = has_dash && p[1];
            if (!here && taken == left) usage();
            const char *value = here ? p + 1 : args[++taken];
            if (*p == 'f') archive_name = value;
            else base = join(base, value);
            if (here) break;
        } else if (*p != 'p') usage();
    }
    return taken;
}

static void create(void)
{
    int is_output = !strcmp(archive_name, "-");
    if (!operand_count) die(NULL, "Cowardly refusing to create an empty archive", NULL);
    archive = is_output ? 1 : open(archive_name, O_RDWR | O_CREAT | O_TRUNC, 0666);
    if (archive < 0) die(archive_name, "Cannot open", strerror(errno));
    for (int k = 0; k < operand_count; k++) {
        char *name = stored_name(operands[k]), *path = join(bases[k], operands[k]);
        for (size_t len = strlen(path); len > 1 && path[len - 1] == '/';) path[--len] = 0;
        add(path, name);
    }
    write_end();
    if (!is_output && close(archive)) die(archive_name, "Cannot close", strerror(errno));
}

/* Whether a member is asked for: itself, or a directory it is in. */
static int is_wanted(const char *name, byte *met)
{
    int found = !operand_count;
    for (int k = 0; k < operand_count; k++) {
        size_t len = strlen(operands[k]);
        while (len > 1 && operands[k][len - 1] == '/') len--;
        if (strncmp(name, operands[k], len) || (name[len] && name[len] != '/')) continue;
        found = met[k] = 1;
    }
    return found;
}

static void read_archive(void)
{
    int is_input = !strcmp(archive_name, "-");
    byte *met = grow(NULL, (size_t)operand_count + 1);
    struct member m;
    memset(met, 0, (size_t)operand_count + 1);
    archive = is_input ? 0 : open(archive_name, O_RDONLY);
    if (archive < 0) die(archive_name, "Cannot open", strerror(errno));
    if (opt_x) {
        root = open(base ? base : ".", O_RDONLY | O_DIRECTORY);
        if (root < 0) die(base ? base : ".", "Cannot open", strerror(errno));
    }
    while (read_member(&m)) {
        if (is_wanted(m.name, met)) {
            list(&m);
            if (opt_x) extract(&m);
        }
        skip((unsigned long long)m.size);
        free_member(&m);
    }
    read_rest();
    finish_directories();
    for (int k = 0; k < operand_count; k++)
        if (!met[k]) fail(operands[k], "Not found in archive", NULL);
}

int main(int argc, char **argv)
{
    int only_operands = 0;
    operands = grow(NULL, sizeof *operands * (size_t)(argc + 1));
    bases = grow(NULL, sizeof *bases * (size_t)(argc + 1));
    for (int k = 1; k < argc; k++) {
        int has_dash = argv[k][0] == '-' && argv[k][1];
        if (!only_operands && !strcmp(argv[k], "--")) {
            only_operands = 1;
        } else if (!only_operands && (has_dash || k == 1)) {
            k += options(argv + k, argc - k - 1, has_dash);
        } else {
            bases[operand_count] = base;
            operands[operand_count++] = argv[k];
        }
    }
    if (opt_c + opt_t + opt_x != 1) usage();
    if (opt_c) create();
    else read_archive();
    flush(&out);
    if (failed) warn(NULL, "Exiting with failure status due to previous errors", NULL);
    return failed;
}
