/* walk: looks at every file of a tree and reads it: opendir, lstat, open, read to the end.
 *
 *   walk DIRECTORY
 *
 * Writes how many files and directories there were, and how many bytes.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned long files, directories, bytes;

static _Noreturn void fail(const char *path)
{
    perror(path);
    exit(1);
}

static void read_file(const char *path)
{
    static char buffer[1 << 16];
    int fd = open(path, O_RDONLY);
    if (fd < 0) fail(path);
    ssize_t got;
    while ((got = read(fd, buffer, sizeof buffer)) > 0) bytes += (unsigned long)got;
    if (got < 0) fail(path);
    close(fd);
    files++;
}

static void walk(const char *path)
{
    DIR *directory = opendir(path);
    if (!directory) fail(path);
    directories++;
    struct dirent *entry;
    while ((entry = readdir(directory))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        char below[1024];
        int length = snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
        if (length >= (int)sizeof below) fail("a path is too long");
        struct stat status;
        if (lstat(below, &status)) fail(below);
        if (S_ISDIR(status.st_mode)) walk(below);
        else if (S_ISREG(status.st_mode)) read_file(below);
    }
    closedir(directory);
}

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    walk(argv[1]);
    printf("%lu files, %lu directories, %lu bytes\n", files, directories, bytes);
    return 0;
}
