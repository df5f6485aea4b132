/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ke.h"

#include <string.h>

#include "crypto/ke_ops.h"
#include "tests/unit/crypto/hex.h"
#include "tests/unit/unit.h"

struct vector {
	const char *keyword;
	const char *i; /* the initiator's private value */
	const char *gi;
	const char *r;
	const char *gr;
	const char *gir;
};

static const struct vector vectors[] = {
	/* RFC 5903 8.1 */
	{ "ecp256", "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
	  "dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180"
	  "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3",
	  "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53",
	  "d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63"
	  "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab",
	  "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de" },
	/* RFC 5903 8.2 */
	{ "ecp384",
	  "099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f160647b67414dce655"
	  "e35b538041e649ee3faef896783ab194",
	  "667842d7d180ac2cde6f74f37551f55755c7645c20ef73e31634fe72b4c55ee6"
	  "de3ac808acb4bdb4c88732aee95f41aa9482ed1fc0eeb9cafc4984625ccfc23f"
	  "65032149e0e144ada024181535a0f38eeb9fcff3c2c947dae69b4c634573a81c",
	  "41cb0779b4bdb85d47846725fbec3c9430fab46cc8dc5060855cc9bda0aa2942"
	  "e0308312916b8ed2960e4bd55a7448fc",
	  "e558dbef53eecde3d3fccfc1aea08a89a987475d12fd950d83cfa41732bc509d"
	  "0d1ac43a0336def96fda41d0774a3571dcfbec7aacf3196472169e838430367f"
	  "66eebe3c6e70c416dd5f0c68759dd1fff83fa40142209dff5eaad96db9e6386c",
	  "11187331c279962d93d604243fd592cb9d0a926f422e47187521287e7156c5c4"
	  "d603135569b9e9d09cf5d4a270f59746" },
	/* RFC 7748 6.1 */
	{ "x25519", "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
	  "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
	  "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
	  "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
	  "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742" },
	/* Python: a, r = the first bytes of SHA-512("postern modp 2048 i"), (... "r");
	 * pow(2, a, p), pow(2, r, p), pow(pow(2, r, p), a, p); likewise for the other groups */
	{ "modp2048", "8515714fdc7affa6a08f26f05a37f023eb11eb61b96b108c23002d541cf73a10",
	  "3a32b3dc8b214c5cb0a311f191a601264964383823d1ee89f74a78a1765d2478"
	  "130910d74a4b6d29b5f49dac2d59d8783279140e7ebf76b65304502cb743870f"
	  "539b574ce07f075b3f8aeb72dafcb406700a02d1b3fc2a31932465c06712e91f"
	  "4db9affd58070b6f4e34f5c01aa8da2b8bbb82b89f83ff9961e1de7f44c839f3"
	  "9154ce58b91764d84b6b2a3cf352492f22eb67769fb684d3ef71d8debce969f1"
	  "f4aa5da4db789c93f018672af2ca9afd85580e9df071c81bd9cb1f95d99b7693"
	  "5ec4c87b2c54f0a112d0f664e8832a2f4bda7989a4f2cdd11aa08680a34ddf70"
	  "b66c4796b99a0a9d660e4086d3e77e6db2a00f8022ea4e48caab78c59465123d",
	  "aadc4b06e4c20fbca078f3efc5f0ed61cd7ee50ce1cc6fac0dba266ccbc09442",
	  "81061d4f6191683eefeb24b6cfb8352ebea58ff416f903f892a804eedf2d2e34"
	  "0d287a9d570946eb7a367dff6472962bebdea38d2e9242778e2ab2ee43f075f3"
	  "1573500622d6a24da9628dd6746cf9af0434141f5d2b6cf366de4452c2bf9e10"
	  "f1a76b3b99d31ee5edae68aedec28ee0ba3f07a0dec9d652b0b04fb72bf5af37"
	  "4271dc46b6d3bb953bfc2e869bad9b8dde55f3dd17f6c111b75b04d974e255c6"
	  "ad8f95cd62750eb1916f81e692debe3dd83979024ec20ae9777e6f3520e0076f"
	  "80f379ddbd73f637dbc6ce0c37158c6c9d24e6a623b5266cc9ddb2d7c81c67dc"
	  "6553317845cda68afe12c1cca9f80170293783d969ffbfe59274248e1e9f230d",
	  "5406097c24a98da52d93e7d06921e91db4632ec0307e18c2806eb4bcabc51467"
	  "6c71cd5c87b2c2e38f5a75f926c5456d179dea19caeeedc018cd69143f1fe918"
	  "286b8857bbe27ce6c9b66f018dc1c7b63819a0da66498d8cb22ca7ce3a0a24b4"
	  "7823e00e7b6c5cc83abfbc32680be11e89e38c28f8a33075985a423e2390a883"
	  "c81992768b93f960e0d4372226a085625aed42c3dc9185e2fbeeef7bc830a7c9"
	  "98e12c96b10e85e2231665ec2f627cf71201ffc4030196bab7fd2c6d0919c277"
	  "0a3403f2ee6453750d38ca4c42c08bafc25a221ffb18a46eb9ba4ee875c4225c"
	  "0ea10ea9f90b07a44c4862a10a250c8b9d8ed89653a93817713306c2630331f9" },
	{ "modp3072", "0cf3c1f4f6fa735c3d33b759cf0d7993a0f93d55b350c3ffc3b107c47127a447",
	  "d5d76256a2e21ea003bec24a9a1fcf2c17a4dc26e6a6d132f190dbfb56f098d4"
	  "ccf3248ad71e2b600695e2cb15555a6c082d2f614a70f6662c0ff131446e97d9"
	  "bf5a1eef81b3c6cfd363ee391db0ccea8901eae8e2034096bb41683a1b1828f2"
	  "cd38ffc7f6968aa2e484c0da016c543fb288615de0eb4e8d7b9ff62e079902a5"
	  "ef2a6a223b957a975c9ac29ff30b576912019b3781523e60e4136c4668d68853"
	  "bb8e43485b6d693af02c1a9cc86ec4424f8018d503ccd13af2e8c0e5688e7674"
	  "3ae5bd62893c3d18c0620dae85ad4be44d07c81950fe9fa7ffdf3711946fed8e"
	  "fd3b33f2c89f13b08eb247405cd6e0d77ab4c012d488e0d4136d85a46b45c87e"
	  "12615ba151c8f4eaacc183f2c02f903e4e9a7881f0b4e9ac4ae8a56cb211c309"
	  "3b2534754e39f5e5cb54b120750253a3835387e736279756bc5bd0213c0c8338"
	  "0e6271bdb45708812fc453c7dce1e296372fac60cffd0470e355fded1bf59ede"
	  "b434c78490ba163122c1daa0faaed879967e8e9381b2cd3394ed4c62ecad1491",
	  "a60d3e964b6d5dadf1b83243a0d16d5edd5e35b7fb5c69a4c6cefb7c2e8ca313",
	  "e25ab43566d9260b18b388fdab64052adf88056fec00a92adb7735d29d5978cf"
	  "752331c0d38334e7ac2722d54c1e72257ef63e00ab77c9f54e1548232d7fdf7a"
	  "7a6046aef03e39f194f7781ac4969ea036395ee590637a6864de75c6ef2ea105"
	  "0d6b3fae564b9fc271253fd594ade7aee890f7918a39976ceb079ab44a3d2174"
	  "2fa53182df2081cfe8404f370d558aa16e6413d8a1fb70e04b09da1266b95acd"
	  "d69027e74a6ea4af427285ebf4e11a8c7978157e7ff8f761066bf7d508a099dd"
	  "8108d20227af8563bcab527e6bd2a10a3dedde4c40fc25eb471332bbccb4d497"
	  "a832eb824fe847a14d9c75fa92c83a15a1146ddda5aaf54cda4173ddc469d61e"
	  "1649bc03566c40298c9d5a0cc992bb02990110921f893d69d416f4cb81ffb1f8"
	  "1478402d283b7312ba0650608be8aaa565d978a08d9c59c5e7d607ecbb60969d"
	  "cbc09c1c0573c14d4fec917db731b963e0dbd979e9602e9d8b39d8eecb82b2b5"
	  "289725a79058a7760bc3024bb3a0b910ab0bc3d2b89611cda0c6ba794027c267",
	  "530cd68bd65c259e4076412df41afdbce530d0fdba4be7cfda7274dcbe706f82"
	  "e7ed109dd7d9bb99d429605b85c493ba95952d78158f8481b1b78e4c7f151ec7"
	  "c03339d2f68bd87963a09eb4e687bb31e41d2352a30a3402ab7baa0a1e8c3f53"
	  "2745e0e30f123b0ded816897af5d47c6354b3fcd1facc97a59233d2bf3696464"
	  "59376683d3122414784902bbd5edd541c36169d7a7b211d3a1489384060488b7"
	  "8ecc77e6cd739ceffb5dd9e3299a1764c6c4d41dd108505f08caba59b25049e0"
	  "aaa9fb6b4e48eb0af1d8de55f3237b12db42fc0f99cb361d770b2b1b48e2cf0d"
	  "363e062fdd95358b375b8021d56683cab24df33a67814c707e6d948638ed981d"
	  "a0fe6c9a20b73eb4ef4c0a9b7c234e6e15228738ce09ffce7ac464f276617406"
	  "31728544990987c0c32de58380dc6ad07d8bc50544645751c3963547d196a99f"
	  "60e650a4fe46ff5de68b8dfd5893abd438f63fe5e78f0b37d0e408723c8e77cd"
	  "42f52a49f444b4077032123e26c9b1b75a46990896924cb64a465ebc4a54f5d8" },
	{ "modp4096",
	  "22c50192590ed20d6abec2c418d88ec6293a92a12d5d0e1283faca84110204ec"
	  "25c67389412b",
	  "1b64f1432d4e594377833407d9556fad0fc4c2533b00715090d82633d2a2b19f"
	  "3a84a7c7e6936817e5ee6f465d246207ef52754bad24547a02cfc0bc900c7fc8"
	  "27b7ff240bc3eb615951fb0c394647ba0a148e93582ca523fb02f0ec645af3bf"
	  "9a9212a9a4fae2a7e328f89f527447240b560114dddd667c0007e02911b6babc"
	  "ebbe35cab44d9c390b85a0d3bca9da9cec01d61a2fdca69440b1b73ad1fb9f6c"
	  "fc8b280b075af0847fd2671437ecd0de6c287e85b3f8c575441a95320712d3ed"
	  "36e78df96a4a2c248f456e2bafaa1161ad49f6f372024102aa0042df83d9e369"
	  "e591e61176c112b157be84b976239c37305d24c8fe9448d784d9f90ac6ac1559"
	  "8fecf13c8a50f5307fa47910de61f75db8259090fb394d742ec849333ae25c94"
	  "50ab63591a500778943326e46377ca6de855e7eb4bb0717e4d7c3a6723ad54fa"
	  "96afb5315e599af0ad2f92e86d4da50e24e4055bde61028618cb455ec4521e5d"
	  "127569f0481dfe9cd3c637eb273bc1eb08c994075a7b2df09fd4f5a4ce126a63"
	  "32043e01c3b5e207fcfba4f9d205ef9a5cdb119b60dab8b572de1ba1975a02e4"
	  "fb743a364af69b6282951ea1aff106f6df720ad3ed872a568e8934717119650a"
	  "5771cd4a73e9a40f99a8f7fd49f862483dc3e165e2ea2b402c0b348d34b0169f"
	  "7d5d2783ae92ccfcbc256cf11eb56f997c148af88dc4f08ab14271a5d569d878",
	  "fe31cb0af5238c2037dabb79c2b2ca278e0686238d5df79ee57104f9db360519"
	  "e3e63e0c7cae",
	  "a3e3b92d1f6b260709989a1a4f7cfba91a011addff758869756c578335050ebf"
	  "a23288e7eff2ab93beb866cd84e9d8d77b3b840d238ef5671b3feb794063da3d"
	  "9b78718b61e35f0aa2af03382adebbd86802b13bec6c87283630df16632bf353"
	  "71739e3ccd705838f8e24b7a931ba451dd9abfa43afc4480967a2fa28970674c"
	  "25d04d9984b2a9243cc801737626fb63eab5a3091b8a6c7bc508a4b6e2ea9e08"
	  "0269b3e38db61d07cde2c7d3ab7b2954351ea2886edbb1094eb81c36274123e8"
	  "52601ad4e92c1d97cd3b5916310f06e118b19408d1a34b9aa2fa347650d72c9b"
	  "f3904a840cba1713d1ad4e5ac523f9aac124273de4bf9615fbd0720040f05602"
	  "4107ebd810a50358b431f1476a6f1d891f483e00690335e11c270329cf6140e1"
	  "bf731829b311f886154e0e51659c0c4e7c522d2f8a7e280f232aa19b368fbcde"
	  "0a8e0e37e3637e6a74ca20196f3a24ca7ea07aaa9fd1c9a8654f9ae09a10aae5"
	  "f69048a428e32f957f36c872c311224e11c76d2a6f8af3fc23625b786c45860e"
	  "e4c6c7ca5482863810cf505cc98704f545d6d2ed358540f647a59a2c2bca4257"
	  "a89eb50345a130d453113c479f303a9d019ae43bc6ec04658ea4e73bdbdcaad4"
	  "e155f0125ccfbd826232caba0acad5e5e11e3b6b03eedbb840fe6679a60f0753"
	  "cea387824d1dd5717e0b16ecda806f986653bb79db4ec43da92154774bcec48a",
	  "505d40aab55514d078e673ed5123c035cd3546528937f0c346b1983abcfaf74a"
	  "4157ceff7765707e5bf202e78e48eec1d00b5f30bb0acdf6c8f195452a80f43e"
	  "30edc114ef213666dc21bfd91e0cfbd51414c9ff35100a0f2f5ed04cbe5a2d40"
	  "745da9aeffaa4fb7997426072ea7ef5e731b2ef1d60c855767d67d80bce5e6cd"
	  "74189e0388c6e5afd199f5635b8a69aaf2f7b0a2f3bb7dcbc9094672814f989c"
	  "2e911ff05a217d48b7906954d26799fd8a71f09e5081a8749086d22ed035ba3c"
	  "6b72e718dacab9397c0e4a4cb55fd1a5bf93f5a451d66f371a03d2d39bdd9845"
	  "6475885a217ec775c20dec64cbbb0de1fee14c3ffb509840ab9f9d227bce91a9"
	  "6f431137fef1d4697c63e3307d55f4db22832ecdd03b1c9bb545b1519dfae346"
	  "9c63b61e56874e09e468e60bb8a3ba5005a1c0695291493383f75ac46e1775e9"
	  "e2a5abe77f993efba57713272920fb4e7cb4bb6fb34f27a0e34e5a567b41cc2d"
	  "29d368cdb65495ace851ee7b4bdfde26c3116992297000b95db7fe36d99af80d"
	  "f7df8f70a458d0898ee175b77960461a655b696aec7bc5fc643f2c56a09b2f38"
	  "3c8d09a82d5780ecf1f1339829dec9df76869e1647a6e56f3463ac6162a46580"
	  "c0236c27ba22a2f5f645e596d1fd8bc5b0b7175c7bd2200a36b16d954929f8da"
	  "dd847b1dae0451aac56c484e641f72d07d4bdaa28ba233650dbbff001320be04" },
};

