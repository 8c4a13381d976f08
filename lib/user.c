/*
 * user - giving up root, in three steps that read like the sentence they are.
 *
 * Not chosen: opening the store as root and giving it away afterwards (LMDB
 * makes files of its own later), and a helper process that keeps root for one
 * rename (it would live beside the store's lock).  While the policy is read,
 * root is only put aside, not given up; what is read then are files that root
 * wrote.
 */
#include "lib/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"

enum { ROOM = 16384 };		/* for one line of passwd or group */

/* user_find - whom to become */
int
user_find(const char *name, struct user *user, struct why *why)
{
	struct passwd pw, *found = NULL;
	char room[ROOM];

	*user = (struct user){ false, geteuid(), getegid() };
	if (name[0] == '\0')
		return 0;
	if (getpwnam_r(name, &pw, room, sizeof(room), &found) != 0 ||
	    found == NULL) {
		if (geteuid() != 0)
			return 0;
		return why_set(why, "there is no user \"%s\": make it, or "
		    "say user = \"\" to stay root", name);
	}
	if (pw.pw_uid == geteuid())
		return 0;
	if (geteuid() != 0) {
		log_warn("not started as root: cannot become \"%s\", staying "
		    "as uid %u", name, (unsigned)geteuid());
		return 0;
	}
	*user = (struct user){ true, pw.pw_uid, pw.pw_gid };
	if (initgroups(name, pw.pw_gid) == -1)
		return why_errno(why, "groups of user \"%s\"", name);
	return 0;
}

/* user_group - by name; on a machine without it the own one is kept */
bool
user_group(const char *name, gid_t *gid)
{
	struct group gr, *found = NULL;
	char room[ROOM];

	if (name[0] == '\0' || getgrnam_r(name, &gr, room, sizeof(room),
	    &found) != 0 || found == NULL)
		return false;
	*gid = gr.gr_gid;
	return true;
}

/* user_folder - one level; an existing one is left as it is */
int
user_folder(const struct user *user, const char *path, mode_t mode, gid_t gid,
    struct why *why)
{
	if (mkdir(path, mode & 0777) == -1) {
		if (errno == EEXIST)
			return 0;
		return why_errno(why, "cannot make the folder %s", path);
	}
	/* Nobody else could put anything there yet: fresh, and ours. */
	if (lchown(path, user->uid, gid) == -1 && user->switches)
		return why_errno(why, "cannot give away %s", path);
	if (chmod(path, mode) == -1)
		return why_errno(why, "mode of %s", path);
	return 0;
}

/* user_lower - work as the user, root put aside */
int
user_lower(const struct user *user, struct why *why)
{
	if (!user->switches)
		return 0;
	if (setegid(user->gid) == -1 || seteuid(user->uid) == -1)
		return why_errno(why, "cannot become uid %u",
		    (unsigned)user->uid);
	return 0;
}

/* user_raise - root once more */
int
user_raise(const struct user *user, struct why *why)
{
	if (!user->switches)
		return 0;
	if (seteuid(0) == -1 || setegid(0) == -1)
		return why_errno(why, "cannot be root again");
	return 0;
}

/* user_become - and there is no way back, which is tried */
int
user_become(const struct user *user, struct why *why)
{
	if (!user->switches)
		return 0;
	if (setresgid(user->gid, user->gid, user->gid) == -1 ||
	    setresuid(user->uid, user->uid, user->uid) == -1)
		return why_errno(why, "cannot become uid %u",
		    (unsigned)user->uid);
	if (user->uid != 0 && (setuid(0) == 0 || seteuid(0) == 0))
		return why_set(why, "root could not be given up");
	return 0;
}

/* user_settle - a folder of its own, then the user for good */
int
user_settle(const char *name, const char *store, const char *dir,
    struct why *why)
{
	struct user user;
	struct stat st;
	gid_t gid;

	if (user_find(name, &user, why) == -1)
		return -1;
	gid = user.gid;
	if (stat(store, &st) == -1)
		return why_errno(why, "store %s (a program makes its own "
		    "folder in it, not the store)", store);
	(void)user_group("penstock", &gid);
	if (user.switches && user_folder(&user, dir, S_ISGID | 0750, gid,
	    why) == -1)
		return -1;
	return user_become(&user, why);
}
