#include "loadgen/tally.h"

#include <math.h>

int tally_init(struct tally *t)
{
    *t = (struct tally){0};
    t->response = histogram_new();
    t->service = histogram_new();
    t->connect = histogram_new();
    t->send_lag = histogram_new();
    t->halves[0] = histogram_new();
    t->halves[1] = histogram_new();
    if (t->response && t->service && t->connect && t->send_lag && t->halves[0] && t->halves[1])
        return 0;
    tally_free(t);
    return -1;
}

void tally_free(struct tally *t)
{
    histogram_free(t->response);
    histogram_free(t->service);
    histogram_free(t->connect);
    histogram_free(t->send_lag);
    histogram_free(t->halves[0]);
    histogram_free(t->halves[1]);
    *t = (struct tally){0};
}

void tally_close(struct tally *t)
{
    histogram_merge(t->response, t->halves[0]);
    histogram_merge(t->response, t->halves[1]);
}

void tally_merge(struct tally *into, const struct tally *from)
{
    into->intended += from->intended;
    into->carried_in += from->carried_in;
    into->sent += from->sent;
    into->completed += from->completed;
    for (int i = 0; i < ERROR_KINDS; i++)
        into->errors[i] += from->errors[i];
    into->unfinished += from->unfinished;
    histogram_merge(into->response, from->response);
    histogram_merge(into->service, from->service);
    histogram_merge(into->connect, from->connect);
    histogram_merge(into->send_lag, from->send_lag);
    histogram_merge(into->halves[0], from->halves[0]);
    histogram_merge(into->halves[1], from->halves[1]);
    into->response_censored += from->response_censored;
    into->service_censored += from->service_censored;
    into->slots_used += from->slots_used;
    into->slots_served += from->slots_served;
    into->opened += from->opened;
    into->served_sum += from->served_sum;
    into->served_squares += from->served_squares;
    into->slow_completed += from->slow_completed;
    into->slow_errors += from->slow_errors;
}

uint64_t tally_errors(const struct tally *t)
{
    uint64_t sum = 0;
    for (int i = 0; i < ERROR_KINDS; i++)
        sum += t->errors[i];
    return sum;
}

bool tally_is_consistent(const struct tally *t)
{
    bool requests = t->intended + t->carried_in == t->completed + tally_errors(t) + t->unfinished;
    return requests && t->response->count == t->completed + t->response_censored;
}

double tally_fairness(const struct tally *t)
{
    if (t->served_squares <= 0)
        return NAN;
    return t->served_sum * t->served_sum / ((double)t->slots_used * t->served_squares);
}