enum { N_VECTORS = sizeof(vectors) / sizeof(vectors[0]), N_GROUPS = 6, N_CURVES = 2, N_MODP = 3 };

START_TEST(public_values_and_secrets_are_those_of_the_vector)
{
	const struct vector *v = &vectors[_i];
	const struct ke_group *g = ke_by_keyword(v->keyword);
	const struct hex i = hex(v->i), r = hex(v->r), gi = hex(v->gi), gr = hex(v->gr);
	uint8_t out[KE_PUBLIC_MAX];

	ck_assert_int_eq(ke_public(g, hex_span(&i), out), OK);
	hex_expect(v->gi, span_of(out, g->public_len));
	ck_assert_int_eq(ke_public(g, hex_span(&r), out), OK);
	hex_expect(v->gr, span_of(out, g->public_len));
	ck_assert_int_eq(ke_shared(g, hex_span(&i), hex_span(&gr), out), OK);
	hex_expect(v->gir, span_of(out, g->secret_len));
	ck_assert_int_eq(ke_shared(g, hex_span(&r), hex_span(&gi), out), OK);
	hex_expect(v->gir, span_of(out, g->secret_len));
}
END_TEST

/* RFC 7748 5.2: any scalar with any coordinate; the top bit of the second is to be ignored. */
START_TEST(x25519_multiplies_as_the_rfc_says)
{
	static const struct {
		const char *scalar;
		const char *u;
		const char *out;
	} cases[] = {
		{ "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
		  "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
		  "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552" },
		{ "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
		  "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
		  "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957" },
	};
	const struct hex scalar = hex(cases[_i].scalar), u = hex(cases[_i].u);
	uint8_t out[32];

	ck_assert_int_eq(ke_shared(ke_find(KE_CURVE25519), hex_span(&scalar), hex_span(&u), out),
			 OK);
	hex_expect(cases[_i].out, span_of(out, sizeof(out)));
}
END_TEST

