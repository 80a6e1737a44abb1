/* The archive as a stream of blocks, read or written, and members in it. */

static int archive; /* the descriptor */
static byte blocks[6 * RECORD];
static size_t at, filled; /* reading: the place in `blocks`, and how much is there */

/* ---- reading ---------------------------------------------------------------------------- */

/* Only the end of the archive, or of a pipe, leaves `blocks` partly filled. */
static void fill(void)
{
    at = filled = 0;
    while (filled < sizeof blocks) {
        ssize_t n = read(archive, blocks + filled, sizeof blocks - filled);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) die(archive_name, "Read error", strerror(errno));
        if (!n) return;
        filled += (size_t)n;
    }
}

static _Noreturn void ends_early(void) { die(NULL, "Unexpected EOF in archive", NULL); }

/* The next block, or NULL at the end of the archive. */
static const void *read_block(void)
{
    if (at == filled) fill();
    if (at == filled) return NULL;
    if (filled - at < BLOCK) ends_early();
    at += BLOCK;
    return blocks + at - BLOCK;
}

/* Some of the content of a member: at least one byte, at most `len`. */
static size_t read_some(const byte **data, unsigned long long len)
{
    if (at == filled) fill();
    if (at == filled) ends_early();
    size_t n = filled - at;
    if (n > len) n = (size_t)len;
    *data = blocks + at;
    at += n;
    return n;
}

/* Content is filled up to whole blocks. */
static void read_padding(void)
{
    at = (at + BLOCK - 1) / BLOCK * BLOCK;
    if (at > filled) ends_early();
}

/* Passes over content, without reading it where the archive is a file. */
static void skip(unsigned long long len)
{
    const byte *ignored;
    struct stat st;
    len = (len + BLOCK - 1) / BLOCK * BLOCK;
    if (len > filled - at && !fstat(archive, &st) && S_ISREG(st.st_mode)) {
        off_t here = lseek(archive, 0, SEEK_CUR);
        len -= filled - at;
        at = filled;
        if (here < 0 || here > st.st_size || len > (unsigned long long)(st.st_size - here))
            ends_early();
        if (lseek(archive, (off_t)len, SEEK_CUR) < 0)
            die(archive_name, "Cannot seek", strerror(errno));
        return;
    }
    while (len) len -= read_some(&ignored, len);
}

/* The content of a member that describes the following one. */
static char *read_text(unsigned long long len)
{
    if (len > 16 << 20) die(NULL, "An extended header is too long", NULL);
    char *text = grow(NULL, (size_t)len + 1);
    const byte *data;
    for (size_t have = 0, n; have < len; have += n) {
        n = read_some(&data, len - have);
        memcpy(text + have, data, n);
    }
    read_padding();
    text[len] = 0;
    return text;
}

static int is_zero(const byte *block)
{
    for (int k = 0; k < BLOCK; k++)
        if (block[k]) return 0;
    return 1;
}

/* Takes in a header that only describes the following one; answers whether it was such. */
static int read_extension(const struct header *h)
{
    char type = h->type;
    int bad = 0;
    if (!strchr("LKxg", type) || !type) return 0;
    size_t len = (size_t)number_in(h->size, sizeof h->size, &bad);
    char *text = read_text(len);
    if (type == 'L') set_text(&next.name, text, strlen(text));
    else if (type == 'K') set_text(&next.link, text, strlen(text));
    else if (!read_records(type == 'x' ? &next : &always, text, text + len))
        fail(NULL, "Malformed extended header", NULL);
    free(text);
    return 1;
}

