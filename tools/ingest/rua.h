/*
 * rua - a DMARC aggregate report: who sent as a domain, and did it align.
 *
 * RFC 7489, appendix C, and RFC 9990: XML, alone, gzipped or zipped.  The door
 * to expat: no DTD, no entities but the five, no depth, no long text.  A report
 * is hearsay: anybody can write one; see reputation/dmarc.h for what is kept.
 * Ownership: all slices live in the arena.  Threads: any.
 */
#ifndef TOOLS_INGEST_RUA_H
#define TOOLS_INGEST_RUA_H

#include <stdint.h>
#include "lib/mem.h"
#include "lib/slice.h"
#include "lib/why.h"

#define RUA_RECORDS	20000	/* of one report; others are only counted */
#define RUA_TEXT	255	/* bytes of a value */

struct rua_record {
	struct slice	 source;	/* address as text */
	uint64_t	 count;		/* messages */
	struct slice	 disposition;	/* "none", "quarantine", "reject" */
	bool		 dkim, spf;	/* aligned and passed */
	struct slice	 from;		/* header_from */
	struct slice	 signer;	/* d= of the first signature that passed,
					   or of the first; may be empty */
};

struct rua {
	struct slice	 org, id;	/* who reports, report_id */
	struct slice	 domain;	/* of the policy; lower case */
	struct slice	 policy;	/* p= */
	int64_t		 begin, end;	/* seconds since 1970 */
	struct rua_record *records;
	size_t		 n;
	uint64_t	 more;		/* records beyond RUA_RECORDS */
};

/* The attachment as it is. Action: -1 with the sentence for the quarantine. */
int	rua_read(struct slice attachment, struct arena *, struct rua *,
	    struct why *);

#endif
