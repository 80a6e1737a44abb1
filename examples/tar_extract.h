/* Lists members, and extracts them.
 *
 * Nothing is trusted: every part of a name is opened by itself and without following links, so no
 * member is ever written through a link that an earlier one, or anything else, has put there.
 */

/* ---- listing ---------------------------------------------------------------------------- */

static void put_padded(struct stream *to, unsigned long long value, int width)
{
    for (unsigned long long least = 10; --width > 0; least *= 10)
        if (value < least) put(to, "0", 1);
    put_number(to, value);
}

static void put_mode(const struct member *m)
{
    const char *known = strchr("0-7C1h2l3c4b5d6pS-", m->type);
    char text[] = "?rwxrwxrwx";
    text[0] = known ? known[1] : '?';
    for (int k = 0; k < 9; k++)
        if (!(m->mode >> (8 - k) & 1)) text[k + 1] = '-';
    for (int k = 0; k < 3; k++)
        if (m->mode >> (11 - k) & 1) {
            char *x = text + 3 * k + 3;
            *x = (char)(*x == 'x' ? "sst"[k] : "SST"[k]);
        }
    put_text(&out, text);
}

static char *size_text(const struct member *m, char *end)
{
    unsigned long long value = (unsigned long long)m->size;
    *end = 0;
    if (m->type == '3' || m->type == '4') {
        value = (unsigned long long)m->minor;
        do *--end = (char)('0' + value % 10); while (value /= 10);
        *--end = ',';
        value = (unsigned long long)m->major;
    }
    do *--end = (char)('0' + value % 10); while (value /= 10);
    return end;
}

static void list_long(const struct member *m)
{
    static size_t width = 19; /* of owner and size together; grows with the widest yet */
    char digits[64], *size = size_text(m, digits + sizeof digits - 1);
    size_t used = strlen(m->user) + 1 + strlen(m->group) + 1 + strlen(size);
    time_t when = (time_t)m->mtime;
    struct tm *tm = gmtime(&when);
    put_mode(m);
    put_text(&out, " ");
    put_text(&out, m->user);
    put_text(&out, "/");
    put_text(&out, m->group);
    put_text(&out, " ");
    if (used > width) width = used;
    for (; used < width; used++) put_text(&out, " ");
    put_text(&out, size);
    put_text(&out, " ");
    if (tm) {
        put_padded(&out, (unsigned long long)(tm->tm_year + 1900), 4);
        put_text(&out, "-");
        put_padded(&out, (unsigned)tm->tm_mon + 1, 2);
        put_text(&out, "-");
        put_padded(&out, (unsigned)tm->tm_mday, 2);
        put_text(&out, " ");
        put_padded(&out, (unsigned)tm->tm_hour, 2);
        put_text(&out, ":");
        put_padded(&out, (unsigned)tm->tm_min, 2);
    }
    put_text(&out, " ");
    put_name(&out, m->name);
    if (m->type == '1' || m->type == '2') {
        put_text(&out, m->type == '1' ? " link to " : " -> ");
        put_name(&out, m->link);
    }
    put_text(&out, "\n");
}

static void list(const struct member *m)
{
    if (opt_v && opt_t) {
        list_long(m);
    } else if (opt_v || opt_t) {
        put_name(&out, m->name);
        put_text(&out, "\n");
    }
}

/* ---- names ------------------------------------------------------------------------------ */

static int root; /* the directory below which all is extracted */

static int is_safe(const char *shown, const char *name)
{
    if (!*name) return fail(shown, "Refused: an empty name", NULL), 0;
    if (*name == '/') return fail(shown, "Refused: the name is absolute", NULL), 0;
    for (const char *p = name; p; p = strchr(p, '/')) {
        while (*p == '/') p++;
        if (p[0] == '.' && p[1] == '.' && (p[2] == '/' || !p[2]))
            return fail(shown, "Refused: the name contains '..'", NULL), 0;
    }
    return 1;
}

/* A directory that was found; members of one directory mostly follow each other. */
struct place { char *name; int fd; };
static struct place of_members = {NULL, -1}, of_targets = {NULL, -1};

static int step(int from, const char *name, int create)
{
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
    int fd = openat(from, name, flags);
    if (fd >= 0 || errno != ENOENT || !create) return fd;
    return mkdirat(from, name, 0777) ? -1 : openat(from, name, flags);
}

/* Opens the directory a name is in, and points `leaf` at the rest of the name, which is changed:
 * slashes and dots at its end are cut off. Answers -1 with a word said if that cannot be. */
static int parent_of(char *name, struct place *place, const char **leaf, const char *shown)
{
    size_t len = strlen(name);
    while (len && (name[len - 1] == '/'
                   || (name[len - 1] == '.' && (len == 1 || name[len - 2] == '/'))))
        name[--len] = 0;
    char *slash = strrchr(name, '/');
    *leaf = slash ? slash + 1 : len ? name : ".";
    if (!slash) return root;
    *slash = 0;
    if (place->fd >= 0 && !strcmp(place->name, name)) return place->fd;
    if (place->fd >= 0) close(place->fd);
    free(place->name);
    place->name = copy_of(name, strlen(name));
    place->fd = -1;
    int fd = root;
    for (char *part = strtok(name, "/"); part; part = strtok(NULL, "/")) {
        if (!strcmp(part, ".")) continue;
        int below = step(fd, part, place == &of_members);
        int why = errno;
        if (fd != root) close(fd);
        if (below < 0) {
            int blocked = why == ELOOP || why == ENOTDIR;
            fail(shown, "Cannot open",
                 blocked ? "Refused: it is behind a link or a file" : strerror(why));
            return -1;
        }
        fd = below;
    }
    return fd == root ? root : (place->fd = fd);
}