/* Reads up to the content of the next member; answers 0 at the end of the archive. */
static int read_member(struct member *m)
{
    const struct header *h;
    int skipping = 0, described = 0;
    static int any;
    while ((h = read_block())) {
        if (is_zero((const byte *)h)) break;
        if (!header_is_valid(h)) {
            if (!any) fail(NULL, "This does not look like a tar archive", NULL);
            if (!skipping) fail(NULL, "Skipping to next header", NULL);
            any = skipping = 1;
            continue;
        }
        any = 1;
        skipping = 0;
        if (read_extension(h)) {
            described = 1;
            continue;
        }
        decode(h, m);
        /* The list of a sparse file's parts may go on in further blocks. */
        if (h->type == 'S')
            for (int more = ((const byte *)h)[482]; more; more = ((const byte *)h)[504])
                if (!(h = read_block())) ends_early();
        return 1;
    }
    if (described && !h) ends_early();
    return 0;
}

/* A program that writes to us through a pipe is not to fail for the blocks after the end. */
static void read_rest(void)
{
    struct stat st;
    if (!fstat(archive, &st) && S_ISREG(st.st_mode)) return;
    do fill(); while (filled);
}

/* ---- writing ---------------------------------------------------------------------------- */

static void write_blocks(size_t len)
{
    if (!write_all(archive, blocks, len)) die(archive_name, "Cannot write", strerror(errno));
    at = 0;
}

/* Room for content; `at` grows by what is put there. */
static byte *room(size_t *len)
{
    if (at == sizeof blocks) write_blocks(at);
    *len = sizeof blocks - at;
    return blocks + at;
}

static void fill_block(void)
{
    size_t len = (BLOCK - at % BLOCK) % BLOCK;
    memset(blocks + at, 0, len);
    at += len;
}

static void write_data(const void *data, size_t len)
{
    const byte *from = data;
    while (len) {
        size_t n;
        byte *to = room(&n);
        if (n > len) n = len;
        memcpy(to, from, n);
        at += n;
        from += n;
        len -= n;
    }
    fill_block();
}

static void write_header(struct header *h, char type, long long size, long long mtime)
{
    h->type = type;
    number_to(h->mode, sizeof h->mode, type == '5' ? 0755 : type == '2' ? 0777 : 0644);
    number_to(h->uid, sizeof h->uid, 0);
    number_to(h->gid, sizeof h->gid, 0);
    number_to(h->size, sizeof h->size, size);
    number_to(h->mtime, sizeof h->mtime, mtime);
    memcpy(h->magic, "ustar", 6);
    memcpy(h->version, "00", 2);
    finish_header(h);
    write_data(h, sizeof *h);
}

/* Writes what fits in no field of a header as an extended one before it. */
static void write_long(const char *name, const char *link, long long mtime)
{
    struct header h = {0};
    size_t len = (name ? strlen(name) : 0) + (link ? strlen(link) : 0);
    char *text = grow(NULL, len + 64), *end = text;
    if (name) end = add_record(end, "path", name);
    if (link) end = add_record(end, "linkpath", link);
    strcpy(h.name, "PaxHeaders/long-name");
    write_header(&h, 'x', end - text, mtime);
    write_data(text, (size_t)(end - text));
    free(text);
}

static void write_member(const char *name, const char *link, char type, long long size,
                         long long mtime)
{
    struct header h = {0};
    size_t len = strlen(name), link_len = strlen(link);
    size_t prefix = len > sizeof h.name ? split_at(name, len) : 0;
    int long_name = len > sizeof h.name && !prefix, long_link = link_len > sizeof h.link;
    if (long_name || long_link)
        write_long(long_name ? name : NULL, long_link ? link : NULL, mtime);
    memcpy(h.prefix, name, prefix);
    if (prefix) name += prefix + 1;
    memcpy(h.name, name, strnlen(name, sizeof h.name));
    memcpy(h.link, link, long_link ? sizeof h.link : link_len);
    write_header(&h, type, size, mtime);
}

static void write_end(void)
{
    static const byte zeros[2 * BLOCK];
    write_data(zeros, sizeof zeros);
    size_t len = (RECORD - at % RECORD) % RECORD;
    memset(blocks + at, 0, len);
    write_blocks(at + len);
}
