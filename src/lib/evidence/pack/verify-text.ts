/** VERIFY.md: what an auditor types. Its commands are run by bash from the first block to the last. */
export const VERIFY_TEXT = `# How to check this pack

Needed: bash, unzip, coreutils, sed, ssh-keygen and openssl (3.0 or later). Nothing of lukhas. \`lukhas verify PACK\` checks more, faster.

**Trust.** The keys in \`keys/\` are there for convenience. Whoever could forge the pack could have put in their own: by them alone
nothing is proved. Get the keys, or their fingerprints, from the operator by another way, and an earlier checkpoint of the log from
somebody who has kept one.

Type the commands in this order. Each block must end without an error.

## Unpack

\`\`\`sh
set -eu -o pipefail
PACK=\${PACK:-ops-evidence.zip}
# Better: your own copies of the keys.
ALLOWED_SIGNERS=\${ALLOWED_SIGNERS:+$(realpath "$ALLOWED_SIGNERS")}
EXPORT_PEM=\${EXPORT_PEM:+$(realpath "$EXPORT_PEM")}
LOG_PEM=\${LOG_PEM:+$(realpath "$LOG_PEM")}
# The public key of a witness: there is none in the pack, as it has to come from whoever runs it.
WITNESS_PEM=\${WITNESS_PEM:+$(realpath "$WITNESS_PEM")}
ALLOWED_SIGNERS=\${ALLOWED_SIGNERS:-keys/allowed_signers}
EXPORT_PEM=\${EXPORT_PEM:-keys/export.pem}
LOG_PEM=\${LOG_PEM:-keys/log.pem}
PACK=$(realpath "$PACK")
mkdir pack
cd pack
unzip -q "$PACK"
\`\`\`

## Every file is the one that was signed

\`\`\`sh
sha256sum --strict --quiet -c SHA256SUMS
cmp SHA256SUMS hashes.txt
# No file but those listed and those that sign them.
diff <(find . -type f | sed 's,^\\./,,' | LC_ALL=C sort) \\
  <({ cut -c67- SHA256SUMS; printf '%s\\n' SHA256SUMS SHA256SUMS.sig SHA256SUMS.sshsig hashes.txt statement.dsse.json; } | LC_ALL=C sort)
\`\`\`

## Signature by ssh-keygen

\`\`\`sh
ssh-keygen -Y verify -f "$ALLOWED_SIGNERS" -I lukhas-export -n lukhas-evidence -s SHA256SUMS.sshsig < SHA256SUMS
# The signature is written as ssh-keygen writes it.
{ echo '-----BEGIN SSH SIGNATURE-----'; sed '1d;$d' SHA256SUMS.sshsig | base64 -d | base64 -w 70; echo '-----END SSH SIGNATURE-----'; } | cmp - SHA256SUMS.sshsig
\`\`\`

## The same signature by openssl

\`\`\`sh
openssl pkeyutl -verify -pubin -inkey "$EXPORT_PEM" -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig
\`\`\`

Which key that was: compare with what the operator has published.

\`\`\`sh
ssh-keygen -lf keys/export.pub
cat keys/log.vkey
\`\`\`

## The statement (in-toto, DSSE)

\`\`\`sh
sed 's/^{"payload":"\\([^"]*\\)".*/\\1/' statement.dsse.json | base64 -d > ../statement.json
sed 's/.*"sig":"\\([^"]*\\)".*/\\1/' statement.dsse.json | base64 -d > ../statement.sig
{ printf 'DSSEv1 28 application/vnd.in-toto+json %s ' "$(wc -c < ../statement.json)"; cat ../statement.json; } > ../statement.pae
openssl pkeyutl -verify -pubin -inkey "$EXPORT_PEM" -rawin -in ../statement.pae -sigfile ../statement.sig
# It is about these files, and is written without anything that is not signed.
grep -o '"name":"[^"]*","digest":{"sha256":"[0-9a-f]*"}' ../statement.json |
  sed 's/^"name":"\\([^"]*\\)","digest":{"sha256":"\\([0-9a-f]*\\)"}$/\\2  \\1/' | cmp - SHA256SUMS
printf '{"payload":"%s","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"%s","sig":"%s"}]}\\n' \\
  "$(base64 -w 0 ../statement.json)" "$(ssh-keygen -lf keys/export.pub | cut -d ' ' -f 2)" "$(base64 -w 0 ../statement.sig)" |
  cmp - statement.dsse.json
\`\`\`

## The checkpoint: the log's own signature over its size and root

\`\`\`sh
sed '/^$/,$d' checkpoint > ../checkpoint.text
sed '1,/^$/d' checkpoint | sed -n 1p | cut -d ' ' -f 3 | base64 -d | tail -c 64 > ../checkpoint.sig
openssl pkeyutl -verify -pubin -inkey "$LOG_PEM" -rawin -in ../checkpoint.text -sigfile ../checkpoint.sig
\`\`\`

## Nothing was left out, added or changed

Entry by entry, as RFC 6962 has it: a leaf is SHA-256(0x00, line), a node SHA-256(0x01, left, right). From what came before the window
(\`before\` in completeness.json) and the lines of audits.ndjson comes the root of the checkpoint. Of entries that a filter left out, the
leaf hash is given. This takes some milliseconds an entry; \`lukhas verify\` does a million in seconds.

\`\`\`sh
bytes() { sed 's/../\\\\x&/g'; }
fail() { echo "$1" >&2; exit 1; }
leaf() { { printf '\\0'; printf '%s' "$1"; } | sha256sum | cut -c-64; }
node() { printf "\\\\x01$(printf '%s%s' "$1" "$2" | bytes)" | sha256sum | cut -c-64; }
hex() { base64 -d | od -An -v -tx1 | tr -d ' \\n'; }
stack=()
for hash in $(sed 's/"from".*//' completeness.json | grep -o '"hash":"[^"]*"' | cut -d '"' -f 4); do stack+=("$(printf %s "$hash" | hex)"); done
declare -A omitted=()
while IFS=' ' read -r seq hash; do omitted[$seq]=$hash; done < <(sed 's/.*"omitted"://' completeness.json |
  grep -o '{"hash":"[^"]*","seq":[0-9]*}' | sed 's/{"hash":"\\([^"]*\\)","seq":\\([0-9]*\\)}/\\2 \\1/')
from=$(sed 's/.*"from":\\([0-9]*\\),"omitted".*/\\1/' completeness.json)
to=$(sed 's/.*"to":\\([0-9]*\\)}$/\\1/' completeness.json)
test "$to" = "$(sed -n 2p checkpoint)"
exec 3< audits.ndjson
for ((seq = from; seq < to; seq++)); do
  if [ -n "\${omitted[$seq]:-}" ]; then
    hash=$(printf %s "\${omitted[$seq]}" | hex)
  else
    IFS= read -r line <&3
    case $line in *'"seq":'"$seq"',"subject":'*) ;; *) fail "entry $seq is not where it belongs" ;; esac
    hash=$(leaf "$line")
  fi
  for ((n = seq; n % 2 == 1; n /= 2)); do hash=$(node "\${stack[-1]}" "$hash"); unset 'stack[-1]'; done
  stack+=("$hash")
done
if IFS= read -r line <&3; then fail 'audits.ndjson has more lines than the window'; fi
root=\${stack[-1]}
for ((i = \${#stack[@]} - 2; i >= 0; i--)); do root=$(node "\${stack[i]}" "$root"); done
test "$root" = "$(sed -n 3p checkpoint | hex)"
echo "the root is that of the checkpoint: entries $from to $((to - 1)) are whole"
\`\`\`

## A witness has seen the log

The operator holds all keys in this pack, and could have written the whole log anew. A witness is somebody else, who has seen a checkpoint
of the log (\`witness.json\`) and would not have cosigned another history. Its cosignature is Ed25519 over a time and the text of that checkpoint
(C2SP tlog-cosignature); that it is of one history with the checkpoint of this pack is shown by an RFC 9162 consistency proof.

\`\`\`sh
if [ -z "$WITNESS_PEM" ]; then
  echo 'cosignatures were not checked: give the public key of the witness as WITNESS_PEM'
elif [ ! -e witness.json ]; then
  fail 'no witness has cosigned what is in this pack'
else
  sed -e 's/^{"checkpoint":"\\(.*\\)","proof":\\[.*/\\1/' -e 's/\\\\\\\\/\\x01/g' -e 's/\\\\n/\\n/g' -e 's/\\\\"/"/g' -e 's/\\x01/\\\\/g' witness.json |
    head -c -1 > ../witness.note
  sed '/^$/,$d' ../witness.note > ../witness.text
  seen=
  while read -r _ name signature; do
    printf %s "$signature" | base64 -d > ../witness.line
    # Key ID, time and Ed25519: 4, 8 and 64 bytes.
    if [ "$(wc -c < ../witness.line)" != 76 ]; then continue; fi
    time=$(od -An -tu8 --endian=big -j4 -N8 ../witness.line | tr -d ' ')
    tail -c 64 ../witness.line > ../witness.sig
    { printf 'cosignature/v1\\ntime %s\\n' "$time"; cat ../witness.text; } > ../witness.message
    if openssl pkeyutl -verify -pubin -inkey "$WITNESS_PEM" -rawin -in ../witness.message -sigfile ../witness.sig > /dev/null 2>&1; then
      seen="$name saw it at $(date -u -d "@$time" +%FT%TZ)"
    fi
  done < <(sed '1,/^$/d' ../witness.note)
  if [ -z "$seen" ]; then fail 'none of the cosignatures is by the key in WITNESS_PEM'; fi
  test "$(sed -n 1p ../witness.text)" = "$(sed -n 1p checkpoint)" || fail 'the witness has cosigned another log'
  # The smaller of the two is the beginning of the larger: RFC 9162, section 2.1.4.2.
  size=$(sed -n 2p ../witness.text)
  # That the log had no entries is no history, and what ends before the pack says nothing of it.
  if [ "$size" -eq 0 ] || { [ "$size" -le "$from" ] && [ "$size" -lt "$to" ]; }; then
    fail "the witness saw the log of $size entries only, none of which is in this pack"
  fi
  other=$(sed -n 3p ../witness.text | hex)
  if [ "$size" -lt "$to" ]; then first=$size second=$to small=$other large=$root; else first=$to second=$size small=$root large=$other; fi
  other_history='nothing proves that what the witness saw and this pack are of one history'
  proof=()
  for hash in $(sed 's/.*,"proof"://' witness.json | grep -o '"[A-Za-z0-9+/]*="' | tr -d '"'); do proof+=("$(printf %s "$hash" | hex)"); done
  if [ "$first" -eq "$second" ]; then
    [ "\${#proof[@]}" = 0 ] && [ "$small" = "$large" ] || fail "$other_history"
  else
    [ "\${#proof[@]}" != 0 ] || fail "$other_history"
    # One perfect subtree is its own first hash.
    if [ $((first & (first - 1))) -eq 0 ]; then proof=("$small" "\${proof[@]}"); fi
    fn=$((first - 1)) sn=$((second - 1))
    while [ $((fn % 2)) -eq 1 ]; do fn=$((fn / 2)) sn=$((sn / 2)); done
    fr=\${proof[0]} sr=\${proof[0]}
    for hash in "\${proof[@]:1}"; do
      test "$sn" -ne 0 || fail "$other_history"
      if [ $((fn % 2)) -eq 1 ] || [ "$fn" -eq "$sn" ]; then
        fr=$(node "$hash" "$fr") sr=$(node "$hash" "$sr")
        while [ $((fn % 2)) -eq 0 ] && [ "$fn" -ne 0 ]; do fn=$((fn / 2)) sn=$((sn / 2)); done
      else
        sr=$(node "$sr" "$hash")
      fi
      fn=$((fn / 2)) sn=$((sn / 2))
    done
    [ "$fr" = "$small" ] && [ "$sr" = "$large" ] && [ "$sn" -eq 0 ] || fail "$other_history"
  fi
  echo "witnessed: the log of $size entries; $seen"
  if [ "$size" -lt "$to" ]; then echo "not witnessed: entries $size to $((to - 1))"; fi
fi
\`\`\`

## audits.json holds the same lines

\`\`\`sh
sed '1d;$d' audits.json | sed 's/,$//' | cmp - audits.ndjson
\`\`\`

audits.csv is for spreadsheets and is not canonical: strings that a spreadsheet would run as a formula begin with an apostrophe.

## What was judged

Each verdict commits to the observations it was made of: SHA-256 over their lines. Observations are pruned some day, those of a canary
together: \`meta.json\` says of which verdicts none is here (\`observationsMissing\`).

\`\`\`sh
for id in $(cut -d '"' -f 4 observations.ndjson | uniq); do
  sum=$(sed -n 's/^{"canaryId":"'"$id"'","observation":\\(.*\\)}$/\\1/p' observations.ndjson | sha256sum | cut -c-64)
  grep '"kind":"canary.decided".*"subject":"'"$id"'"' audits.ndjson | grep -q '"digest":"'"$sum"'"' ||
    fail "the observations of $id are not those, all of them, that its verdict commits to"
done
there=$(wc -l < observations.ndjson)
while IFS='"' read -r _ _ _ id _ _ count; do
  echo "$id: its \${count#:} observations were pruned, the pack says: none of them is here"
  there=$((there + \${count#:}))
done < <(sed -n 's/.*"observationsMissing":\\[\\([^]]*\\)\\].*/\\1/p' meta.json | grep -o '"canaryId":"[^"]*","count":[0-9]*')
while read -r count; do there=$((there - count)); done < <(grep '"kind":"canary.decided","seq":' audits.ndjson |
  sed 's/.*"observations":{"count":\\([0-9]*\\),.*/\\1/')
test "$there" -eq 0 || fail 'observations are missing here of which meta.json says nothing'
for policy in policies/*.json; do
  [ -e "$policy" ] || continue
  test "$(sha256sum < "$policy" | cut -c-64)" = "$(basename "$policy" .json)"
done
\`\`\`

## What this does not show

- That the log was not written anew before this pack was made: for that, compare with a checkpoint that somebody else has kept, or have
  the key of a witness, as above.
- That what was measured was true: the log holds what lukhas was told.
- Who a name in the log is: it is what the system or the API key said.
`;