static const struct vector *vector_of(const struct ke_group *g)
{
	for (size_t i = 0; i < N_VECTORS; i++)
		if (strcmp(vectors[i].keyword, g->keyword) == 0)
			return &vectors[i];
	ck_abort_msg("no vector of %s", g->keyword);
	return NULL;
}

/* Refused, and nothing left in the buffer of the secret. */
static void expect_peer_refused(const struct ke_group *g, struct span peer)
{
	const struct hex i = hex(vector_of(g)->i);
	static const uint8_t zero[KE_SECRET_MAX];
	uint8_t out[KE_SECRET_MAX];

	memset(out, 0xa5, sizeof(out));
	ck_assert_msg(ke_shared(g, hex_span(&i), peer, out) == ERR_KE_VALUE,
		      "%s took a value of %zu bytes, %02x %02x ... %02x", g->keyword, peer.len,
		      peer.len ? peer.p[0] : 0, peer.len ? peer.p[1] : 0,
		      peer.len ? peer.p[peer.len - 1] : 0);
	ck_assert_mem_eq(out, zero, g->secret_len);
}

START_TEST(values_of_another_length_are_refused)
{
	const struct ke_group *g = ke_row((size_t)_i);
	const struct hex i = hex(vector_of(g)->i), gr = hex(vector_of(g)->gr);
	const size_t wrong[] = { 0, 1, g->public_len - 1u, g->public_len + 1u, HEX_MAX };
	uint8_t out[KE_PUBLIC_MAX];

	for (size_t n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++)
		expect_peer_refused(g, span_of(gr.b, wrong[n]));
	for (size_t len = 0; len <= KE_PRIVATE_MAX; len++) {
		const enum err want = len == g->private_len ? OK : ERR_KE_VALUE;

		ck_assert_int_eq(ke_public(g, span_of(i.b, len), out), want);
		ck_assert_int_eq(ke_shared(g, span_of(i.b, len), hex_span(&gr), out), want);
	}
}
END_TEST

