/* sort: puts lines in order.
 *
 *   sort [-bfnrsucC] [-t C] [-k POS1[,POS2]]... [-o FILE] [FILE]...
 *
 * Output and exit status (0 done or in order, 1 out of order with -c, 2 an error) are GNU sort's
 * in the C locale. A POS is F[.C][bfnr]: field F, character C in it, both counted from one.
 * Everything is held in memory; lines may contain any byte. `sort_key.h` finds and compares keys.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef unsigned char byte;

#include "sort_key.h"

static struct key global = {.last_field = SIZE_MAX}, *keys;
static size_t key_count;
static int opt_u, opt_s, opt_c, opt_C;
static const char *output;

static void write_all(int fd, const void *data, size_t len, const char *name);

/* The parts are a list that NULL ends; a system error adds its text with `strerror`. */
static _Noreturn void die(const char *const *parts)
{
    write_all(2, "sort: ", 6, NULL);
    for (; *parts; parts++) write_all(2, *parts, strlen(*parts), NULL);
    write_all(2, "\n", 1, NULL);
    _exit(2);
}
#define DIE(...) die((const char *const[]){__VA_ARGS__, NULL})

static void write_all(int fd, const void *data, size_t len, const char *name)
{
    const byte *at = data;
    while (len) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && fd == 2) _exit(2);
        if (n < 0) DIE("write failed: ", name, ": ", strerror(errno));
        at += n;
        len -= (size_t)n;
    }
}

static void *grow(void *old, size_t size)
{
    void *p = realloc(old, size ? size : 1);
    if (!p) DIE("memory exhausted");
    return p;
}

/* ---- comparing and sorting ---------------------------------------------------------------- */

static int compare(const struct line *a, const struct line *b)
{
    for (size_t n = 0; n < key_count; n++) {
        const struct key *k = keys + n;
        const byte *from_a = a->key, *to_a = a->key_end, *from_b = b->key, *to_b = b->key_end;
        if (n) {
            find_key(k, a, &from_a, &to_a);
            find_key(k, b, &from_b, &to_b);
        }
        int diff = (k->numeric ? by_value : k->fold ? by_folded : by_bytes)(
            from_a, to_a, from_b, to_b);
        if (diff) return k->reverse ? -diff : diff;
    }
    if (key_count && (opt_u || opt_s)) return 0;
    int diff = by_bytes(a->text, a->end, b->text, b->end);
    return global.reverse ? -diff : diff;
}

/* A stable merge sort; `spare` has room for half of the lines. */
static void sort(struct line *lines, size_t count, struct line *spare)
{
    if (count < 2) return;
    size_t half = count / 2, left = 0, right = half, to = 0;
    sort(lines, half, spare);
    sort(lines + half, count - half, spare);
    if (compare(lines + half - 1, lines + half) <= 0) return;
    memcpy(spare, lines, half * sizeof *lines);
    while (left < half && right < count) {
        int take_left = compare(spare + left, lines + right) <= 0;
        lines[to++] = take_left ? spare[left++] : lines[right++];
    }
    memcpy(lines + to, spare + left, (half - left) * sizeof *lines);
}

/* ---- input and output ------------------------------------------------------------------- */

static byte *text;
static size_t text_len, text_room;

/* Adds a file to `text`; its last line gets the newline that may be missing. */
static void read_file(const char *path)
{
    int is_input = !strcmp(path, "-");
    int fd = is_input ? 0 : open(path, O_RDONLY);
    if (fd < 0) DIE("cannot read: ", path, ": ", strerror(errno));
    size_t begin = text_len;
    for (;;) {
        if (text_room - text_len < 65536)
            text = grow(text, text_room = text_room + text_room / 2 + (1 << 17));
        ssize_t n = read(fd, text + text_len, text_room - text_len - 1);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            /* What the system says of reading a directory differs. */
            struct stat st;
            int why = errno;
            if (!fstat(fd, &st) && S_ISDIR(st.st_mode)) why = EISDIR;
            DIE("read failed: ", path, ": ", strerror(why));
        }
        if (!n) break;
        text_len += (size_t)n;
    }
    if (text_len > begin && text[text_len - 1] != '\n') text[text_len++] = '\n';
    if (!is_input) close(fd);
}

