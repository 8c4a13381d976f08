/*
 * wire - fixed little-endian numbers and length-prefixed fields.
 *
 * The encoding of everything we store.  Writing appends to a struct buf;
 * reading advances a struct wire and, past the end or on a bad length, sets
 * bad and yields zeros and absent slices for ever after: test bad once.
 * Slices read borrow the buffer read from.   Threads: any.
 */
#ifndef LIB_WIRE_H
#define LIB_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/buf.h"
#include "lib/slice.h"

struct wire {
	const uint8_t	*p, *end;
	bool		 bad;
};

void	 put_u8(struct buf *, uint8_t);
void	 put_u16(struct buf *, uint16_t);
void	 put_u32(struct buf *, uint32_t);
void	 put_u64(struct buf *, uint64_t);
void	 put_i64(struct buf *, int64_t);
void	 put_bytes(struct buf *, const void *, size_t);	/* no length */
void	 put_field(struct buf *, struct slice);		/* u32 length, bytes */

struct wire wire_of(struct slice);
uint8_t	 get_u8(struct wire *);
uint16_t get_u16(struct wire *);
uint32_t get_u32(struct wire *);
uint64_t get_u64(struct wire *);
int64_t	 get_i64(struct wire *);
void	 get_bytes(struct wire *, void *, size_t);
struct slice get_field(struct wire *);

/* Big-endian 64-bit keys sort in LMDB. */
void	 be64_put(uint8_t *, uint64_t);
uint64_t be64_get(const uint8_t *);

#endif
