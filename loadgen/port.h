/* A port for a server that cannot choose one and tell: it is chosen here, and put into the server's
 * command and configuration in the place of "{port}".
 *
 * Knows nothing of how servers are started, nor of what their configuration means. */
#ifndef LOADGEN_PORT_H
#define LOADGEN_PORT_H

#include "common/address.h"

#include <stddef.h>

/* A TCP port of the address that is free now; 0 with errno when none was found. */
unsigned port_choose(const struct address *);

/* A copy of the text with the port in the place of each "{port}", to be freed; NULL without memory.
 */
char *port_put(const char *text, unsigned port);

/* The same for all words of a command; word by word and as a whole to be freed (port_free_command).
 */
char **port_put_command(char *const command[], unsigned port);
void port_free_command(char **command);

/* The name of a template ends like this; without it, it is the name of the file that is made. */
#define PORT_TEMPLATE_SUFFIX ".in"

/* Writes NAME from NAME.in. 0, or -1 with a message in `error`. */
int port_fill_template(const char *path, unsigned port, char *error, size_t error_size);

#endif