static struct line *split(size_t *count)
{
    size_t n = 0;
    const byte *end = text + text_len, *newline;
    for (const byte *p = text; p < end; p = newline + 1, n++)
        newline = memchr(p, '\n', (size_t)(end - p));
    struct line *lines = grow(NULL, n * sizeof *lines);
    *count = 0;
    for (const byte *p = text; p < end; p = newline + 1) {
        newline = memchr(p, '\n', (size_t)(end - p));
        struct line *l = lines + (*count)++;
        *l = (struct line){p, newline, p, newline};
        if (key_count) find_key(keys, l, &l->key, &l->key_end);
    }
    return lines;
}

static int out_fd = 1;
static byte out[1 << 16];
static size_t out_len;

static void flush(void)
{
    write_all(out_fd, out, out_len, output ? output : "'standard output'");
    out_len = 0;
}

static void put_line(const struct line *l)
{
    const byte *p = l->text, *end = l->end + 1; /* with its newline */
    while (p < end) {
        if (out_len == sizeof out) flush();
        size_t n = (size_t)(end - p), room = sizeof out - out_len;
        if (n > room) n = room;
        memcpy(out + out_len, p, n);
        out_len += n;
        p += n;
    }
}

/* With -u, equal lines are out of order too. */
static int check(const struct line *lines, size_t count, const char *path)
{
    for (size_t n = 1; n < count; n++) {
        int diff = compare(lines + n - 1, lines + n);
        if (opt_u ? diff < 0 : diff <= 0) continue;
        if (opt_C) return 1;
        char digits[24], *p = digits + sizeof digits;
        for (size_t value = n + 1; value; value /= 10) *--p = (char)('0' + value % 10);
        write_all(2, "sort: ", 6, NULL);
        write_all(2, path, strlen(path), NULL);
        write_all(2, ":", 1, NULL);
        write_all(2, p, (size_t)(digits + sizeof digits - p), NULL);
        write_all(2, ": disorder: ", 12, NULL);
        write_all(2, lines[n].text, (size_t)(lines[n].end - lines[n].text) + 1, NULL);
        return 1;
    }
    return 0;
}

/* ---- the command line ------------------------------------------------------------------- */

static int ordering(struct key *k, char c, int at_start, int at_end)
{
    switch (c) {
    case 'n': return k->numeric = 1;
    case 'f': return k->fold = 1;
    case 'r': return k->reverse = 1;
    case 'b':
        k->blanks_before_first |= at_start;
        k->blanks_before_last |= at_end;
        return 1;
    default: return 0;
    }
}

static const char *count_at(const char *p, size_t *value, const char *where)
{
    if (!is_digit((byte)*p)) DIE("invalid number ", where, ": invalid count at start of '", p, "'");
    for (*value = 0; is_digit((byte)*p); p++) {
        size_t digit = (size_t)(*p - '0');
        *value = *value > (SIZE_MAX - 10) / 10 ? SIZE_MAX - 1 : *value * 10 + digit;
    }
    return p;
}

static void add_key(const char *spec)
{
    keys = grow(keys, (key_count + 1) * sizeof *keys);
    struct key *k = keys + key_count++;
    *k = (struct key){.last_field = SIZE_MAX};
    const char *p = count_at(spec, &k->first_field, "at field start");
    if (!k->first_field--) DIE("field number is zero: invalid field specification '", spec, "'");
    if (*p == '.') {
        p = count_at(p + 1, &k->first_char, "after '.'");
        if (!k->first_char--)
            DIE("character offset is zero: invalid field specification '", spec, "'");
    }
    while (*p && ordering(k, *p, 1, 0)) p++;
    if (*p == ',') {
        p = count_at(p + 1, &k->last_field, "after ','");
        if (!k->last_field--)
            DIE("field number is zero: invalid field specification '", spec, "'");
        if (*p == '.') p = count_at(p + 1, &k->last_char, "after '.'");
        while (*p && ordering(k, *p, 0, 1)) p++;
    }
    if (*p) DIE("stray character in field spec: invalid field specification '", spec, "'");
}