static void number_add(struct hex *n, int add)
{
	for (size_t i = n->len; i-- > 0;) {
		add += n->b[i];
		n->b[i] = (uint8_t)add;
		add >>= 8;
	}
}

static void number_reverse(struct hex *n)
{
	for (size_t i = 0; i < n->len / 2; i++) {
		const uint8_t b = n->b[i];

		n->b[i] = n->b[n->len - 1 - i];
		n->b[n->len - 1 - i] = b;
	}
}

/* base + add, big-endian, as long as base */
static struct hex number(struct span base, int add)
{
	struct hex n = { .len = base.len };

	memcpy(n.b, base.p, base.len);
	number_add(&n, add);
	return n;
}

static const struct modp *const primes[N_MODP] = { &modp_2048, &modp_3072, &modp_4096 };
static const uint16_t prime_groups[N_MODP] = { KE_MODP_2048, KE_MODP_3072, KE_MODP_4096 };

START_TEST(modp_takes_what_lies_between_1_and_p_minus_1)
{
	static const uint8_t zero[KE_PUBLIC_MAX];
	const struct ke_group *g = ke_find(prime_groups[_i]);
	const struct hex i = hex(vector_of(g)->i);
	const struct span p = span_of(primes[_i]->prime, g->public_len);
	const struct hex good[] = { number(span_of(zero, p.len), 2), number(p, -2) };
	const struct hex bad[] = {
		number(span_of(zero, p.len), 0),
		number(span_of(zero, p.len), 1),
		number(p, -1),
		number(p, 0),
		number(p, 1),
		number(span_of(zero, p.len), -1),
	};
	uint8_t out[KE_SECRET_MAX];

	for (size_t n = 0; n < sizeof(bad) / sizeof(bad[0]); n++)
		expect_peer_refused(g, hex_span(&bad[n]));
	for (size_t n = 0; n < sizeof(good) / sizeof(good[0]); n++)
		ck_assert_int_eq(ke_shared(g, hex_span(&i), hex_span(&good[n]), out), OK);
}
END_TEST

