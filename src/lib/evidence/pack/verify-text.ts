/** VERIFY.md: the commands for an auditor. Tests run its blocks with bash, from the first to the last. */
export const VERIFY_TEXT = `# How to verify this pack

You need bash, unzip, coreutils, sed, ssh-keygen and openssl (3.0 or later), but not lukhas. \`lukhas verify PACK\` checks more, and faster.

**Trust.** The keys in \`keys/\` are included for convenience only. A forger would include their own keys, so these keys alone prove
nothing. Get the keys, or their fingerprints, from the operator through another channel, and an earlier checkpoint of the log from
someone who has kept one.

Run the commands in this order. Each block must end without an error.

## Unpack

\`\`\`sh
set -eu -o pipefail
PACK=\${PACK:-ops-evidence.zip}
# Better: set these to your own copies of the keys.
ALLOWED_SIGNERS=\${ALLOWED_SIGNERS:+$(realpath "$ALLOWED_SIGNERS")}
EXPORT_PEM=\${EXPORT_PEM:+$(realpath "$EXPORT_PEM")}
LOG_PEM=\${LOG_PEM:+$(realpath "$LOG_PEM")}
# The public key of a witness. It is not in the pack: get it from whoever runs the witness.
WITNESS_PEM=\${WITNESS_PEM:+$(realpath "$WITNESS_PEM")}
ALLOWED_SIGNERS=\${ALLOWED_SIGNERS:-keys/allowed_signers}
EXPORT_PEM=\${EXPORT_PEM:-keys/export.pem}
LOG_PEM=\${LOG_PEM:-keys/log.pem}
PACK=$(realpath "$PACK")
mkdir pack
cd pack
unzip -q "$PACK"
\`\`\`

## Every file is as signed

\`\`\`sh
sha256sum --strict --quiet -c SHA256SUMS
cmp SHA256SUMS hashes.txt
# There are no other files than those listed and their signatures.
diff <(find . -type f | sed 's,^\\./,,' | LC_ALL=C sort) \\
  <({ cut -c67- SHA256SUMS; printf '%s\\n' SHA256SUMS SHA256SUMS.sig SHA256SUMS.sshsig hashes.txt statement.dsse.json; } | LC_ALL=C sort)
\`\`\`

## Signature by ssh-keygen

\`\`\`sh
ssh-keygen -Y verify -f "$ALLOWED_SIGNERS" -I lukhas-export -n lukhas-evidence -s SHA256SUMS.sshsig < SHA256SUMS
# The signature file has exactly the form that ssh-keygen writes.
{ echo '-----BEGIN SSH SIGNATURE-----'; sed '1d;$d' SHA256SUMS.sshsig | base64 -d | base64 -w 70; echo '-----END SSH SIGNATURE-----'; } | cmp - SHA256SUMS.sshsig
\`\`\`

## The same signature by openssl

\`\`\`sh
openssl pkeyutl -verify -pubin -inkey "$EXPORT_PEM" -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig
# Packs, the log and a witness each have a key of their own: one key cannot do the work of both.
test -z "$(for pem in "$EXPORT_PEM" "$LOG_PEM" \${WITNESS_PEM:+"$WITNESS_PEM"}; do
  openssl pkey -pubin -in "$pem" -outform DER | sha256sum
done | sort | uniq -d)"
\`\`\`

Compare the keys with what the operator has published.

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
# It covers exactly these files, and the envelope contains nothing that is not signed.
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

## No entry is missing, added or changed

The Merkle tree of RFC 6962: a leaf is SHA-256(0x00, line), a node SHA-256(0x01, left, right). The entries before the window (\`before\` in
completeness.json) and the lines of audits.ndjson must give the root of the checkpoint. For entries that a filter omitted, the leaf hash
is given. This takes some milliseconds per entry; \`lukhas verify\` checks a million in seconds.

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
    case $line in *'"seq":'"$seq"',"subject":'*) ;; *) fail "entry $seq is missing or out of order" ;; esac
    hash=$(leaf "$line")
  fi
  for ((n = seq; n % 2 == 1; n /= 2)); do hash=$(node "\${stack[-1]}" "$hash"); unset 'stack[-1]'; done
  stack+=("$hash")
done
if IFS= read -r line <&3; then fail 'audits.ndjson has more lines than the window has entries'; fi
root=\${stack[-1]}
for ((i = \${#stack[@]} - 2; i >= 0; i--)); do root=$(node "\${stack[i]}" "$root"); done
test "$root" = "$(sed -n 3p checkpoint | hex)"
echo "the root matches the checkpoint: entries $from to $((to - 1)) are complete"
\`\`\`

## A witness has seen the log

The operator holds all keys in this pack, and could have rewritten the whole log. A witness is an independent party that has seen a
checkpoint of the log (\`witness.json\`) and refuses to cosign a different history. Its cosignature is Ed25519 over a time and the text of that
checkpoint (C2SP tlog-cosignature). An RFC 9162 consistency proof shows that it belongs to the same history as the checkpoint of this pack.

\`\`\`sh
if [ -z "$WITNESS_PEM" ]; then
  echo 'cosignatures not checked: set WITNESS_PEM to the public key of the witness'
elif [ ! -e witness.json ]; then
  fail 'this pack has no witness cosignature'
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
      seen="by $name at $(date -u -d "@$time" +%FT%TZ)"
    fi
  done < <(sed '1,/^$/d' ../witness.note)
  if [ -z "$seen" ]; then fail 'no cosignature by the key in WITNESS_PEM'; fi
  test "$(sed -n 1p ../witness.text)" = "$(sed -n 1p checkpoint)" || fail 'the cosignature is for a different log'
  # The smaller of the two is the beginning of the larger: RFC 9162, section 2.1.4.2.
  size=$(sed -n 2p ../witness.text)
  # A cosignature on an empty log, or on one that ends before this pack begins, proves nothing about the pack.
  if [ "$size" -eq 0 ] || { [ "$size" -le "$from" ] && [ "$size" -lt "$to" ]; }; then
    fail "the witness cosigned only $size entries of the log, none of which is in this pack"
  fi
  other=$(sed -n 3p ../witness.text | hex)
  if [ "$size" -lt "$to" ]; then first=$size second=$to small=$other large=$root; else first=$to second=$size small=$root large=$other; fi
  other_history='the proof does not show that the cosigned checkpoint and this pack share one history'
  proof=()
  for hash in $(sed 's/.*,"proof"://' witness.json | grep -o '"[A-Za-z0-9+/]*="' | tr -d '"'); do proof+=("$(printf %s "$hash" | hex)"); done
  if [ "$first" -eq "$second" ]; then
    [ "\${#proof[@]}" = 0 ] && [ "$small" = "$large" ] || fail "$other_history"
  else
    [ "\${#proof[@]}" != 0 ] || fail "$other_history"
    # When the smaller log is one perfect subtree, its root is the first hash.
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
  echo "witnessed: the first $size entries of the log, $seen"
  if [ "$size" -lt "$to" ]; then echo "not witnessed: entries $size to $((to - 1))"; fi
fi
\`\`\`

## audits.json has the same entries

\`\`\`sh
sed '1d;$d' audits.json | sed 's/,$//' | cmp - audits.ndjson
\`\`\`

audits.csv is for spreadsheets and is not canonical: strings that a spreadsheet would run as a formula start with an apostrophe.

## The observations behind each verdict

Each verdict commits to the observations it judged: SHA-256 over their lines. Old observations are pruned, always all of a canary at once:
\`meta.json\` lists the verdicts whose observations are not in the pack (\`observationsMissing\`).

\`\`\`sh
for id in $(cut -d '"' -f 4 observations.ndjson | uniq); do
  sum=$(sed -n 's/^{"canaryId":"'"$id"'","observation":\\(.*\\)}$/\\1/p' observations.ndjson | sha256sum | cut -c-64)
  grep '"kind":"canary.decided".*"subject":"'"$id"'"' audits.ndjson | grep -q '"digest":"'"$sum"'"' ||
    fail "the observations of $id do not match what its verdict commits to"
done
there=$(wc -l < observations.ndjson)
while IFS='"' read -r _ _ _ id _ _ count; do
  echo "$id: its \${count#:} observations are not in the pack, which says they were pruned"
  there=$((there + \${count#:}))
done < <(sed -n 's/.*"observationsMissing":\\[\\([^]]*\\)\\].*/\\1/p' meta.json | grep -o '"canaryId":"[^"]*","count":[0-9]*')
while read -r count; do there=$((there - count)); done < <(grep '"kind":"canary.decided","seq":' audits.ndjson |
  sed 's/.*"observations":{"count":\\([0-9]*\\),.*/\\1/')
test "$there" -eq 0 || fail 'observations are missing that meta.json does not list'
for policy in policies/*.json; do
  [ -e "$policy" ] || continue
  test "$(sha256sum < "$policy" | cut -c-64)" = "$(basename "$policy" .json)"
done
\`\`\`

## What this does not prove

- That the log was not rewritten before this pack was made. To check that, compare it with a checkpoint that someone else has kept, or
  use the key of a witness, as above.
- That the measurements are true: the log records what the metrics source reported.
- Who a name in the log belongs to: it is the account or API key that was used.
`;
