/*
 * config_alert - the block "alert".
 *
 * A score looks back nine weeks: what is kept per day is kept for longer.
 */
#include "lib/config_in.h"

#include "lib/clock.h"

#define HOURS_LEAST	(2 * CLOCK_DAY)
#define DAYS_LEAST	(70 * CLOCK_DAY)
#define KEEP_MOST	(36500 * CLOCK_DAY)

/* config_alert - one setting */
void
config_alert(struct reader *r, const struct node *n, int id)
{
	struct config *c = r->config;

	switch (id) {
	case WORD_ALERT_USER:
		c->alert.user = n->value.text.p;
		break;
	case WORD_ALERT_KEEP_HOURS:
		config_duration(r, n, HOURS_LEAST, KEEP_MOST,
		    &c->alert.keep_hours);
		break;
	case WORD_ALERT_KEEP_DAYS:
		config_duration(r, n, DAYS_LEAST, KEEP_MOST,
		    &c->alert.keep_days);
		break;
	}
}

/* config_alert_defaults - what holds where the file says nothing */
void
config_alert_defaults(struct config *c)
{
	c->alert.user = "";
	c->alert.keep_hours = 35 * CLOCK_DAY;
	c->alert.keep_days = 1095 * CLOCK_DAY;
}