START_TEST(modp_of_exponent_zero_is_refused)
{
	static const uint8_t zero[KE_PRIVATE_MAX];
	const struct ke_group *g = ke_find(prime_groups[_i]);
	uint8_t out[KE_PUBLIC_MAX];

	ck_assert_int_eq(ke_public(g, span_of(zero, g->private_len), out), ERR_KE_VALUE);
}
END_TEST

/* 2^(8 * 8) has many zero bytes before it, and all of them belong to the secret (RFC 7296 2.14). */
START_TEST(modp_keeps_leading_zeros)
{
	const struct ke_group *g = ke_find(prime_groups[_i]);
	uint8_t two[KE_PUBLIC_MAX] = { 0 }, priv[KE_PRIVATE_MAX] = { 0 };
	uint8_t want[KE_SECRET_MAX] = { 0 }, out[KE_SECRET_MAX];

	two[g->public_len - 1] = 2;
	priv[g->private_len - 1] = 64;
	want[g->secret_len - 9] = 1;
	ck_assert_int_eq(
		ke_shared(g, span_of(priv, g->private_len), span_of(two, g->public_len), out), OK);
	ck_assert_mem_eq(out, want, g->secret_len);
}
END_TEST

struct curve {
	const char *keyword;
	const char *p;
	const char *n;	/* the order */
	const char *y0; /* (0, y0) is on the curve: y0 is a root of b */
};

