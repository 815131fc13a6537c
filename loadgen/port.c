#include "loadgen/port.h"

#include "common/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Below those that Linux gives to outgoing connections (ip_local_port_range begins at 32768 unless
 * it was changed): none of them can take the port before the server has it. */
enum { LOWEST_PORT = 10000, HIGHEST_PORT = 32767, TRIES = 200 };

static const char placeholder[] = "{port}";
enum { PLACEHOLDER_LENGTH = sizeof placeholder - 1 };

static bool is_free(const struct address *wanted)
{
    int fd = socket(wanted->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool is_free = bind(fd, (const struct sockaddr *)&wanted->socket, wanted->length) == 0;
    int error = errno;
    close(fd);
    errno = error;
    return is_free;
}

unsigned port_choose(const struct address *address)
{
    struct address wanted = *address;
    /* Two that start at the same time begin at different places. */
    uint64_t place = (uint64_t)getpid() * 7919 + clock_now_ns() / 1000;
    for (unsigned i = 0; i < TRIES; i++) {
        unsigned port = LOWEST_PORT + (unsigned)((place + i) % (HIGHEST_PORT - LOWEST_PORT + 1));
        address_set_port(&wanted, port);
        if (is_free(&wanted))
            return port;
    }
    return 0;
}

char *port_put(const char *text, unsigned port)
{
    char *filled = NULL;
    size_t size;
    FILE *out = open_memstream(&filled, &size);
    if (!out)
        return NULL;
    for (const char *found; (found = strstr(text, placeholder)); text = found + PLACEHOLDER_LENGTH)
        fprintf(out, "%.*s%u", (int)(found - text), text, port);
    fputs(text, out);
    if (fclose(out) == 0)
        return filled;
    free(filled);
    return NULL;
}

char **port_put_command(char *const command[], unsigned port)
{
    size_t count = 0;
    while (command[count])
        count++;
    char **filled = calloc(count + 1, sizeof(char *));
    for (size_t i = 0; filled && i < count; i++) {
        filled[i] = port_put(command[i], port);
        if (!filled[i]) {
            port_free_command(filled);
            return NULL;
        }
    }
    return filled;
}

void port_free_command(char **command)
{
    for (char **word = command; command && *word; word++)
        free(*word);
    free(command);
}

static char *read_whole(const char *path)
{
    char *text = NULL, bytes[4096];
    size_t size, n;
    FILE *in = fopen(path, "re"), *out = in ? open_memstream(&text, &size) : NULL;
    while (out && (n = fread(bytes, 1, sizeof bytes, in)) > 0)
        fwrite(bytes, 1, n, out);
    bool failed = !out || ferror(in);
    int error = errno;
    if (out)
        fclose(out);
    if (in)
        fclose(in);
    errno = error;
    if (!failed)
        return text;
    free(text);
    return NULL;
}

static bool write_whole(const char *path, const char *text)
{
    FILE *out = fopen(path, "we");
    if (!out)
        return false;
    fputs(text, out);
    bool written = !ferror(out);
    return fclose(out) == 0 && written;
}

int port_fill_template(const char *path, unsigned port, char *error, size_t error_size)
{
    char *text = read_whole(path), *filled = text ? port_put(text, port) : NULL;
    char *name = strndup(path, strlen(path) - strlen(PORT_TEMPLATE_SUFFIX));
    bool written = filled && name && write_whole(name, filled);
    if (!written)
        snprintf(error, error_size, "cannot make a configuration from %s: %s", path,
                 strerror(errno));
    free(name);
    free(filled);
    free(text);
    return written ? 0 : -1;
}
