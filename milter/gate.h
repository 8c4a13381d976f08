/*
 * gate - the callbacks of libmilter: they marshal, they do not think.
 *
 * Threads: gate_register before smfi_main; the callbacks on any thread of the
 * pool, one at a time per connection.
 */
#ifndef MILTER_GATE_H
#define MILTER_GATE_H

#include "milter/session.h"

/* Tells libmilter the callbacks; the gate is borrowed for good. Action. */
int	gate_register(struct gate *, struct why *);

#endif