static const struct curve curves[N_CURVES] = {
	{ "ecp256", "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
	  "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
	  "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4" },
	{ "ecp384",
	  "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe"
	  "ffffffff0000000000000000ffffffff",
	  "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf"
	  "581a0db248b0a77aecec196accc52973",
	  "c306610fb0ae5a159cf45c06069f22a6c5eb3641c602d42dea2c4b4f75550793"
	  "406d80d2b91ad54f9048bd487af1ade1" },
};

static struct hex point(const struct hex *x, const struct hex *y)
{
	struct hex xy = { .len = x->len + y->len };

	memcpy(xy.b, x->b, x->len);
	memcpy(xy.b + x->len, y->b, y->len);
	return xy;
}

/* x and y run through 0, 1, p-1, p, p+1 and all ones; of these only (0, y0) is a point, and it
 * counts only when written with x = 0 and not x = p. */
START_TEST(ecp_takes_points_of_the_curve_alone)
{
	static const uint8_t zero[48];
	const struct curve *c = &curves[_i];
	const struct ke_group *g = ke_by_keyword(c->keyword);
	const struct hex i = hex(vector_of(g)->i), y0 = hex(c->y0), p = hex(c->p);
	const struct span none = span_of(zero, p.len);
	const struct hex v[] = {
		number(none, 0),
		number(none, 1),
		number(hex_span(&p), -1),
		p,
		number(hex_span(&p), 1),
		number(none, -1),
		y0,
	};
	const size_t n_v = sizeof(v) / sizeof(v[0]);
	uint8_t out[KE_SECRET_MAX];

	for (size_t x = 0; x < n_v; x++) {
		for (size_t y = 0; y < n_v; y++) {
			const struct hex xy = point(&v[x], &v[y]);

			if (x == 0 && y == n_v - 1)
				ck_assert_int_eq(ke_shared(g, hex_span(&i), hex_span(&xy), out),
						 OK);
			else
				expect_peer_refused(g, hex_span(&xy));
		}
	}
}
END_TEST

