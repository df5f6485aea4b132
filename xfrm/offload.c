/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that do ESP: see xfrm/offload.h. Features have names whose numbers differ from kernel to
 * kernel, so the list of names is asked for first (linux/ethtool.h).
 */
#include "xfrm/offload.h"

#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { FEATURES_MAX = 256, WORD_BITS = 32 };

static bool ethtool(int fd, const char *device, void *request)
{
	struct ifreq r = { .ifr_data = request };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", device);
	return ioctl(fd, SIOCETHTOOL, &r) == 0;
}

/* -1: the kernel does not know it. */
static int feature_number(int fd, const char *device, const char *name)
{
	struct ethtool_gstrings *names =
		calloc(1, sizeof(*names) + (size_t)FEATURES_MAX * ETH_GSTRING_LEN);
	int number = -1;

	if (names == NULL)
		return -1;
	names->cmd = ETHTOOL_GSTRINGS;
	names->string_set = ETH_SS_FEATURES;
	names->len = FEATURES_MAX;
	if (!ethtool(fd, device, names))
		names->len = 0;
	for (uint32_t i = 0; i < names->len && i < FEATURES_MAX && number < 0; i++) {
		if (strncmp((char *)names->data + (size_t)i * ETH_GSTRING_LEN, name,
			    ETH_GSTRING_LEN) == 0)
			number = (int)i;
	}
	free(names);
	return number;
}

static bool feature_is_on(int fd, const char *device, int number)
{
	enum { BLOCKS = FEATURES_MAX / WORD_BITS };
	struct ethtool_gfeatures *f =
		calloc(1, sizeof(*f) + BLOCKS * sizeof(struct ethtool_get_features_block));
	bool on = false;

	if (f == NULL || number < 0) {
		free(f);
		return false;
	}
	f->cmd = ETHTOOL_GFEATURES;
	f->size = BLOCKS;
	if (ethtool(fd, device, f) && number / WORD_BITS < (int)f->size)
		on = f->features[number / WORD_BITS].active >> number % WORD_BITS & 1;
	free(f);
	return on;
}

static bool device_can(const char *device)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool can = false;

	if (fd < 0)
		return false;
	can = feature_is_on(fd, device, feature_number(fd, device, "esp-hw-offload"));
	close(fd);
	return can;
}

static bool has_address(const struct ifaddrs *i, const struct addr *own)
{
	struct endpoint e;

	return i->ifa_addr != NULL && endpoint_from_sockaddr(&e, i->ifa_addr) &&
	       addr_eq(&e.addr, own);
}

uint32_t offload_device(const struct addr *own, enum sa_offload want)
{
	struct ifaddrs *all = NULL;
	uint32_t index = 0;

	if (want == OFFLOAD_NO || getifaddrs(&all) != 0)
		return 0;
	for (const struct ifaddrs *i = all; i != NULL && index == 0; i = i->ifa_next) {
		if (has_address(i, own) && (want != OFFLOAD_AUTO || device_can(i->ifa_name)))
			index = if_nametoindex(i->ifa_name);
	}
	freeifaddrs(all);
	return index;
}
