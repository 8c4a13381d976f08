/*
 * sns - what became of mail that went out through Amazon SES, as its SNS tells
 * it by mail: a JSON object in a text, and words for people behind it.
 *
 * Bounces, delays, deliveries and complaints, of the topic itself (endpoint
 * "email") or in the envelope of SNS ("email-json").  It is a report like any
 * other: anybody can write one, and it has an effect only when it proves what
 * it is about (attribute.h), for which it names the header fields of the
 * message.
 * The door to jansson; bounded in size and depth before that sees a byte.
 * Ownership: slices live in the arena.  Threads: any.
 */
#ifndef TOOLS_INGEST_SNS_H
#define TOOLS_INGEST_SNS_H

#include "tools/ingest/arf.h"
#include "tools/ingest/dsn.h"

#define SNS_BYTES	(256u << 10)	/* of the object: as much as SNS carries */
#define SNS_DEPTH	16u

/* 1, or 0 when it is none; without memory, too, and then it is kept. */
int	sns_read(const struct mail *, struct arena *, struct dsn *);
int	sns_complaint(const struct mail *, struct arena *, struct arf *);

#endif
