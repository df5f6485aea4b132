# SPDX-License-Identifier: Apache-2.0
# Suites, counted: from every algorithm that postern has, one of each type. Needs $bin, the folder with what was built.

# suites_rows HEADING: from the program that writes them into the manual page: a heading, then keywords.
suites_rows() {
	"$bin/conf/schema-man" algorithms | awk -v heading="$1" '/:$/ { on = index($0, heading) == 1 } on && $1 == ".B" { print $2 }'
}
suites_read() {
	mapfile -t encrs < <(suites_rows Encryption)
	mapfile -t integs < <(suites_rows Integrity)
	mapfile -t prfs < <(suites_rows Pseudo)
	mapfile -t kes < <(suites_rows Key)
	# so many have each row, and so many have each combination once
	suites_least=$((${#encrs[@]} > ${#kes[@]} ? ${#encrs[@]} : ${#kes[@]}))
	suites_all=$((${#encrs[@]} * ${#integs[@]} * ${#prfs[@]} * ${#kes[@]}))
}

# suites_words NUMBER: one of each type, integrity last where there is one. Each digit turns those that follow: the first numbers have every row, and as many as there
# are combinations have each once.
suites_words() {
	local n=$1 turn=0 words i
	turn=$((turn + n % ${#encrs[@]})) n=$((n / ${#encrs[@]}))
	words=${encrs[turn % ${#encrs[@]}]}
	turn=$((turn + n % ${#prfs[@]})) n=$((n / ${#prfs[@]}))
	words="$words ${prfs[turn % ${#prfs[@]}]}"
	turn=$((turn + n % ${#kes[@]})) n=$((n / ${#kes[@]}))
	words="$words ${kes[turn % ${#kes[@]}]}"
	turn=$((turn + n % ${#integs[@]}))
	i=${integs[turn % ${#integs[@]}]}
	case ${words%% *} in
	*gcm* | *ccm* | chacha*) [ $n -eq 0 ] || return 1 ;; # the same suite with every integrity: once will do
	*) words="$words $i" ;;
	esac
	echo "$words"
}