START_TEST(ecp_refuses_a_point_with_one_bit_turned)
{
	const struct ke_group *g = ke_by_keyword(curves[_i].keyword);
	const struct hex gr = hex(vector_of(g)->gr);

	for (size_t n = 0; n < gr.len; n++) {
		struct hex bent = gr;

		bent.b[n] = (uint8_t)(bent.b[n] ^ 1 << n % 8);
		expect_peer_refused(g, hex_span(&bent));
	}
}
END_TEST

START_TEST(ecp_scalars_lie_between_0_and_the_order)
{
	static const uint8_t zero[48];
	const struct curve *c = &curves[_i];
	const struct ke_group *g = ke_by_keyword(c->keyword);
	const struct hex n = hex(c->n), gr = hex(vector_of(g)->gr);
	const struct {
		struct hex scalar;
		enum err want;
	} cases[] = {
		{ number(span_of(zero, n.len), 0), ERR_KE_VALUE },
		{ number(span_of(zero, n.len), 1), OK },
		{ number(hex_span(&n), -1), OK },
		{ n, ERR_KE_VALUE },
		{ number(hex_span(&n), 1), ERR_KE_VALUE },
		{ number(span_of(zero, n.len), -1), ERR_KE_VALUE },
	};
	uint8_t out[KE_PUBLIC_MAX];

	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		ck_assert_int_eq(ke_public(g, hex_span(&cases[k].scalar), out), cases[k].want);
		ck_assert_int_eq(ke_shared(g, hex_span(&cases[k].scalar), hex_span(&gr), out),
				 cases[k].want);
	}
}
END_TEST

/* Little-endian, as everything of Curve25519: 0, 1, p-1, p, p+1 and the two of order 8 (RFC
 * 7748 6.1, 7); each also with the ignored top bit set. */
