/* An embedded database (SQLite), whose calls block: keys and their values.
 *
 * Whoever reads stands still until the value is there; nothing here can be
 * waited for. That is what it is for: the classic mistake in an event loop. */
#ifndef SERVERS_BACKEND_DATABASE_H
#define SERVERS_BACKEND_DATABASE_H

#include <stddef.h>

enum database_result { DATABASE_FOUND, DATABASE_MISSING, DATABASE_FAILED };

/* key:0 to key:9999, and the bytes of each value: the key, and dots behind it. */
enum { DATABASE_KEYS = 10000, DATABASE_VALUE_BYTES = 100 };

/* Creates and fills the file if it does not exist, and sees whether it can be read. NULL, or what
 * is wrong with it. Nothing of it stays open. */
const char *database_prepare(const char *path);

/* Reads the value of `key` into memory that is the caller's to free. The query takes `sleep_ms`
 * longer than it needs: it stands for a database that must go to a slow disk, whose pages are here
 * all in memory (MySQL's SLEEP() does the same). The thread sleeps inside SQLite.
 *
 * The database is opened when a thread reads for the first time, and closed when it ends: one
 * connection a thread, none carried over a fork (SQLite, "How To Corrupt", 2.6). */
enum database_result database_read(const char *path, const char *key, double sleep_ms, char **value,
                                   size_t *length);

#endif
