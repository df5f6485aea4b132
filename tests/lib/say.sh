# SPDX-License-Identifier: Apache-2.0
# What a person sees: numbered steps with their time, and a tally that ends in
# `N passed, N failed, N skipped`. Sourced by the commands beside this folder.

say_passed=0 say_failed=0 say_skipped=0 say_step=0 say_t0=0

# milliseconds; without another process, for those are slow where a processor is emulated
say_now() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# A step of a demonstration: `step TEXT` begins it, `step_done` prints it with its time.
step() { say_step=$((say_step + 1)) say_text=$1 say_t0=$(say_now); }
step_done() {
	local ms=$(($(say_now) - say_t0))
	printf '%2d  %-68s %3d.%d s\n' "$say_step" "${1:-$say_text}" $((ms / 1000)) $((ms % 1000 / 100))
}
show() { sed 's/^/        /'; }

# Results of a test. Each says its name, so that a log can be searched.
pass() { say_passed=$((say_passed + 1)); printf 'ok      %s\n' "$1"; }
fail() { say_failed=$((say_failed + 1)); printf 'FAILED  %s\n' "$1"; }
skip() { say_skipped=$((say_skipped + 1)); printf 'skipped %s: %s\n' "$1" "$2"; }
# `check NAME COMMAND...`: passes when the command does; shows what it printed first and last when not. The command runs
# in this shell, so that what it starts can be waited for.
check() {
	local name=$1 say_output
	shift
	say_output=$(mktemp /tmp/postern-say.XXXXXX)
	if "$@" >"$say_output" 2>&1; then
		pass "$name"
	else
		fail "$name"
		awk '{ l[NR] = $0 } END { for (i = 1; i <= NR; i++) if (i <= 10 || i > NR - 40) print l[i] }' "$say_output" | show
	fi
	rm -f "$say_output"
}
# `refuse NAME COMMAND...`: passes when the command fails.
refuse() {
	local name=$1
	shift
	if "$@" >/dev/null 2>&1; then fail "$name"; else pass "$name"; fi
}
tally() {
	printf '%d passed, %d failed, %d skipped\n' "$say_passed" "$say_failed" "$say_skipped"
	[ "$say_failed" -eq 0 ]
}
die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

# `eventually SECONDS COMMAND...`: asks again until it holds. A condition, not a sleep: it returns at once
# when the command succeeds and fails when the time is over. POSTERN_SLOW says how much slower a machine is than most;
# the emulated one of tests/kernel/run says 10, and there it asks less and less often, for asking takes time from others.
eventually() {
	local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000 * ${POSTERN_SLOW:-1})) pause=50
	shift
	until "$@" >/dev/null 2>&1; do
		[ "${EPOCHREALTIME/[.,]/}" -lt "$end" ] || return 1
		read -rt "0.$(printf %03d $pause)" <> <(:) || :
		[ "${POSTERN_SLOW:-1}" -le 1 ] || [ $pause -ge 400 ] || pause=$((pause * 2))
	done
}
# `throughout SECONDS COMMAND...`: asks again and again for so long, and each time it has to hold. For what must not
# happen, so that the time that passes is the subject itself.
throughout() {
	local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
	shift
	while "$@"; do
		[ "${EPOCHREALTIME/[.,]/}" -lt "$end" ] || return 0
		read -rt 0.05 <> <(:) || :
	done
	return 1
}
# A random moment, up to this many hundredths of a second: for what happens at any time. By RANDOM, so a seed repeats it.
moment() { read -rt "$(printf '0.%02d' $((RANDOM % $1)))" <> <(:) || :; }
