/*
 * version - of all programs, as -v and the status record say it.
 */
#ifndef LIB_VERSION_H
#define LIB_VERSION_H

#define PENSTOCK_VERSION	"0.1"

#endif
