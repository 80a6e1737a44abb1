/* grep: prints the lines that match a pattern, in files and whole trees.
 *
 *   grep [-rRnilLcvHhwxqsEF] [-e PATTERN] [PATTERN] [FILE]...
 *
 * Output and exit status (0 a line was selected, 1 none was, 2 an error) are GNU grep's in the
 * C locale; directories are walked in the order of their names. Patterns are basic (or, with -E,
 * extended) regular expressions without back-references.
 *
 * `pattern.h` compiles and matches the patterns. No stdio: printf alone would double the size
 * of this program.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef unsigned char byte;

static int opt_r, opt_n, opt_i, opt_l, opt_L, opt_c, opt_v;
static int opt_w, opt_x, opt_q, opt_s, opt_E, opt_F;
static int names = -1; /* -1: not decided by -H or -h */
static int had_error, had_match;

/* ---- output ---------------------------------------------------------------------------- */

static char out[1 << 16];
static size_t out_len;

static void write_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);
        if (n < 0) {
            if (errno == EINTR) continue;
            _exit(2);
        }
        data += n;
        len -= (size_t)n;
    }
}

static void flush(void)
{
    write_all(1, out, out_len);
    out_len = 0;
}

static void put(const void *data, size_t len)
{
    if (len > sizeof out - out_len) flush();
    if (len > sizeof out) {
        write_all(1, data, len);
        return;
    }
    memcpy(out + out_len, data, len);
    out_len += len;
}

static void puts_out(const char *text) { put(text, strlen(text)); }

static void put_number(unsigned long long value)
{
    char digits[24], *p = digits + sizeof digits;
    do *--p = (char)('0' + value % 10); while (value /= 10);
    put(p, (size_t)(digits + sizeof digits - p));
}

static void complain(const char *what, const char *why)
{
    flush();
    write_all(2, "grep: ", 6);
    write_all(2, what, strlen(what));
    if (why) {
        write_all(2, ": ", 2);
        write_all(2, why, strlen(why));
    }
    write_all(2, "\n", 1);
}

static _Noreturn void die(const char *what, const char *why)
{
    complain(what, why);
    exit(2);
}

static _Noreturn void usage(void)
{
    static const char text[] = "Usage: grep [-rnilLcvHhwxqsEF] [-e PATTERN] [PATTERN] [FILE]...\n";
    write_all(2, text, sizeof text - 1);
    exit(2);
}

static void file_error(const char *path)
{
    had_error = 1;
    if (!opt_s) complain(path, strerror(errno));
}

static void *grow(void *old, size_t size)
{
    void *p = realloc(old, size);
    if (!p) die("memory exhausted", NULL);
    return p;
}

/* ---- lines ------------------------------------------------------------------------------ */

#include "pattern.h"

/* The plain text of the only pattern, where the whole search can be memmem; else NULL. */
static const byte *plain;
static size_t plain_len;

static void find_plain(const byte *text, size_t len)
{
    if (opt_i || opt_w || opt_x) return;
    for (size_t k = 0; k < len; k++)
        if (!opt_F && strchr("\\.[]*^$+?{}|()", text[k])) return;
    plain = text;
    plain_len = len;
}

static int selected(const byte *text, size_t len)
{
    int found = plain ? memmem(text, len, plain, plain_len) != NULL : matches(text, len);
    return found != opt_v;
}

/* ---- files ------------------------------------------------------------------------------ */

static void put_name(const char *path, char after)
{
    puts_out(path);
    put(&after, 1);
}

struct search {
    const char *path;
    unsigned long long line_no, count;
    int with_name, binary, done;
};

static void one_line(struct search *s, const byte *text, size_t len)
{
    s->line_no++;
    if (!selected(text, len)) return;
    s->count++;
    had_match = 1;
    if (opt_q || opt_l || opt_L || (s->binary && !opt_c)) {
        s->done = 1;
        return;
    }
    if (opt_c) return;
    if (s->with_name) put_name(s->path, ':');
    if (opt_n) {
        put_number(s->line_no);
        put(":", 1);
    }
    put(text, len);
    put("\n", 1);
}

static void report(struct search *s)
{
    if (opt_q) {
        if (s->count) exit(0);
        return;
    }
    if (opt_c) {
        if (s->with_name) put_name(s->path, ':');
        put_number(s->count);
        put("\n", 1);
    }
    if ((opt_l && s->count) || (opt_L && !s->count)) put_name(s->path, '\n');
    if (s->binary && s->done && !(opt_c || opt_l || opt_L)) {
        puts_out("grep: ");
        puts_out(s->path);
        puts_out(": binary file matches\n");
    }
}

static void search_fd(int fd, const char *path, int with_name)
{
    static byte *buffer;
    static size_t room;
    struct search s = {path, 0, 0, with_name, 0, 0};
    size_t have = 0;
    for (;;) {
        if (room - have < 65536) buffer = grow(buffer, room = room * 2 + (1 << 17));
        if (fd == 0) flush();
        ssize_t n = read(fd, buffer + have, room - have);
        if (n < 0) {
            if (errno == EINTR) continue;
            file_error(path);
            if (!have && !s.line_no) return;
            break;
        }
        if (n == 0) break;
        if (memchr(buffer + have, 0, (size_t)n)) s.binary = 1;
        size_t begin = 0, scan = have;
        have += (size_t)n;
        byte *end;
        while (!s.done && (end = memchr(buffer + scan, '\n', have - scan))) {
            size_t at = (size_t)(end - buffer);
            one_line(&s, buffer + begin, at - begin);
            begin = scan = at + 1;
        }
        if (s.done) break;
        memmove(buffer, buffer + begin, have -= begin);
    }
    if (!s.done && have) one_line(&s, buffer, have);
    report(&s);
}

