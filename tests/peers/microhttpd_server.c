/* libmicrohttpd, the embedded HTTP server of GNU, as a peer: it answers /hello as our servers do.
 *
 *   microhttpd_server epoll     one thread with an epoll loop
 *   microhttpd_server threads   a thread for each connection
 *
 * Used by `make compare-peers` only. */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 4096, CONNECTIONS_MOST = 16384 };

static enum MHD_Result answer(void *response, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *body,
                              /* NOLINTNEXTLINE(readability-non-const-parameter): the library's */
                              size_t *body_bytes, void **request)
{
    static char seen;
    (void)method, (void)version, (void)body, (void)body_bytes;
    /* It calls when it has the head, and again when it has all: who answers at once gets the
     * connection closed. */
    if (*request != &seen) {
        *request = &seen;
        return MHD_YES;
    }
    if (strcmp(url, "/hello") != 0)
        return MHD_NO;
    return MHD_queue_response(connection, MHD_HTTP_OK, response);
}

static struct MHD_Response *make_response(void)
{
    static char text[] = "Hello, World!";
    struct MHD_Response *response =
        MHD_create_response_from_buffer(sizeof text - 1, text, MHD_RESPMEM_PERSISTENT);
    if (response)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain");
    return response;
}

int main(int argc, char **argv)
{
    if (argc != 2 || (strcmp(argv[1], "epoll") != 0 && strcmp(argv[1], "threads") != 0)) {
        fprintf(stderr, "usage: microhttpd_server epoll|threads\n");
        return 64;
    }
    unsigned how = strcmp(argv[1], "epoll") == 0
                       ? MHD_USE_EPOLL_INTERNAL_THREAD
                       : MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION;
    sigset_t end;
    int signal_number;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigprocmask(SIG_BLOCK, &end, NULL); /* the library's threads inherit it */

    const struct sockaddr_in loopback = {.sin_family = AF_INET,
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Response *response = make_response();
    struct MHD_Daemon *server =
        response
            ? MHD_start_daemon(how, 0, NULL, NULL, answer, response, MHD_OPTION_SOCK_ADDR,
                               &loopback, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MOST,
                               MHD_OPTION_LISTEN_BACKLOG_SIZE, (unsigned)BACKLOG, MHD_OPTION_END)
            : NULL;
    if (!server) {
        perror("microhttpd_server");
        return 1;
    }
    printf("ready 127.0.0.1:%u model=microhttpd pid=%d compute_rate=0\n",
           MHD_get_daemon_info(server, MHD_DAEMON_INFO_BIND_PORT)->port, (int)getpid());
    fflush(stdout);
    sigwait(&end, &signal_number);
    MHD_stop_daemon(server);
    MHD_destroy_response(response);
    return 0;
}