static int has_ordering(const struct key *k)
{
    return k->numeric || k->fold || k->blanks_before_first || k->blanks_before_last;
}

/* A key without letters of its own takes the options given for all. */
static void finish_keys(void)
{
    for (size_t n = 0; n < key_count; n++) {
        struct key *k = keys + n;
        if (has_ordering(k) || k->reverse) continue;
        k->numeric = global.numeric;
        k->fold = global.fold;
        k->reverse = global.reverse;
        k->blanks_before_first = global.blanks_before_first;
        k->blanks_before_last = global.blanks_before_last;
    }
    if (!key_count && has_ordering(&global)) {
        keys = &global;
        key_count = 1;
    }
}

static void set_separator(const char *value)
{
    int c = (byte)value[0];
    if (!c) DIE("empty tab");
    if (value[1]) {
        if (strcmp(value, "\\0")) DIE("multi-character tab '", value, "'");
        c = 0;
    }
    if (separator >= 0 && separator != c) DIE("incompatible tabs");
    separator = c;
}

static _Noreturn void bad_option(const char *what, char c)
{
    DIE(what, (char[]){c, 0}, "'\nUsage: sort [-bfnrsucC] [-t C] [-k POS1[,POS2]] [-o FILE] "
        "[FILE]...");
}

/* Reads one group of letters such as `-nr`; answers how many further arguments it took. */
static int options(char **args, int left)
{
    for (const char *p = args[0] + 1; *p; p++) {
        if (ordering(&global, *p, 1, 1)) continue;
        if (*p == 'u') opt_u = 1;
        else if (*p == 's') opt_s = 1;
        else if (*p == 'c') opt_c = 1;
        else if (*p == 'C') opt_C = 1;
        else if (strchr("kto", *p)) {
            if (!p[1] && !left) bad_option("option requires an argument -- '", *p);
            const char *value = p[1] ? p + 1 : args[1];
            if (*p == 'k') add_key(value);
            else if (*p == 't') set_separator(value);
            else if (output && strcmp(output, value)) DIE("multiple output files specified");
            else output = value;
            return !p[1];
        } else bad_option("invalid option -- '", *p);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char **files = grow(NULL, sizeof *files * (size_t)(argc + 1));
    int count = 0;
    for (int k = 1; k < argc; k++) {
        if (!strcmp(argv[k], "--")) {
            while (++k < argc) files[count++] = argv[k];
        } else if (argv[k][0] == '-' && argv[k][1]) {
            k += options(argv + k, argc - k - 1);
        } else {
            files[count++] = argv[k];
        }
    }
    finish_keys();
    if (opt_c && opt_C) DIE("options '-cC' are incompatible");
    const char *check_option = opt_c ? "c" : "C";
    if ((opt_c || opt_C) && output) DIE("options '-", check_option, "o' are incompatible");
    if ((opt_c || opt_C) && count > 1)
        DIE("extra operand '", files[1], "' not allowed with -", check_option);
    if (!count) files[count++] = "-";
    for (int k = 0; k < count; k++) read_file(files[k]);
    size_t line_count;
    struct line *lines = split(&line_count);
    if (opt_c || opt_C) return check(lines, line_count, files[0]);
    sort(lines, line_count, grow(NULL, (line_count / 2) * sizeof *lines));
    /* Opened only now: it may be one of the files just read. */
    if (output) out_fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (out_fd < 0) DIE("open failed: ", output, ": ", strerror(errno));
    for (size_t n = 0, kept = 0; n < line_count; n++) {
        if (opt_u && n && !compare(lines + kept, lines + n)) continue;
        put_line(lines + (kept = n));
    }
    flush();
    if (out_fd != 1 && close(out_fd)) DIE("close failed: ", output, ": ", strerror(errno));
    return 0;
}
