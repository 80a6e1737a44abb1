/* What is in an archive: the header of a member, its numbers, its long names. */

enum { BLOCK = 512, RECORD = 20 * BLOCK };

struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type;
    char link[100], magic[6], version[2], user[32], group[32], major[8], minor[8];
    char prefix[155], padding[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header fills a block");

struct member {
    char *name, *link, *user, *group;
    long long size, mtime, major, minor;
    long nanoseconds;
    unsigned mode;
    char type;
};

/* ---- numbers ---------------------------------------------------------------------------- */

/* Octal digits; or base-256: 0x80, or 0xff if negative, then the bytes of the number, the highest
 * first. What is neither, or needs more than 64 bits, sets *bad. */
static long long number_in(const char *field, size_t len, int *bad)
{
    const byte *p = (const byte *)field, *end = p + len;
    unsigned long long value = 0;
    if (*p & 0x80) {
        byte fill = *p == 0xff ? 0xff : 0;
        if (!fill && *p != 0x80) *bad = 1;
        value = fill ? ~0ULL : 0;
        for (p++; p < end; p++) {
            if ((end - p > 8 && *p != fill) || (end - p == 8 && (*p ^ fill) & 0x80)) *bad = 1;
            value = value << 8 | *p;
        }
        return (long long)value;
    }
    while (p < end && *p == ' ') p++;
    for (; p < end && *p >= '0' && *p <= '7'; p++) value = value << 3 | (unsigned)(*p - '0');
    if (p < end && *p && *p != ' ') *bad = 1;
    return (long long)value;
}

static void number_to(char *field, size_t len, long long value)
{
    char *p = field + len;
    if (value >= 0 && value >> 3 * (len - 1) == 0) {
        *--p = 0;
        for (; p > field; value >>= 3) *--p = (char)('0' + (value & 7));
        return;
    }
    for (; p > field; value >>= 8) *--p = (char)value;
    *field |= (char)0x80;
}

static int checksum_is(const struct header *h, long long expected)
{
    const byte *p = (const byte *)h;
    const byte *from = (const byte *)h->checksum, *to = from + sizeof h->checksum;
    long long plain = 0, with_sign = 0; /* some old programs added signed characters */
    for (int k = 0; k < BLOCK; k++, p++) {
        byte b = p >= from && p < to ? ' ' : *p;
        plain += b;
        with_sign += (signed char)b;
    }
    return expected == plain || expected == with_sign;
}

static int header_is_valid(const struct header *h)
{
    int bad = 0;
    long long sum = number_in(h->checksum, sizeof h->checksum, &bad);
    if (bad || !checksum_is(h, sum)) return 0;
    return number_in(h->size, sizeof h->size, &bad) >= 0 && !bad;
}

static void finish_header(struct header *h)
{
    const byte *p = (const byte *)h;
    unsigned sum = 0;
    memset(h->checksum, ' ', sizeof h->checksum);
    for (int k = 0; k < BLOCK; k++) sum += p[k];
    number_to(h->checksum, 7, sum);
}

/* ---- long names and other values that stand before a member ----------------------------- */

struct extension {
    char *name, *link, *user, *group;
    int has_size, has_time, sparse;
    long long size, mtime;
    long nanoseconds;
};

static struct extension next;   /* for the member that follows */
static struct extension always; /* for all that follow */

static char *copy_of(const char *text, size_t len)
{
    char *copy = grow(NULL, len + 1);
    memcpy(copy, text, len);
    copy[len] = 0;
    return copy;
}

static void set_text(char **to, const char *value, size_t len)
{
    free(*to);
    *to = len ? copy_of(value, len) : NULL;
}

static const char *decimal(const char *p, const char *end, long long *value)
{
    for (*value = 0; p < end && *p >= '0' && *p <= '9'; p++) {
        if (*value > (LLONG_MAX - 9) / 10) return end + 1; /* no number that can be meant */
        *value = *value * 10 + (*p - '0');
    }
    return p;
}

/* Seconds with a fraction, the nanoseconds always forward of the whole seconds. */
static int time_from(struct extension *e, const char *p, const char *end)
{
    int negative = p < end && *p == '-';
    long scale = 100000000;
    p = decimal(p + negative, end, &e->mtime);
    e->nanoseconds = 0;
    if (p < end && *p == '.')
        for (p++; p < end && *p >= '0' && *p <= '9'; p++, scale /= 10)
            e->nanoseconds += scale * (*p - '0');
    if (p != end) return 0;
    if (negative) {
        e->mtime = -e->mtime - (e->nanoseconds > 0);
        if (e->nanoseconds) e->nanoseconds = 1000000000 - e->nanoseconds;
    }
    return e->has_time = 1;
}

static int is_key(const char *key, size_t len, const char *text)
{
    return len == strlen(text) && !memcmp(key, text, len);
}

static int set_extension(struct extension *e, const char *key, size_t key_len,
                         const char *value, size_t len)
{
    char **text = is_key(key, key_len, "path") ? &e->name
                : is_key(key, key_len, "linkpath") ? &e->link
                : is_key(key, key_len, "uname") ? &e->user
                : is_key(key, key_len, "gname") ? &e->group : NULL;
    if (text) {
        if (memchr(value, 0, len)) return 0;
        set_text(text, value, len);
    } else if (is_key(key, key_len, "size")) {
        e->has_size = len > 0;
        return decimal(value, value + len, &e->size) == value + len;
    } else if (is_key(key, key_len, "mtime")) {
        e->has_time = 0;
        return !len || time_from(e, value, value + len);
    } else if (key_len > 11 && !memcmp(key, "GNU.sparse.", 11)) {
        e->sparse = 1;
    }
    return 1;
}

/* Records of the form "LENGTH KEY=VALUE\n"; the length counts all of the record. */
static int read_records(struct extension *e, const char *p, const char *end)
{
    while (p < end) {
        long long len;
        const char *key = decimal(p, end, &len);
        if (key >= end || *key++ != ' ' || len > end - p || len <= key - p) return 0;
        const char *stop = p + len - 1, *equals = memchr(key, '=', (size_t)(stop - key));
        if (!equals || *stop != '\n') return 0;
        if (!set_extension(e, key, (size_t)(equals - key), equals + 1,
                           (size_t)(stop - equals - 1)))
            return 0;
        p = stop + 1;
    }
    return 1;
}

/* Appends one such record; its length counts its own digits. */
static char *add_record(char *to, const char *key, const char *value)
{
    size_t len = strlen(key) + strlen(value) + 3, digits = 1, power = 10;
    for (; len + digits >= power; power *= 10) digits++;
    char *p = to + digits;
    for (size_t n = len + digits; n; n /= 10) *--p = (char)('0' + n % 10);
    p = stpcpy(stpcpy(stpcpy(stpcpy(to + digits, " "), key), "="), value);
    return stpcpy(p, "\n");
}

/* ---- members ---------------------------------------------------------------------------- */

static char *field_text(const char *field, size_t len)
{
    return copy_of(field, strnlen(field, len));
}

/* A name of the extensions, which this takes over, or the one in the header. */
static char *choose(char **first, const char *second, const char *field, size_t len)
{
    char *found = *first;
    *first = NULL;
    return found ? found : second ? copy_of(second, strlen(second)) : field_text(field, len);
}

static char *name_in(const struct header *h)
{
    char *name = field_text(h->name, sizeof h->name);
    if (memcmp(h->magic, "ustar", 6) || !h->prefix[0]) return name;
    char *prefix = field_text(h->prefix, sizeof h->prefix);
    size_t len = strlen(prefix);
    prefix = grow(prefix, len + strlen(name) + 2);
    prefix[len] = '/';
    strcpy(prefix + len + 1, name);
    free(name);
    return prefix;
}

static char *owner_in(char **first, const char *second, const char *field, const char *id)
{
    if (*first || second || *field) return choose(first, second, field, 32);
    char digits[24], *p = digits + sizeof digits - 1;
    int bad = 0;
    unsigned long long value = (unsigned long long)number_in(id, 8, &bad);
    *p = 0;
    do *--p = (char)('0' + value % 10); while (value /= 10);
    return copy_of(p, strlen(p));
}

/* Decodes a valid header together with the extensions before it, which are then used up. */
static void decode(const struct header *h, struct member *m)
{
    int bad = 0;
    const struct extension *e = next.has_size ? &next : &always;
    m->type = h->type ? h->type : '0';
    m->size = e->has_size ? e->size : number_in(h->size, sizeof h->size, &bad);
    e = next.has_time ? &next : &always;
    m->mtime = e->has_time ? e->mtime : number_in(h->mtime, sizeof h->mtime, &bad);
    m->nanoseconds = e->has_time ? e->nanoseconds : 0;
    m->mode = (unsigned)number_in(h->mode, sizeof h->mode, &bad) & 07777;
    m->major = number_in(h->major, sizeof h->major, &bad);
    m->minor = number_in(h->minor, sizeof h->minor, &bad);
    if (next.name || always.name) m->name = choose(&next.name, always.name, NULL, 0);
    else m->name = name_in(h);
    m->link = choose(&next.link, always.link, h->link, sizeof h->link);
    m->user = owner_in(&next.user, always.user, h->user, h->uid);
    m->group = owner_in(&next.group, always.group, h->group, h->gid);
    if (m->type == '1') m->size = 0; /* the content is with the first name */
    /* Before there was a type for directories, their names ended in a slash. */
    size_t len = strlen(m->name);
    if ((m->type == '0' || m->type == '7') && len && m->name[len - 1] == '/') m->type = '5';
    if (next.sparse) m->type = 'S';
    memset(&next, 0, sizeof next);
}

static void free_member(struct member *m)
{
    free(m->name);
    free(m->link);
    free(m->user);
    free(m->group);
}

/* How much of a name too long for its field goes into the prefix, up to a slash; 0: none can. */
static size_t split_at(const char *name, size_t len)
{
    for (size_t at = len - 2 < 155 ? len - 2 : 155; at; at--)
        if (name[at] == '/' && len - at - 1 <= 100) return at;
    return 0;
}