/* ---- extraction ------------------------------------------------------------------------- */

/* Directories get their times last, or what is extracted into them would change those. */
struct later { char *name; struct timespec when; };
static struct later *directories;
static size_t directory_count;

static struct timespec when(const struct member *m)
{
    return (struct timespec){.tv_sec = (time_t)m->mtime, .tv_nsec = m->nanoseconds};
}

static int set_time(int dir, const char *leaf, struct timespec t)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, t};
    return utimensat(dir, leaf, times, AT_SYMLINK_NOFOLLOW);
}

/* Existing files and links are taken away, never written to: they may have other names. */
static int make_way(int dir, const char *leaf, const char *shown)
{
    if (!unlinkat(dir, leaf, 0) || errno == ENOENT) return 1;
    fail(shown, "Cannot unlink", strerror(errno));
    return 0;
}

static void make_directory(int dir, const char *leaf, const struct member *m)
{
    struct stat st;
    if (strcmp(leaf, ".") && mkdirat(dir, leaf, 0777)) {
        int why = errno;
        int is_there = why == EEXIST && !fstatat(dir, leaf, &st, AT_SYMLINK_NOFOLLOW);
        if (is_there && !S_ISDIR(st.st_mode)) {
            if (!make_way(dir, leaf, m->name)) return;
            is_there = !mkdirat(dir, leaf, 0777);
            why = errno;
        }
        if (!is_there) {
            fail(m->name, "Cannot mkdir", strerror(why));
            return;
        }
    }
    if (!(directory_count & (directory_count - 1)))
        directories = grow(directories, sizeof *directories * 2 * (directory_count + 1));
    directories[directory_count++] = (struct later){copy_of(m->name, strlen(m->name)), when(m)};
}

static void make_file(int dir, const char *leaf, struct member *m)
{
    if (!make_way(dir, leaf, m->name)) return;
    int fd = openat(dir, leaf, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
    if (fd < 0) {
        fail(m->name, "Cannot open", strerror(errno));
        return;
    }
    int failed_here = 0;
    while (m->size) {
        const byte *data;
        size_t n = read_some(&data, (unsigned long long)m->size);
        m->size -= (long long)n;
        if (!failed_here && !write_all(fd, data, n)) {
            failed_here = 1;
            fail(m->name, "Cannot write", strerror(errno));
        }
    }
    read_padding();
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, when(m)};
    if (futimens(fd, times)) fail(m->name, "Cannot utime", strerror(errno));
    if (close(fd)) fail(m->name, "Cannot close", strerror(errno));
}

static void make_hard_link(int dir, const char *leaf, const struct member *m)
{
    if (!is_safe(m->name, m->link)) return;
    const char *target;
    struct stat a, b;
    char *copy = copy_of(m->link, strlen(m->link));
    int from = parent_of(copy, &of_targets, &target, m->name);
    if (from >= 0 && linkat(from, target, dir, leaf, 0)) {
        int why = errno;
        if (why == EEXIST && !fstatat(from, target, &a, AT_SYMLINK_NOFOLLOW)
            && !fstatat(dir, leaf, &b, AT_SYMLINK_NOFOLLOW)) {
            if (a.st_ino == b.st_ino && a.st_dev == b.st_dev) why = 0;
            else if (unlinkat(dir, leaf, 0) || linkat(from, target, dir, leaf, 0)) why = errno;
            else why = 0;
        }
        if (why) fail(m->name, "Cannot hard link", strerror(why));
    }
    free(copy);
}

static void make_symbolic_link(int dir, const char *leaf, const struct member *m)
{
    if (!make_way(dir, leaf, m->name)) return;
    if (symlinkat(m->link, dir, leaf)) fail(m->name, "Cannot create symlink", strerror(errno));
    else if (set_time(dir, leaf, when(m))) fail(m->name, "Cannot utime", strerror(errno));
}

/* Leaves in m->size what is still to be skipped. */
static void extract(struct member *m)
{
    if (!is_safe(m->name, m->name)) return;
    if (m->type == 'V') return; /* the label of the archive */
    if (strchr("346SMN", m->type)) {
        const char *what = strchr("346", m->type) ? "Devices and pipes are not supported"
                         : m->type == 'S' ? "Sparse files are not supported"
                         : "Parts of archives are not supported";
        fail(m->name, what, NULL);
        return;
    }
    const char *leaf;
    char *copy = copy_of(m->name, strlen(m->name));
    int dir = parent_of(copy, &of_members, &leaf, m->name);
    if (dir >= 0) {
        if (m->type == '5' || m->type == 'D') make_directory(dir, leaf, m);
        else if (!strcmp(leaf, ".")) fail(m->name, "Cannot open", strerror(EISDIR));
        else if (m->type == '1') make_hard_link(dir, leaf, m);
        else if (m->type == '2') make_symbolic_link(dir, leaf, m);
        else make_file(dir, leaf, m);
    }
    free(copy);
}

static void finish_directories(void)
{
    while (directory_count) {
        struct later *d = directories + --directory_count;
        const char *leaf;
        char *copy = copy_of(d->name, strlen(d->name));
        int dir = parent_of(copy, &of_members, &leaf, d->name);
        if (dir >= 0 && set_time(dir, leaf, d->when))
            fail(d->name, "Cannot utime", strerror(errno));
        free(copy);
        free(d->name);
    }
}