static void search_path(const char *path, int with_name, int on_command_line);

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void search_directory(const char *path, int hide_prefix)
{
    DIR *dir = opendir(path);
    if (!dir) {
        file_error(path);
        return;
    }
    char **list = NULL;
    size_t count = 0, prefix = hide_prefix ? 0 : strlen(path);
    int slash = prefix && path[prefix - 1] != '/';
    struct dirent *entry;
    errno = 0;
    while ((entry = readdir(dir))) {
        const char *name = entry->d_name;
        if (!strcmp(name, ".") || !strcmp(name, "..")) continue;
        if (!(count & (count - 1))) list = grow(list, sizeof *list * (count ? count * 2 : 1));
        char *full = grow(NULL, prefix + 2 + strlen(name));
        memcpy(full, path, prefix);
        if (slash) full[prefix] = '/';
        strcpy(full + prefix + slash, name);
        list[count++] = full;
        errno = 0;
    }
    if (errno) file_error(path);
    closedir(dir);
    if (count) qsort(list, count, sizeof *list, by_name);
    for (size_t k = 0; k < count; k++) {
        search_path(list[k], names != 0, 0);
        free(list[k]);
    }
    free(list);
}

static void search_path(const char *path, int with_name, int on_command_line)
{
    struct stat st;
    /* Links met on the way are not followed, those on the command line are; so too devices. */
    if (opt_r && !on_command_line) {
        if (lstat(path, &st)) {
            file_error(path);
            return;
        }
        if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) return;
    } else if (stat(path, &st)) {
        file_error(path);
        return;
    }
    if (S_ISDIR(st.st_mode)) {
        if (opt_r) {
            search_directory(path, 0);
            return;
        }
        errno = EISDIR;
        file_error(path);
        return;
    }
    int fd = open(path, O_RDONLY);
    if (fd < 0) {
        file_error(path);
        return;
    }
    search_fd(fd, path, with_name);
    close(fd);
}

/* ---- the command line ------------------------------------------------------------------- */

static int *flag_of(char c)
{
    switch (c) {
    case 'r': case 'R': return &opt_r;
    case 'n': return &opt_n;
    case 'i': return &opt_i;
    case 'l': return &opt_l;
    case 'L': return &opt_L;
    case 'c': return &opt_c;
    case 'v': return &opt_v;
    case 'w': return &opt_w;
    case 'x': return &opt_x;
    case 'q': return &opt_q;
    case 's': return &opt_s;
    case 'E': return &opt_E;
    case 'F': return &opt_F;
    default: return NULL;
    }
}

static const char **patterns;
static int pattern_count;

static void bad_option(const char *what, char c)
{
    char quoted[2] = {c, 0};
    flush();
    write_all(2, "grep: ", 6);
    write_all(2, what, strlen(what));
    write_all(2, quoted, 1);
    write_all(2, "'\n", 2);
    usage();
}

/* Reads one group of letters such as `-rn`; answers how many further arguments it took. */
static int options(char **args, int left)
{
    for (const char *p = args[0] + 1; *p; p++) {
        int *flag = flag_of(*p);
        if (flag) *flag = 1;
        else if (*p == 'H') names = 1;
        else if (*p == 'h') names = 0;
        else if (*p == 'e') {
            if (p[1]) return patterns[pattern_count++] = p + 1, 0;
            if (!left) bad_option("option requires an argument -- '", 'e');
            return patterns[pattern_count++] = args[1], 1;
        } else bad_option("invalid option -- '", *p);
    }
    return 0;
}

static void compile_all(void)
{
    if (pattern_count == 1 && !strchr(patterns[0], '\n'))
        find_plain((const byte *)patterns[0], strlen(patterns[0]));
    for (int k = 0; k < pattern_count; k++) {
        /* A newline separates patterns. */
        const char *text = patterns[k], *end;
        for (; (end = strchr(text, '\n')); text = end + 1)
            compile((const byte *)text, (size_t)(end - text), 0);
        compile((const byte *)text, strlen(text), k == pattern_count - 1);
    }
}

int main(int argc, char **argv)
{
    char **files = grow(NULL, sizeof *files * (size_t)(argc + 1));
    int count = 0;
    patterns = grow(NULL, sizeof *patterns * (size_t)(argc + 1));
    for (int k = 1; k < argc; k++) {
        if (!strcmp(argv[k], "--")) {
            while (++k < argc) files[count++] = argv[k];
        } else if (argv[k][0] == '-' && argv[k][1]) {
            if (argv[k][1] == '-') {
                complain("unrecognized option", argv[k]);
                usage();
            }
            k += options(argv + k, argc - k - 1);
        } else {
            files[count++] = argv[k];
        }
    }
    if (!pattern_count) {
        if (!count) usage();
        patterns[pattern_count++] = *files++;
        count--;
    }
    compile_all();
    for (int k = 0; k < count; k++) {
        int with_name = names > 0 || (names && count > 1);
        if (!strcmp(files[k], "-")) search_fd(0, "(standard input)", with_name);
        else search_path(files[k], with_name, 1);
    }
    if (!count && opt_r) search_directory(".", 1);
    else if (!count) search_fd(0, "(standard input)", names > 0);
    flush();
    return had_error && !(opt_q && had_match) ? 2 : !had_match;
}
