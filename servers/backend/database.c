#include "servers/backend/database.h"

#include "common/clock.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct database {
    sqlite3 *sqlite;
    sqlite3_stmt *read;
    pid_t owner; /* the process that opened it */
};

/* --- the slow disk ---------------------------------------------------------------------------- */

/* The SQL function sleep_ms(T): returns when that many milliseconds have passed. */
static void sql_sleep_ms(sqlite3_context *context, int count, sqlite3_value **arguments)
{
    (void)count;
    double sleep_ms = sqlite3_value_double(arguments[0]);
    if (sleep_ms > 0) {
        struct timespec until = timespec_of_ns(clock_now_ns() + (uint64_t)(sleep_ms * 1e6));
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
            ;
    }
    sqlite3_result_null(context);
}

/* --- opening ---------------------------------------------------------------------------------- */

static void database_close(struct database *db)
{
    sqlite3_finalize(db->read);
    sqlite3_close(db->sqlite);
    free(db);
}

static struct database *database_open(const char *path)
{
    struct database *db = calloc(1, sizeof *db);
    if (!db)
        return NULL;
    db->owner = getpid();
    /* NOMUTEX: a connection is one thread's. */
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &db->sqlite, flags, NULL) == SQLITE_OK &&
        sqlite3_create_function(db->sqlite, "sleep_ms", 1, SQLITE_UTF8, NULL, sql_sleep_ms, NULL,
                                NULL) == SQLITE_OK &&
        sqlite3_prepare_v3(db->sqlite, "SELECT sleep_ms(?2), value FROM pairs WHERE key = ?1", -1,
                           SQLITE_PREPARE_PERSISTENT, &db->read, NULL) == SQLITE_OK)
        return db;
    database_close(db);
    return NULL;
}

/* --- a thread's own --------------------------------------------------------------------------- */

static pthread_key_t own_key;

static void close_own(void *db)
{
    database_close(db);
}

static void make_key(void)
{
    pthread_key_create(&own_key, close_own);
}

static struct database *database_of_thread(const char *path)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_key);
    struct database *db = pthread_getspecific(own_key);
    if (db && db->owner == getpid())
        return db;
    /* Opened by the parent: not even closing it is allowed here, it would drop the parent's locks.
     */
    db = database_open(path);
    if (db && pthread_setspecific(own_key, db) != 0) {
        database_close(db);
        return NULL;
    }
    return db;
}

/* --- reading ---------------------------------------------------------------------------------- */

static enum database_result step(sqlite3_stmt *read, char **value, size_t *length)
{
    int result = sqlite3_step(read); /* blocks */
    if (result == SQLITE_DONE)
        return DATABASE_MISSING;
    const void *bytes = result == SQLITE_ROW ? sqlite3_column_blob(read, 1) : NULL;
    size_t count = bytes ? (size_t)sqlite3_column_bytes(read, 1) : 0;
    char *copy = bytes ? malloc(count) : NULL;
    if (!copy)
        return DATABASE_FAILED;
    memcpy(copy, bytes, count);
    *value = copy;
    *length = count;
    return DATABASE_FOUND;
}

enum database_result database_read(const char *path, const char *key, double sleep_ms, char **value,
                                   size_t *length)
{
    struct database *db = database_of_thread(path);
    if (!db)
        return DATABASE_FAILED;
    sqlite3_bind_text(db->read, 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_double(db->read, 2, sleep_ms);
    enum database_result result = step(db->read, value, length);
    sqlite3_reset(db->read); /* lets go of the file's lock, too */
    sqlite3_clear_bindings(db->read);
    return result;
}

/* --- making one ------------------------------------------------------------------------------- */

/* Each value names its key, so that one that went to the wrong request can be told. */
static void make_value(const char *key, char value[DATABASE_VALUE_BYTES])
{
    memset(value, '.', DATABASE_VALUE_BYTES);
    memcpy(value, key, strlen(key));
}

static bool insert_all(sqlite3_stmt *insert)
{
    for (int i = 0; i < DATABASE_KEYS; i++) {
        char key[16], value[DATABASE_VALUE_BYTES];
        snprintf(key, sizeof key, "key:%d", i);
        make_value(key, value);
        sqlite3_bind_text(insert, 1, key, -1, SQLITE_STATIC);
        sqlite3_bind_text(insert, 2, value, sizeof value, SQLITE_STATIC);
        if (sqlite3_step(insert) != SQLITE_DONE)
            return false;
        sqlite3_reset(insert);
    }
    return true;
}

static bool fill(sqlite3 *sqlite)
{
    sqlite3_stmt *insert = NULL;
    bool is_filled =
        sqlite3_exec(sqlite,
                     "BEGIN; CREATE TABLE pairs (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID",
                     NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(sqlite, "INSERT INTO pairs VALUES (?1, ?2)", -1, &insert, NULL) ==
            SQLITE_OK &&
        insert_all(insert);
    sqlite3_finalize(insert);
    return is_filled && sqlite3_exec(sqlite, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
}

/* Under another name first: nobody ever sees a half-filled one, also when two servers begin. */
static bool create(const char *path)
{
    char draft[4096];
    if (snprintf(draft, sizeof draft, "%s.%d", path, (int)getpid()) >= (int)sizeof draft)
        return false;
    sqlite3 *sqlite;
    int opened = sqlite3_open_v2(draft, &sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    bool is_made = opened == SQLITE_OK && fill(sqlite);
    is_made = sqlite3_close(sqlite) == SQLITE_OK && is_made && rename(draft, path) == 0;
    if (!is_made)
        unlink(draft);
    return is_made;
}

const char *database_prepare(const char *path)
{
    if (access(path, F_OK) != 0 && !create(path))
        return "it does not exist, and cannot be created";
    struct database *db = database_open(path);
    if (!db)
        return "it is no database with a table pairs (key, value)";
    database_close(db);
    return NULL;
}