START_TEST(x25519_of_small_order_is_refused)
{
	static const char p[] = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed";
	static const uint8_t zero[32];
	const struct hex prime = hex(p);
	struct hex bad[] = {
		number(span_of(zero, 32), 0),
		number(span_of(zero, 32), 1),
		number(hex_span(&prime), -1),
		prime,
		number(hex_span(&prime), 1),
		hex("00b8495f16056286fdb1329ceb8d09da6ac49ff1fae35616aeb8413b7c7aebe0"),
		hex("57119fd0dd4e22d8868e1c58c45c44045bef839c55b1d0b1248c50a3bc959c5f"),
	};

	for (size_t n = 0; n < sizeof(bad) / sizeof(bad[0]); n++) {
		number_reverse(&bad[n]);
		expect_peer_refused(ke_find(KE_CURVE25519), hex_span(&bad[n]));
		bad[n].b[31] |= 0x80;
		expect_peer_refused(ke_find(KE_CURVE25519), hex_span(&bad[n]));
	}
}
END_TEST

/* RFC 7748 5: coordinates of the prime and above are taken modulo the prime. All ones are 18. */
START_TEST(x25519_takes_all_ones)
{
	const struct ke_group *g = ke_find(KE_CURVE25519);
	const struct hex i = hex(vector_of(g)->i);
	const struct hex eighteen = { .len = 32, .b = { 18 } };
	struct hex ones = { .len = 32 };
	uint8_t a[32], b[32];

	memset(ones.b, 0xff, 32);
	ck_assert_int_eq(ke_shared(g, hex_span(&i), hex_span(&ones), a), OK);
	ck_assert_int_eq(ke_shared(g, hex_span(&i), hex_span(&eighteen), b), OK);
	ck_assert_mem_eq(a, b, sizeof(a));
}
END_TEST

START_TEST(rows_agree_with_what_callers_reserve)
{
	const struct ke_group *g = ke_row((size_t)_i);

	ck_assert_uint_le(g->public_len, KE_PUBLIC_MAX);
	ck_assert_uint_le(g->secret_len, KE_SECRET_MAX);
	ck_assert_uint_le(g->private_len, KE_PRIVATE_MAX);
	ck_assert_uint_ge(g->private_len, 32);
	ck_assert_ptr_eq(ke_find(g->id), g);
	ck_assert_ptr_eq(ke_by_keyword(g->keyword), g);
}
END_TEST

START_TEST(every_other_number_is_no_group)
{
	size_t known = 0;

	for (unsigned int id = 0; id <= UINT16_MAX; id++)
		known += ke_find((uint16_t)id) != NULL;
	ck_assert_uint_eq(known, N_GROUPS);
	ck_assert_ptr_null(ke_row(N_GROUPS));
}
END_TEST

UNIT("crypto/ke")
{
	tcase_add_loop_test(tc, public_values_and_secrets_are_those_of_the_vector, 0, N_VECTORS);
	tcase_add_loop_test(tc, x25519_multiplies_as_the_rfc_says, 0, 2);
	tcase_add_loop_test(tc, values_of_another_length_are_refused, 0, N_GROUPS);
	tcase_add_loop_test(tc, modp_takes_what_lies_between_1_and_p_minus_1, 0, N_MODP);
	tcase_add_loop_test(tc, modp_of_exponent_zero_is_refused, 0, N_MODP);
	tcase_add_loop_test(tc, modp_keeps_leading_zeros, 0, N_MODP);
	tcase_add_loop_test(tc, ecp_takes_points_of_the_curve_alone, 0, N_CURVES);
	tcase_add_loop_test(tc, ecp_refuses_a_point_with_one_bit_turned, 0, N_CURVES);
	tcase_add_loop_test(tc, ecp_scalars_lie_between_0_and_the_order, 0, N_CURVES);
	tcase_add_test(tc, x25519_of_small_order_is_refused);
	tcase_add_test(tc, x25519_takes_all_ones);
	tcase_add_loop_test(tc, rows_agree_with_what_callers_reserve, 0, N_GROUPS);
	tcase_add_test(tc, every_other_number_is_no_group);
}
