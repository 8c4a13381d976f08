/*
 * service - a word to systemd: ready, stopping, still alive.
 *
 * Nothing happens when nobody listens.  Threads: any.
 */
#ifndef LIB_SERVICE_H
#define LIB_SERVICE_H

#include <stdint.h>

/* One datagram to $NOTIFY_SOCKET: "READY=1", "STOPPING=1", "WATCHDOG=1". */
void	service_notify(const char *state);
/* us between two WATCHDOG=1, half of what systemd waits; 0: it does not. */
int64_t	service_watchdog(void);

#endif
