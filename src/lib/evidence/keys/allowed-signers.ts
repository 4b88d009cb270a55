import { EVIDENCE_NAMESPACE, parseOpenSsh, refused } from '../formats/index.js';
import { parseSignerOptions, type SignerOptions } from './signer-options.js';

/** The principal for `ssh-keygen -Y verify -I` on packs. */
export const EXPORT_PRINCIPAL = 'lukhas-export';

const ED25519 = 'ssh-ed25519';
/** A key begins with the name of its type; what follows the base64 is a comment. */
const KEY = /^((?:ssh|ecdsa|sk|webauthn)-[A-Za-z0-9@.-]+)[ \t]+([^ \t]+)/;

/** A line of an allowed_signers file that is for our principal. */
export interface AllowedSigner {
  /** 32 bytes. */
  publicKey: Buffer;
  /** Why the line does not admit its key now, in words; null: it does. */
  unusable: string | null;
}

/**
 * Reads a line of an allowed_signers file as `ssh-keygen -Y verify -I lukhas-export -n lukhas-evidence` does: principals (a list of
 * patterns), options, key, comment (ssh-keygen(1), ALLOWED SIGNERS; sshsig.c of OpenSSH 9.2).
 * @param now ms since the epoch, for `valid-after` and `valid-before`
 * @returns the principals, when the line is for other principals
 * @throws LukhasError VERIFICATION: a line for our principal that cannot be read, also for certificates
 */
export function parseAllowedSigner(line: string, now: number): AllowedSigner | { otherPrincipals: string } {
  const [principals, rest] = firstWord(withoutSpace(line).replace(/[ \t\r\n]+$/, ''));
  if (!matchList(EXPORT_PRINCIPAL, principals)) return { otherPrincipals: principals };
  const end = KEY.test(rest) ? 0 : endOfOptions(rest);
  const options = parseSignerOptions(rest.slice(0, end));
  const [type, blob] = keyIn(rest.slice(end));
  if (options.certAuthority) throw refused('allowed_signers: cert-authority is not supported; list the key itself');
  if (type.includes('-cert-')) throw refused(`allowed_signers: certificates are not supported (${type})`);
  if (type !== ED25519) throw refused(`public key: is of type ${type}, not ${ED25519}`);
  return { publicKey: parseOpenSsh(`${type} ${blob}`).publicKey, unusable: whyUnusable(options, now) };
}

/** Whether a list of patterns admits a text (ssh_config(5), PATTERNS); a `!` pattern that matches excludes it. */
function matchList(text: string, patterns: string): boolean {
  let admitted = false;
  for (const pattern of patterns.split(',')) {
    const negated = pattern.startsWith('!');
    if (!matches(text, negated ? pattern.slice(1) : pattern)) continue;
    if (negated) return false;
    admitted = true;
  }
  return admitted;
}

/** `*` stands for any characters, `?` for one. Compares from both sides of one star at a time: no pattern takes long. */
function matches(text: string, pattern: string): boolean {
  let [at, next, star, after] = [0, 0, -1, 0];
  while (at < text.length) {
    if (pattern[next] === '*') {
      star = next++;
      after = at;
    } else if (next < pattern.length && (pattern[next] === '?' || pattern[next] === text[at])) {
      at++;
      next++;
    } else if (star >= 0) {
      next = star + 1;
      at = ++after;
    } else return false;
  }
  while (pattern[next] === '*') next++;
  return next === pattern.length;
}

function whyUnusable({ namespaces, validAfter, validBefore }: SignerOptions, now: number): string | null {
  if (namespaces !== null && !matchList(EVIDENCE_NAMESPACE, namespaces))
    return `its namespaces (${namespaces}) do not include ${EVIDENCE_NAMESPACE}`;
  // In whole seconds, like the times.
  const seconds = Math.floor(now / 1000);
  if (validAfter !== null && seconds < validAfter.seconds) return `not valid yet (valid-after ${validAfter.text})`;
  if (validBefore !== null && seconds > validBefore.seconds) return `expired (valid-before ${validBefore.text})`;
  return null;
}

/** As strdelimw of OpenSSH: up to white space, or the quoted text; quotes are removed. @throws LukhasError VERIFICATION */
function firstWord(line: string): [word: string, rest: string] {
  const at = line.search(/[ \t\r\n"]/);
  if (at < 0) throw refused('not a public key: expected a vkey, an OpenSSH line, a line of allowed_signers or PEM');
  if (line[at] !== '"') return [line.slice(0, at), withoutSpace(line.slice(at))];
  const end = line.indexOf('"', at + 1);
  if (end < 0) throw refused('allowed_signers: a quote is not closed');
  return [line.slice(0, at) + line.slice(at + 1, end), withoutSpace(line.slice(end + 1))];
}

function withoutSpace(text: string): string {
  return text.replace(/^[ \t\r\n]+/, '');
}

function keyIn(text: string): [type: string, base64: string] {
  const [, type, blob] = KEY.exec(text.replace(/^[ \t]+/, '')) ?? [];
  if (type === undefined || blob === undefined)
    throw refused('allowed_signers: no public key after principals and options');
  return [type, blob];
}

/** Index of the first white space outside quotes. @throws LukhasError VERIFICATION: a quote is not closed */
function endOfOptions(text: string): number {
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    if (!quoted && (text[at] === ' ' || text[at] === '\t')) return at;
    if (text[at] === '\\' && text[at + 1] === '"') at++;
    else if (text[at] === '"') quoted = !quoted;
  }
  if (quoted) throw refused('allowed_signers: a quote is not closed');
  return text.length;
}
