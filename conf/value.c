/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, times, names. */
#include "conf/value.h"

#include <string.h>

enum { DEVICE_MAX = 15, HOST_MAX = 253, LABEL_MAX = 63 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The digits at the beginning; how many there are comes back. */
static size_t digits_read(const char *s, uint64_t *out)
{
	size_t n = 0;
	uint64_t v = 0;

	for (; is_digit(s[n]); n++) {
		uint64_t digit = (uint64_t)(s[n] - '0');

		v = v > (UINT64_MAX - digit) / 10 ? UINT64_MAX : v * 10 + digit;
	}
	*out = v;
	return n;
}

bool value_number(const char *s, uint64_t *out)
{
	size_t n = digits_read(s, out);

	if (n > 0 && s[n] == '\0')
		return true;
	*out = 0;
	return false;
}

static uint64_t unit_seconds(const char *unit)
{
	static const struct {
		const char *unit;
		uint64_t seconds;
	} units[] = { { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 } };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(units[i].unit, unit) == 0)
			return units[i].seconds;
	}
	return 0;
}

bool value_seconds(const char *s, uint64_t *out)
{
	size_t n = digits_read(s, out);
	uint64_t unit = unit_seconds(s + n);

	if (n > 0 && *out == 0 && s[n] == '\0')
		return true;
	if (n == 0 || unit == 0) {
		*out = 0;
		return false;
	}
	*out = *out > UINT64_MAX / unit ? UINT64_MAX : *out * unit;
	return true;
}

bool value_yes_no(const char *s, bool *out)
{
	*out = strcmp(s, "yes") == 0;
	return *out || strcmp(s, "no") == 0;
}

bool value_is_name(const char *s)
{
	size_t n = 0;

	for (; is_alnum(s[n]) || (n > 0 && s[n] && strchr("_.-", s[n])); n++)
		;
	return n > 0 && n <= CONF_NAME_MAX && s[n] == '\0';
}

bool value_is_device(const char *s)
{
	size_t n = 0;

	for (; is_alnum(s[n]) || (s[n] && strchr("_.-", s[n])); n++)
		;
	return n > 0 && n <= DEVICE_MAX && s[n] == '\0' && strcmp(s, ".") != 0 &&
	       strcmp(s, "..") != 0;
}

bool value_is_host(const char *s)
{
	size_t label = 0;
	bool digits = true;

	if (strlen(s) > HOST_MAX)
		return false;
	for (; *s; s++) {
		if (*s == '.' && label > 0 && s[-1] != '-' && s[1]) {
			label = 0;
			digits = true;
			continue;
		}
		if (!(is_alnum(*s) || (*s == '-' && label > 0)) || label == LABEL_MAX)
			return false;
		digits = digits && is_digit(*s);
		label++;
	}
	return label > 0 && !digits && s[-1] != '-';
}
